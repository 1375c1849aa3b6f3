// What a body processor gives to the rules (ModSecurity reference manual, "REQUEST_BODY and body processors").
//
// All processors write into one `BodyContent`, which a transaction keeps and clears, so that its arrays are allocated
// once. Every view lies in the body, in the arena, or in the XML document that the content owns.
// Owner: one transaction, on one thread.

/// A name and a value, as variables carry them.
public struct Argument: BitwiseCopyable {
  /// As decoded.
  public let name: ByteView
  /// As decoded.
  public let value: ByteView
  /// A pair of views, which the caller keeps alive.
  public init(name: ByteView, value: ByteView) {
    self.name = name
    self.value = value
  }
}

/// What a body must not exceed (directives in brackets). Hit limits are reported, never passed over.
public struct BodyLimits: Sendable {
  /// Arguments of all kinds together (SecArgumentsLimit). Whoever has arguments of the query string already takes
  /// their number off before a body is parsed.
  public var argumentCount = 1000
  /// Nesting of JSON (SecRequestBodyJsonDepthLimit).
  public var jsonDepth = 512
  /// Nesting of XML.
  public var xmlDepth = 256
  /// Nodes that one XPath of a rule may select.
  public var xmlNodeCount = 100_000
  /// Files of a multipart body (SecUploadFileLimit).
  public var fileCount = 100
  /// Header bytes of one part of a multipart body.
  public var partHeaderBytes = 16 * 1024
  /// The directives' defaults.
  public init() {}
}

/// A file of a multipart body.
public struct UploadedFile {
  /// The form field.
  public let name: ByteView
  /// What the client calls the file.
  public let fileName: ByteView
  /// The file itself.
  public let content: ByteView
  /// Views, which the caller keeps alive.
  public init(name: ByteView, fileName: ByteView, content: ByteView) {
    self.name = name
    self.fileName = fileName
    self.content = content
  }
}

/// What is odd about a multipart body: the MULTIPART_* variables, without that prefix.
public struct MultipartFlags: Sendable, Equatable {
  /// The boundary stands in quotes.
  public var boundaryQuoted = false
  /// Whitespace around the equals sign of the boundary.
  public var boundaryWhitespace = false
  /// Something before the first boundary.
  public var dataBefore = false
  /// Something after the last boundary.
  public var dataAfter = false
  /// A header field goes over more than one line.
  public var headerFolding = false
  /// A line ends without a carriage return.
  public var lfLine = false
  /// A line ends as it should.
  public var crlfLine = false
  /// No semicolon before the boundary parameter.
  public var missingSemicolon = false
  /// A single quote where only a double one may be.
  public var invalidQuoting = false
  /// A part without a name, or ended before its content.
  public var invalidPart = false
  /// A folded line that begins with something else than space or tab.
  public var invalidHeaderFolding = false
  /// More files than the limit.
  public var fileLimitExceeded = false
  /// The parser gave up, or the Content-Type says no boundary that it accepts.
  public var error = false
  /// 0: no line looks like a boundary without being one. 1: one does. 2: the last thing seen was a true boundary after
  /// another one.
  public var unmatchedBoundary = 0

  /// Nothing odd.
  public init() {}

  /// MULTIPART_CRLF_LF_LINES: both ways to end a line were used.
  public var crlfLFLines: Bool { crlfLine && lfLine }

  /// MULTIPART_STRICT_ERROR.
  public var strictError: Bool {
    error || boundaryQuoted || boundaryWhitespace || dataBefore || dataAfter || headerFolding || lfLine
      || missingSemicolon || invalidQuoting || invalidPart || invalidHeaderFolding || fileLimitExceeded
  }
}

/// What was found in a body.
public struct BodyContent {
  /// ARGS: names and values in the body's order. Only form fields are ARGS_POST too; those of JSON are not.
  public var arguments: [Argument] = []
  /// FILES and its like.
  public var files: [UploadedFile] = []
  /// MULTIPART_PART_HEADERS: the part's name, the whole header line.
  public var partHeaders: [Argument] = []
  /// MULTIPART_NAME and MULTIPART_FILENAME: the parameters as they were met, parts that were refused included.
  public var partNames: [ByteView] = []
  /// See `partNames`.
  public var partFileNames: [ByteView] = []
  /// Nil where the body is not multipart.
  public var multipart: MultipartFlags?
  /// The document behind XML:…; nil where the body is not well-formed XML.
  public var xml: XMLBody?
  /// URLENCODED_ERROR: a percent sign without two hexadecimal digits, which was kept as it is.
  public var hasInvalidEscape = false
  /// REQBODY_ERROR_MSG; nil: REQBODY_ERROR is 0.
  public var error: String?
  /// Where in the body the error was met, if that can be said.
  public var errorOffset: Int?
  /// A limit was hit: the rules don't see everything.
  public var limitReached = false
  /// Working memory of the JSON parser, kept for the next body.
  var jsonPath: [UInt8] = []
  var jsonContainers: [JSONBody.Container] = []

  /// Nothing.
  public init() {}

  /// FILES_COMBINED_SIZE.
  public var filesCombinedSize: Int { files.reduce(0) { $0 + $1.content.count } }

  /// Ready for another body; what it points to is forgotten, the memory of its arrays is kept.
  public mutating func clear() {
    arguments.removeAll(keepingCapacity: true)
    files.removeAll(keepingCapacity: true)
    partHeaders.removeAll(keepingCapacity: true)
    partNames.removeAll(keepingCapacity: true)
    partFileNames.removeAll(keepingCapacity: true)
    multipart = nil
    xml = nil
    hasInvalidEscape = false
    error = nil
    errorOffset = nil
    limitReached = false
  }

  /// The first error counts.
  mutating func fail(_ message: String, at offset: Int?) {
    guard error == nil else { return }
    error = message
    errorOffset = offset
  }
}
