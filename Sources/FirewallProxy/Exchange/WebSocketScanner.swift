// Reads the headers of WebSocket frames as they pass, however they are cut (RFC 6455 section 5.2).
// Invariant: the answer depends on the bytes alone, not on how they were cut.

import NIOCore

struct WebSocketScanner {
  enum Violation: String {
    case unmasked = "a client's frame is not masked"
    case masked = "a server's frame is masked"
    case reserved = "reserved bits or opcodes"
    case control = "a control frame is long or fragmented"
    case continuation = "fragments out of order"
    case length = "a length that is not the shortest form"
    case tooLarge = "a frame is larger than allowed"

    var code: UInt16 { self == .tooLarge ? 1009 : 1002 }
  }

  enum Outcome: Equatable {
    case passes
    case violates(Violation)
  }

  private let isFromClient: Bool
  private let limit: Int
  private let allowsReserved: Bool
  private(set) var frames: UInt64 = 0
  private var payloadLeft = 0
  private var header = [UInt8](repeating: 0, count: 14)
  private var headerCount = 0
  private var isFragmented = false
  /// Whether what passed so far ends with a frame: only there may another frame be put in.
  private(set) var isBetweenFrames = true

  init(isFromClient: Bool, limit: Int, allowsReserved: Bool) {
    self.isFromClient = isFromClient
    self.limit = limit
    self.allowsReserved = allowsReserved
  }

  mutating func scan(_ bytes: ByteBuffer) -> Outcome {
    let outcome = bytes.withUnsafeReadableBytes { scan($0) }
    // What violates doesn't pass.
    if outcome == .passes { isBetweenFrames = payloadLeft == 0 && headerCount == 0 }
    return outcome
  }

  private mutating func scan(_ bytes: UnsafeRawBufferPointer) -> Outcome {
    var index = 0
    while index < bytes.count {
      if payloadLeft > 0 {
        let count = min(payloadLeft, bytes.count - index)
        payloadLeft -= count
        index += count
        continue
      }
      header[headerCount] = bytes[index]
      headerCount += 1
      index += 1
      guard headerCount >= 2 else { continue }
      if headerCount == 2, let violation = judge() { return .violates(violation) }
      let short = Int(header[1] & 0x7f)
      let extended = short == 126 ? 2 : short == 127 ? 8 : 0
      guard headerCount == 2 + extended + (header[1] & 0x80 != 0 ? 4 : 0) else { continue }
      var length = UInt64(short)
      if extended > 0 {
        length = header[2..<2 + extended].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        if length < (extended == 2 ? 126 : 65_536) || length > UInt64(Int64.max) { return .violates(.length) }
      }
      guard length <= UInt64(clamping: limit) else { return .violates(.tooLarge) }
      frames &+= 1
      headerCount = 0
      payloadLeft = Int(clamping: length)
    }
    return .passes
  }

  /// The first two bytes of a header.
  private mutating func judge() -> Violation? {
    let isFinal = header[0] & 0x80 != 0
    let opcode = header[0] & 0x0f
    if header[0] & 0x30 != 0 || (header[0] & 0x40 != 0 && !allowsReserved) { return .reserved }
    if (header[1] & 0x80 != 0) != isFromClient { return isFromClient ? .unmasked : .masked }
    switch opcode {
    case 0:
      guard isFragmented else { return .continuation }
      if isFinal { isFragmented = false }
    case 1, 2:
      guard !isFragmented else { return .continuation }
      isFragmented = !isFinal
    case 8, 9, 10: if !isFinal || header[1] & 0x7f > 125 { return .control }
    default: return .reserved
    }
    return nil
  }
}
