// Subjects and what they match: words with dots between them, `*` for one word, `>` for one or more at the end.

/// See the head of this file.
struct SubjectPattern: Sendable, Equatable {
  private let words: [[UInt8]]

  /// A pattern, or a subject as its own pattern.
  /// - Throws: `BusError` where it is none.
  init(_ text: String) throws(BusError) {
    words = text.utf8.split(separator: 0x2E, omittingEmptySubsequences: false).map { Array($0) }
    for (place, word) in words.enumerated() {
      let isBad =
        word.isEmpty || word.contains { $0 <= 0x20 || $0 == 0x7F }
        || (word == [0x3E] && place + 1 < words.count)
      if isBad {
        throw BusError(
          "subject \"\(text)\": words with dots between them wanted, none empty, no blanks, \">\" only at the end"
        )
      }
    }
  }

  /// Whether a subject is meant.
  func matches(_ subject: UnsafeRawBufferPointer) -> Bool {
    var begin = 0
    for word in words {
      if word == [0x3E] { return begin < subject.count }
      guard begin <= subject.count else { return false }
      var end = begin
      while end < subject.count, subject[end] != 0x2E { end += 1 }
      if end == begin { return false }
      if word != [0x2A] {
        guard word.count == end - begin else { return false }
        for index in 0..<word.count where word[index] != subject[begin + index] { return false }
      }
      begin = end + 1
    }
    // The last word ended where the subject does.
    return begin == subject.count + 1
  }
}
