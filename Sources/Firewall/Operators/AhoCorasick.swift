// Many phrases at once, without case (Aho and Corasick, 1975), as one flat table.
//
// Bytes are put into classes first (bytes that no phrase holds share one, and so do the two cases of a letter), so a row
// of the table is short. An entry is the place of the next state's row; its top bit says that a phrase ends there.
// Owner: the policy; immutable after it is built.

final class AhoCorasick: @unchecked Sendable {
  private static let endBit: UInt32 = 0x8000_0000
  private let classCount: Int
  private let classes: UnsafeMutablePointer<UInt8>
  private let next: UnsafeMutablePointer<UInt32>
  /// By state: the length of the longest phrase that ends there.
  private let lengths: [UInt32]

  /// `phrases` hold no empty one. Nil where they are too many for a table.
  init?(_ phrases: [[UInt8]]) {
    var classOf = [UInt8](repeating: 0, count: 256)
    var count = 1
    for byte in phrases.joined() {
      let lower = lowercased(byte)
      guard classOf[Int(lower)] == 0 else { continue }
      classOf[Int(lower)] = UInt8(truncatingIfNeeded: count)
      count += 1
    }
    for letter in UInt8(ascii: "A")...UInt8(ascii: "Z") {
      classOf[Int(letter)] = classOf[Int(lowercased(letter))]
    }
    // 230 bytes are left without the capitals, so a class fits in a byte.
    classCount = count

    var trie = [UInt32](repeating: 0, count: count)
    var lengths: [UInt32] = [0]
    for phrase in phrases {
      var state = 0
      for byte in phrase {
        let entry = state * count + Int(classOf[Int(byte)])
        if trie[entry] == 0 {
          trie[entry] = UInt32(truncatingIfNeeded: lengths.count)
          lengths.append(0)
          trie.append(contentsOf: repeatElement(0, count: count))
          guard trie.count < Int(AhoCorasick.endBit) / 4 else { return nil }
        }
        state = Int(trie[entry])
      }
      lengths[state] = UInt32(truncatingIfNeeded: phrase.count)
    }
    AhoCorasick.connect(&trie, &lengths, classCount: count)

    self.lengths = lengths
    classes = .allocate(capacity: 256)
    classes.initialize(from: classOf, count: 256)
    next = .allocate(capacity: trie.count)
    for (index, state) in trie.enumerated() {
      let ends = lengths[Int(state)] > 0 ? AhoCorasick.endBit : 0
      (next + index).initialize(to: state * UInt32(count) | ends)
    }
  }

  deinit {
    classes.deallocate()
    next.deallocate()
  }

  /// Fills what the trie leaves open with where the longest suffix leads, states in order of their depth.
  private static func connect(_ trie: inout [UInt32], _ lengths: inout [UInt32], classCount: Int) {
    var fallback = [Int](repeating: 0, count: lengths.count)
    var queue: [Int] = []
    for entry in 0..<classCount where trie[entry] != 0 { queue.append(Int(trie[entry])) }
    var read = 0
    while read < queue.count {
      let state = queue[read]
      read += 1
      let suffix = fallback[state]
      if lengths[state] == 0 { lengths[state] = lengths[suffix] }
      for index in 0..<classCount {
        let child = Int(trie[state * classCount + index])
        let other = trie[suffix * classCount + index]
        if child == 0 {
          trie[state * classCount + index] = other
        } else {
          fallback[child] = Int(other)
          queue.append(child)
        }
      }
    }
  }

  /// The phrase that ends first, the longest of those that end there.
  func firstMatch(in value: ByteView) -> Range<Int>? {
    var row = 0
    for index in 0..<value.count {
      let entry = next[row + Int(classes[Int(value.start[index])])]
      row = Int(entry & ~AhoCorasick.endBit)
      if entry & AhoCorasick.endBit != 0 {
        let length = Int(lengths[row / classCount])
        return index + 1 - length..<index + 1
      }
    }
    return nil
  }
}
