// Why a message is refused before any rule decides: its framing or syntax leaves room for two readings, or a limit is
// hit. Two readings are how requests are smuggled, so there is no leniency here (RFC 9112 sections 2.2, 5, 6, 7, 11.2).

/// See the head of this file. The raw value is what the log calls it.
enum Refusal: String, Sendable, CaseIterable {
  case bareLineFeed = "a line ends with LF alone"
  case bareCarriageReturn = "CR without LF"
  case requestLine = "the request line is not METHOD SP TARGET SP VERSION"
  case method = "the method is not a token"
  case target = "the target has a space, a control byte, or a form that its method doesn't allow"
  case connect = "CONNECT is not for a reverse proxy"
  case version = "the version is not HTTP/1.0 or HTTP/1.1"
  case fieldLine = "a field line has no colon"
  case fieldName = "a field's name is not a token"
  case emptyName = "a field's name is empty"
  case spaceBeforeColon = "space between a field's name and its colon"
  case fieldValue = "a field's value has a control byte"
  case foldedLine = "a folded field line"
  case hostMissing = "HTTP/1.1 without Host"
  case hostRepeated = "Host more than once"
  case hostInvalid = "Host is not an authority"
  case hostDiffers = "Host differs from the target's authority"
  case contentLength = "Content-Length is not a number"
  case contentLengthRepeated = "Content-Length more than once"
  case bothLengths = "Content-Length and Transfer-Encoding"
  case transferEncoding = "Transfer-Encoding is not exactly chunked"
  case transferEncodingInOldVersion = "Transfer-Encoding in HTTP/1.0"
  case statusLine = "the status line is malformed"
  case chunkSize = "a chunk's size is malformed"
  case chunkEnd = "a chunk doesn't end with CRLF"
  case chunkExtension = "chunk extensions are too long or have a control byte"
  case trailer = "trailers are malformed"
  case trailerTooLarge = "trailers are too large"
  case lineTooLong = "the request line is too long"
  case fieldTooLong = "a field line is too long"
  case tooManyFields = "too many fields"
  case headTooLarge = "the head is too large"
  case expectation = "an expectation that is not 100-continue"
  case bodyTooLarge = "the body is longer than the rules allow"
  case bodyBudget = "the memory for held bodies is used up"
  case headTooSlow = "the head was not whole in time"
  case bodyTooSlow = "the body came too slowly"
  case bodyLength = "the body's length differs from Content-Length"
  case http2Fields = "the header block is not a request's"
  case notHTTP = "the request can't be read as HTTP"

  var status: Int {
    switch self {
    case .version: 505
    case .lineTooLong: 414
    case .fieldTooLong, .tooManyFields, .headTooLarge: 431
    case .expectation: 417
    case .bodyTooLarge: 413
    case .bodyBudget: 503
    case .headTooSlow, .bodyTooSlow: 408
    case .connect: 405
    default: 400
    }
  }
}
