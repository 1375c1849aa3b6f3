// The frames of the last while, for who missed one: a ring of bytes, bounded in size and age.
// Invariant: frames are kept in the order of sending and without a hole; what is too old goes from the front.

/// See the head of this file.
struct FrameHistory: ~Copyable {
  struct Entry {
    var offset: Int
    var count: Int
    var from: UInt64
    var through: UInt64
    var at: UInt64
    var isPart: Bool
    var isFirst: Bool
  }

  private let base: UnsafeMutableRawPointer
  let capacity: Int
  let nanoseconds: UInt64
  private var entries: [Entry] = []
  private var first = 0
  private var end = 0

  init(bytes: Int, nanoseconds: UInt64) {
    capacity = max(64 << 10, bytes)
    self.nanoseconds = nanoseconds
    base = .allocate(byteCount: capacity, alignment: 16)
  }

  deinit { base.deallocate() }

  var count: Int { entries.count - first }
  /// Where what is kept begins; nil where nothing is.
  var oldest: UInt64? { count > 0 ? entries[first].from : nil }

  subscript(place: Int) -> Entry { entries[first + place] }

  func bytes(_ entry: Entry) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: base + entry.offset, count: entry.count)
  }

  mutating func removeAll() {
    entries.removeAll(keepingCapacity: true)
    first = 0
    end = 0
  }

  mutating func append(
    _ frame: UnsafeRawBufferPointer, from: UInt64, through: UInt64, isFirst: Bool, isPart: Bool,
    at now: UInt64
  ) {
    guard let start = frame.baseAddress, frame.count <= capacity else { return removeAll() }
    if end + frame.count > capacity {
      // What stands behind the end goes first: it is the oldest.
      while count > 0, entries[first].offset >= end { first += 1 }
      end = 0
    }
    while count > 0 {
      let oldest = entries[first]
      let overlaps = oldest.offset < end + frame.count && oldest.offset + oldest.count > end
      guard overlaps || oldest.at &+ nanoseconds < now else { break }
      first += 1
    }
    (base + end).copyMemory(from: start, byteCount: frame.count)
    entries.append(
      Entry(
        offset: end, count: frame.count, from: from, through: through, at: now, isPart: isPart,
        isFirst: isFirst
      ))
    end += frame.count
    if first > 1024, first * 2 > entries.count {
      entries.removeFirst(first)
      first = 0
    }
  }

  /// The place of the frame that covers the message after `position`, or of its message's first part; nil where it
  /// isn't kept.
  func place(after position: UInt64) -> Int? {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if self[middle].through > position { high = middle } else { low = middle + 1 }
    }
    while low > 0, low < count, !self[low].isFirst { low -= 1 }
    guard low < count, self[low].isFirst, self[low].from <= position else { return nil }
    return low
  }
}
