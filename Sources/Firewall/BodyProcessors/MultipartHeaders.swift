// The header fields of one part (RFC 2046, section 5.1; RFC 5322, section 2.2.3 for folding), as libmodsecurity 3.0.9
// reads them: of a repeated field the first counts, names are compared without case, folded lines are joined by a space.
// Every method's text says what is wrong with a line; the line is then passed over.
// Invariant: folding copies each byte at most twice.

struct MultipartHeaders {
  private struct Header {
    let name: ByteView
    var value: ByteView
  }

  private var headers: [Header] = []
  /// MULTIPART_PART_HEADERS: the fields whole, without their line ends.
  private(set) var lines: [ByteView] = []
  private(set) var disposition = ContentDisposition()
  /// The bytes of all lines.
  var byteCount = 0
  /// What is being folded: the last field's lines together, and how many bytes of it come before its value.
  private var folded: [UInt8] = []
  private var isFolding = false
  private var isTooLong = false

  mutating func clear() {
    headers.removeAll(keepingCapacity: true)
    lines.removeAll(keepingCapacity: true)
    folded.removeAll(keepingCapacity: true)
    disposition = ContentDisposition()
    byteCount = 0
    isFolding = false
    isTooLong = false
  }

  private static func withoutLineEnd(_ line: ByteView) -> ByteView {
    var count = line.count
    while count > 0, line[count - 1] == UInt8(ascii: "\n") || line[count - 1] == UInt8(ascii: "\r") {
      count -= 1
    }
    return line.prefix(count)
  }

  mutating func add(_ line: ByteView) -> String? {
    guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
      return "Invalid part header (colon missing): " + MultipartHeaders.withoutLineEnd(line).prefix(64).text
    }
    guard colon > 0 else { return "Invalid part header (header name missing)." }
    let whole = MultipartHeaders.withoutLineEnd(line)
    var from = colon + 1
    while from < whole.count, whole[from] == UInt8(ascii: "\t") || whole[from] == UInt8(ascii: " ") {
      from += 1
    }
    let name = line.prefix(colon)
    // ASCII without control characters: whoever reads those away would see another name. A blank is taken.
    guard name.buffer.allSatisfy({ (32...126).contains($0) }) else {
      return "Invalid part header (contains invalid character)."
    }
    // A repeated one is left out without a word.
    guard !headers.contains(where: { $0.name.equalsIgnoringCase(name) }) else { return nil }
    headers.append(Header(name: name, value: whole.dropFirst(from)))
    lines.append(whole)
    return nil
  }

  mutating func fold(_ line: ByteView, _ flags: inout MultipartFlags) -> String? {
    flags.headerFolding = true
    guard !line.isEmpty else { return nil }
    if line[0] != UInt8(ascii: "\t"), line[0] != UInt8(ascii: " ") { flags.invalidHeaderFolding = true }
    guard let last = headers.last, let lastLine = lines.last else {
      return "Invalid part header (folding error)."
    }
    var from = 0
    while from < line.count, isWhitespace(line[from]) {
      if line[from] != UInt8(ascii: "\t"), line[from] != UInt8(ascii: " ") {
        flags.invalidHeaderFolding = true
      }
      from += 1
    }
    guard !isTooLong else { return nil }
    if !isFolding {
      isFolding = true
      folded.removeAll(keepingCapacity: true)
      folded.append(contentsOf: lastLine.buffer)
    }
    folded.append(UInt8(ascii: " "))
    folded.append(contentsOf: MultipartHeaders.withoutLineEnd(line.dropFirst(from)).buffer)
    guard folded.count - (lastLine.count - last.value.count) <= MultipartBody.pieceBytes else {
      isTooLong = true
      return "Part header too long."
    }
    return nil
  }

  /// The folded field takes the place of its first line.
  mutating func endFolding(_ arena: Arena) {
    guard isFolding, let last = headers.last, let lastLine = lines.last else { return }
    let valueStart = lastLine.count - last.value.count
    let whole = folded.withUnsafeBytes { arena.copy(ByteView($0)) }
    headers[headers.count - 1].value = whole.dropFirst(valueStart)
    lines[lines.count - 1] = whole
    isFolding = false
    isTooLong = false
  }

  /// After the empty line: what kind of part is this?
  mutating func complete(
    _ arena: Arena, _ flags: inout MultipartFlags, _ content: inout BodyContent
  ) -> String? {
    let wanted = ByteView("Content-Disposition")
    guard let value = headers.first(where: { $0.name.equalsIgnoringCase(wanted) })?.value else {
      return "Part missing Content-Disposition header."
    }
    let result = disposition.parse(value, arena: arena, flags: &flags, content: &content)
    guard result > 0 else {
      return "Invalid Content-Disposition header (\(result)): " + value.prefix(256).text
    }
    guard !disposition.name.isEmpty else { return "Content-Disposition header missing name field." }
    // Whoever looks for the parameter in a cruder way must find it too.
    guard disposition.fileName.isEmpty || value.firstRange(of: ByteView("filename=")) != nil else {
      return "Invalid Content-Disposition header (filename)."
    }
    return nil
  }
}
