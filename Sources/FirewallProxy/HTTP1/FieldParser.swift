// Splits the field lines of a head. Whatever can be split is kept, also when something is wrong with it, so that the
// rules see it; the first thing that is wrong is remembered (RFC 9112 section 5).

struct FieldParser {
  var refusal: Refusal?

  @inline(__always)
  mutating func refuse(_ reason: Refusal) { if refusal == nil { refusal = reason } }

  /// The end of a line's content, for a line that ends before `feed` (the place of its LF).
  @inline(__always)
  mutating func contentEnd(_ start: UnsafeRawPointer, lineStart: Int, feed: Int) -> Int {
    if feed > lineStart, start.load(fromByteOffset: feed - 1, as: UInt8.self) == 13 { return feed - 1 }
    refuse(.bareLineFeed)
    return feed
  }

  /// Reads field lines from `position` to the empty line.
  mutating func parse(_ all: UnsafeRawBufferPointer, from position: Int, into head: inout MessageHead) {
    guard let start = all.baseAddress else { return }
    head.fieldsStart = position
    var lineStart = position
    while let feed = Bytes.find(10, start, from: lineStart, to: all.count) {
      let end = contentEnd(start, lineStart: lineStart, feed: feed)
      defer { lineStart = feed + 1 }
      if end == lineStart { return }
      let first = start.load(fromByteOffset: lineStart, as: UInt8.self)
      if first == 32 || first == 9 {
        refuse(.foldedLine)
        continue
      }
      guard let colon = Bytes.find(UInt8(ascii: ":"), start, from: lineStart, to: end) else {
        refuse(.fieldLine)
        continue
      }
      var nameEnd = colon
      while nameEnd > lineStart, isBlank(start, nameEnd - 1) { nameEnd -= 1 }
      if colon == lineStart { refuse(.emptyName) } else if nameEnd < colon { refuse(.spaceBeforeColon) }
      var valueStart = colon + 1
      var valueEnd = end
      while valueStart < valueEnd, isBlank(start, valueStart) { valueStart += 1 }
      while valueEnd > valueStart, isBlank(start, valueEnd - 1) { valueEnd -= 1 }
      let name = UnsafeRawBufferPointer(rebasing: all[lineStart..<nameEnd])
      let value = UnsafeRawBufferPointer(rebasing: all[valueStart..<valueEnd])
      if !Octets.all(name, Octets.token) { refuse(.fieldName) }
      if !Octets.all(value, Octets.value) {
        refuse(
          Bytes.find(13, start, from: valueStart, to: valueEnd) != nil ? .bareCarriageReturn : .fieldValue)
      }
      head.fields.append(
        FieldPlace(
          nameStart: Int32(truncatingIfNeeded: lineStart),
          nameCount: Int32(truncatingIfNeeded: nameEnd - lineStart),
          valueStart: Int32(truncatingIfNeeded: valueStart),
          valueCount: Int32(truncatingIfNeeded: valueEnd - valueStart),
          lineEnd: Int32(truncatingIfNeeded: feed + 1), known: MessageHead.known(name),
          isOfThisHop: MessageHead.isDisguised(name)))
    }
  }

  @inline(__always)
  private func isBlank(_ start: UnsafeRawPointer, _ index: Int) -> Bool {
    let byte = start.load(fromByteOffset: index, as: UInt8.self)
    return byte == 32 || byte == 9
  }

  /// Content-Length and Transfer-Encoding, which must leave one reading only (RFC 9112 section 6.3).
  mutating func framing(_ head: MessageHead, _ all: UnsafeRawBufferPointer, isOldVersion: Bool)
    -> BodyFraming?
  {
    var length: Int?
    var lengths = 0
    var encodings = 0
    for field in head.fields {
      switch field.known {
      case .contentLength:
        lengths += 1
        if lengths > 1 { refuse(.contentLengthRepeated) }
        length = Octets.decimal(head.value(field, all))
        if length == nil { refuse(.contentLength) }
      case .transferEncoding:
        encodings += 1
        if encodings > 1 || !Octets.equals(head.value(field, all), "chunked") { refuse(.transferEncoding) }
      default: break
      }
    }
    if encodings > 0 {
      if lengths > 0 { refuse(.bothLengths) }
      if isOldVersion { refuse(.transferEncodingInOldVersion) }
      return .chunked
    }
    return length.map { .length($0) }
  }
}

/// How a message's end is found.
enum BodyFraming: Equatable, Sendable {
  case none
  case length(Int)
  case chunked
  /// A response that ends with its connection.
  case untilClose
}
