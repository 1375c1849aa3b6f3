// multipart/form-data (RFC 7578, RFC 2046), as strictly as libmodsecurity 3.0.9 reads it, with its flags for whatever a
// back end might read otherwise.
//
// Inside a part's content only two dashes can matter (a boundary, or something like one), so those are looked for eight
// bytes at a time and lines are not. Names, values and files are views of the body.
// Departures: a form field keeps its line ends, which libmodsecurity 3.0.9 loses; a file's content is always there, and
// so is what was read before an error; the first error is told, too; header lines come without their line end.
// Invariant: the position only grows; nothing is read outside the body.

/// multipart/form-data.
public enum MultipartBody {
  /// Lines are seen in pieces of so many bytes: a header line must be shorter, a boundary must be in the first piece.
  static let pieceBytes = 4096
  /// Header fields that one part may have.
  static let partHeaderCount = 64

  /// Reads `body` into arguments, files, part headers and flags.
  /// - Parameter contentType: the value of the request's Content-Type field.
  public static func parse(
    _ body: ByteView, contentType: ByteView, limits: BodyLimits, arena: Arena, into content: inout BodyContent
  ) {
    var flags = MultipartFlags()
    if let boundary = MultipartBoundary(contentType: contentType, flags: &flags, content: &content) {
      var parser = MultipartParser(body, boundary: boundary.value, limits: limits, arena: arena, flags: flags)
      parser.run(&content)
      flags = parser.flags
    }
    content.multipart = flags
  }
}

struct MultipartParser {
  private enum State { case preamble, headers, data }
  /// What a line that begins with two dashes is.
  private enum Line {
    case ordinary
    /// A boundary that ends at `next`.
    case boundary(isFinal: Bool, next: Int)
    /// So much like a boundary that nothing after it can be trusted.
    case refused
  }

  private let body: ByteView
  private let boundary: ByteView
  /// The boundary with its two dashes.
  private let delimiter: ByteView
  private let limits: BodyLimits
  private let arena: Arena
  var flags: MultipartFlags
  private var isComplete = false

  private var state = State.preamble
  private var boundaryCount = 0
  private var headers = MultipartHeaders()
  /// Where the content of the open part begins.
  private var dataStart = 0

  init(_ body: ByteView, boundary: ByteView, limits: BodyLimits, arena: Arena, flags: MultipartFlags) {
    self.body = body
    self.boundary = boundary
    self.limits = limits
    self.arena = arena
    self.flags = flags
    delimiter = arena.join(ByteView("--"), boundary)
  }

  mutating func run(_ content: inout BodyContent) {
    guard !body.isEmpty else { return }
    var at = 0
    while at < body.count {
      let next = state == .headers ? headerLine(at, &content) : freeText(at, &content)
      guard let next else { break }
      at = next
    }
    guard !isComplete else { return }
    // What is open is shown to the rules as far as it goes.
    if state == .data { finishPart(body.count, &content) }
    guard !flags.error else { return }
    let reason = boundaryCount > 0 ? "Final boundary missing." : "No boundaries found in payload."
    guard let first = content.error else { return fail(reason, body.count, &content) }
    // What libmodsecurity says, and what led to it.
    content.error = "Multipart parsing error: Multipart: " + reason + " Before: " + first
  }

  private func fail(_ reason: String, _ at: Int, _ content: inout BodyContent) {
    content.fail("Multipart parsing error: Multipart: " + reason, at: at)
  }

  // MARK: Preamble and content

  /// From a line's start to behind the next boundary; nil where there is nothing more to read.
  private mutating func freeText(_ start: Int, _ content: inout BodyContent) -> Int? {
    var at = start
    var line = KnownLine(start: start, end: start)
    while let dashes = body.firstDoubleDash(from: at) {
      guard dashes == start || body[dashes - 1] == UInt8(ascii: "\n") else {
        at = inside(dashes, line: &line)
        continue
      }
      guard let end = pieceEnd(dashes) else {
        return finish(lastLine: dashes, start, &content)
      }
      switch classify(dashes, end, mayBeBoundary: state == .preamble || dashes > start, &content) {
      case .ordinary: at = end
      case .refused:
        if state == .preamble, dashes > start { flags.dataBefore = true }
        return nil
      case .boundary(let isFinal, let next):
        if state == .preamble, dashes > start { flags.dataBefore = true }
        return close(contentEnd: dashes, isFinal: isFinal, next: next, &content)
      }
    }
    if state == .preamble,
      body.firstIndex(of: UInt8(ascii: "\n"), from: start) != nil
        || body.count - start >= MultipartBody.pieceBytes
    {
      flags.dataBefore = true
    }
    return nil
  }

  /// Where the line at `start`, or its first piece, ends; nil for a short line that the body's end cuts off.
  private func pieceEnd(_ start: Int) -> Int? {
    if let feed = body.prefix(start + MultipartBody.pieceBytes).firstIndex(
      of: UInt8(ascii: "\n"), from: start)
    {
      return feed + 1
    }
    return body.count - start >= MultipartBody.pieceBytes ? start + MultipartBody.pieceBytes : nil
  }

  /// A stretch from a line's start on that holds no line end.
  private struct KnownLine {
    var start: Int
    var end: Int
  }

  /// Looks at a run of dashes in the middle of a line: MULTIPART_UNMATCHED_BOUNDARY where a boundary is in the line's
  /// first piece. Gives the place behind the run.
  private mutating func inside(_ dashes: Int, line: inout KnownLine) -> Int {
    let last = delimiter.count - 1
    let lastByte = delimiter[last]
    var at = dashes
    repeat {
      if at + last < body.count, body[at + last] == lastByte, body[at..<(at + last + 1)] == delimiter {
        var from = at
        while from > line.end, body[from - 1] != UInt8(ascii: "\n") { from -= 1 }
        line = KnownLine(start: from > line.end ? from : line.start, end: at)
        if at + delimiter.count - line.start <= MultipartBody.pieceBytes, pieceEnd(line.start) != nil {
          flags.unmatchedBoundary = 1
        }
      }
      at += 1
    } while at + 1 < body.count && body[at + 1] == UInt8(ascii: "-")
    return at
  }

  /// MULTIPART_LF_LINE for the line end that stands before a boundary.
  private mutating func noteLineEnd(before start: Int) {
    if start > 0, start < 2 || body[start - 2] != UInt8(ascii: "\r") { flags.lfLine = true }
  }

  // MARK: Boundaries

  private mutating func classify(
    _ start: Int, _ end: Int, mayBeBoundary: Bool, _ content: inout BodyContent
  ) -> Line {
    let piece = body[start..<end]
    guard piece.count > 3 else { return .ordinary }
    // As much as C's string functions see.
    let visible = piece.firstIndex(of: 0) ?? piece.count
    guard visible > 3 else {
      if piece.firstRange(of: delimiter) != nil { flags.unmatchedBoundary = 1 }
      return .ordinary
    }
    guard piece.hasPrefix(delimiter) else {
      if flags.boundaryQuoted, piece.dropFirst(2).hasPrefix(ByteView("\"")),
        piece.dropFirst(3).hasPrefix(boundary)
      {
        return refuse("Invalid boundary (quotes).", start, &content)
      }
      var text = 2
      while text < piece.count, isWhitespace(piece[text]) { text += 1 }
      if text > 2, piece.dropFirst(text).hasPrefix(boundary) {
        return refuse("Invalid boundary (whitespace).", start, &content)
      }
      flags.unmatchedBoundary = 1
      return .ordinary
    }
    noteLineEnd(before: start)
    guard mayBeBoundary else {
      // A part ends before it has content.
      flags.invalidPart = true
      return .ordinary
    }
    if boundaryCount > 0 { flags.unmatchedBoundary = 2 }
    var rest = piece.dropFirst(delimiter.count)
    let isFinal = rest.hasPrefix(ByteView("--"))
    if isFinal { rest = rest.dropFirst(2) }
    if rest == ByteView("\n") {
      flags.lfLine = true
    } else if rest == ByteView("\r\n") {
      flags.crlfLine = true
    } else {
      return refuse(
        "Invalid boundary: " + piece.prefix(min(visible, delimiter.count + 32)).text, start, &content)
    }
    return .boundary(isFinal: isFinal, next: end)
  }

  private mutating func refuse(_ reason: String, _ at: Int, _ content: inout BodyContent) -> Line {
    flags.error = true
    fail(reason, at, &content)
    return .refused
  }

  /// Ends the open part and, unless this was the last boundary, opens another.
  private mutating func close(
    contentEnd: Int, isFinal: Bool, next: Int, _ content: inout BodyContent
  ) -> Int? {
    finishPart(contentEnd, &content)
    boundaryCount += 1
    if isFinal {
      isComplete = true
      if next < body.count { flags.dataAfter = true }
      return nil
    }
    state = .headers
    headers.clear()
    return next
  }

  /// A last line without a line end: the final boundary may stand there.
  private mutating func finish(lastLine: Int, _ start: Int, _ content: inout BodyContent) -> Int? {
    if state == .preamble, lastLine > start { flags.dataBefore = true }
    guard boundaryCount > 0 else { return nil }
    let line = body.dropFirst(lastLine)
    guard line.count == delimiter.count + 2, line.hasPrefix(delimiter), line.hasSuffix(ByteView("--")) else {
      return nil
    }
    noteLineEnd(before: lastLine)
    if state == .data, lastLine == dataStart { flags.invalidPart = true }
    finishPart(lastLine, &content)
    isComplete = true
    return nil
  }

  private mutating func finishPart(_ contentEnd: Int, _ content: inout BodyContent) {
    guard state != .preamble else { return }
    guard state == .data else {
      flags.invalidPart = true
      return
    }
    var end = contentEnd
    if end > dataStart, body[end - 1] == UInt8(ascii: "\n") { end -= 1 }
    if end > dataStart, end < contentEnd, body[end - 1] == UInt8(ascii: "\r") { end -= 1 }
    let value = body[dataStart..<end]
    let name = headers.disposition.name
    for line in headers.lines { content.partHeaders.append(Argument(name: name, value: line)) }
    if headers.disposition.fileName.isEmpty {
      if content.arguments.count < limits.argumentCount {
        content.arguments.append(Argument(name: name, value: value))
      } else {
        content.limitReached = true
      }
    } else if content.files.count < limits.fileCount {
      content.files.append(UploadedFile(name: name, fileName: headers.disposition.fileName, content: value))
    } else {
      content.limitReached = true
      flags.fileLimitExceeded = true
      fail("Upload file limit exceeded.", dataStart, &content)
    }
  }

  // MARK: Part headers

  private mutating func headerLine(_ start: Int, _ content: inout BodyContent) -> Int? {
    guard let end = pieceEnd(start) else { return finish(lastLine: start, start, &content) }
    let line = body[start..<end]
    if line.hasPrefix(ByteView("--")) {
      if case .refused = classify(start, end, mayBeBoundary: false, &content) { return nil }
    } else if line.firstRange(of: delimiter) != nil {
      flags.unmatchedBoundary = 1
    }
    guard line.count < MultipartBody.pieceBytes else {
      _ = refuse("Part header line over \(MultipartBody.pieceBytes) bytes long", start, &content)
      return nil
    }
    headers.byteCount += line.count
    guard headers.byteCount <= limits.partHeaderBytes, headers.lines.count < MultipartBody.partHeaderCount
    else {
      content.limitReached = true
      _ = refuse("Part headers too long or too many.", start, &content)
      return nil
    }
    guard line.firstIndex(of: 0) == nil else {
      fail("Nul byte in part headers.", start, &content)
      return end
    }
    if line.count > 1, line[line.count - 2] == UInt8(ascii: "\r") {
      flags.crlfLine = true
    } else {
      flags.lfLine = true
    }
    if line == ByteView("\r\n") || line == ByteView("\n") {
      headers.endFolding(arena)
      if let wrong = headers.complete(arena, &flags, &content) {
        fail(wrong, start, &content)
      } else {
        state = .data
        dataStart = end
      }
    } else if isWhitespace(line[0]) {
      if let wrong = headers.fold(line, &flags) { fail(wrong, start, &content) }
    } else {
      headers.endFolding(arena)
      if let wrong = headers.add(line) { fail(wrong, start, &content) }
    }
    return end
  }
}
