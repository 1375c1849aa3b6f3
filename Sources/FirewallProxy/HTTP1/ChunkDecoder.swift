// Reads the chunked transfer coding (RFC 9112 section 7.1): sizes strictly, extensions and trailers bounded and dropped.
// Invariant: the answer depends on the bytes alone, not on how they were cut.

import NIOCore

struct ChunkDecoder {
  enum Output {
    case data(ByteBuffer)
    case more
    case end
    case refused(Refusal)
  }

  private enum State {
    case size, extensions, sizeFeed, data, dataReturn, dataFeed
    case trailerStart, trailer, trailerFeed, lastFeed, end
  }

  /// Of one chunk, and of all chunks of a body.
  static let extensionBytes = 256
  static let allExtensionBytes = 16 << 10
  static let trailerBytes = 8 << 10
  /// 15 hexadecimal digits always fit.
  private static let sizeDigits = 15

  private var state = State.size
  private var size = 0
  private var digits = 0
  private var extensionCount = 0
  private var allExtensionCount = 0
  private var trailerCount = 0

  /// Takes what it can from `input`; to be called until it says `more`, `end` or `refused`.
  mutating func next(_ input: inout ByteBuffer) -> Output {
    while true {
      if state == .data {
        let count = min(size, input.readableBytes)
        guard count > 0, let data = input.readSlice(length: count) else { return .more }
        size -= count
        if size == 0 { state = .dataReturn }
        return .data(data)
      }
      if state == .end { return .end }
      guard let byte: UInt8 = input.readInteger() else { return .more }
      if let refusal = step(byte) { return .refused(refusal) }
    }
  }

  private mutating func step(_ byte: UInt8) -> Refusal? {
    switch state {
    case .size:
      if let digit = Self.hexadecimal(byte) {
        digits += 1
        guard digits <= Self.sizeDigits else { return .chunkSize }
        size = size << 4 | digit
      } else {
        guard digits > 0 else { return .chunkSize }
        switch byte {
        case 13: state = .sizeFeed
        case UInt8(ascii: ";"): state = .extensions
        default: return .chunkSize
        }
      }
    case .extensions:
      if byte == 13 {
        state = .sizeFeed
      } else {
        extensionCount += 1
        allExtensionCount += 1
        guard extensionCount <= Self.extensionBytes, allExtensionCount <= Self.allExtensionBytes,
          Octets.classes[Int(byte)] & Octets.value != 0
        else { return .chunkExtension }
      }
    case .sizeFeed:
      guard byte == 10 else { return .chunkSize }
      state = size == 0 ? .trailerStart : .data
      digits = 0
      extensionCount = 0
    case .dataReturn:
      guard byte == 13 else { return .chunkEnd }
      state = .dataFeed
    case .dataFeed:
      guard byte == 10 else { return .chunkEnd }
      state = .size
    case .trailerStart:
      if byte == 13 {
        state = .lastFeed
      } else {
        guard Octets.classes[Int(byte)] & Octets.token != 0 else { return .trailer }
        state = .trailer
        return countTrailer()
      }
    case .trailer:
      if byte == 13 {
        state = .trailerFeed
      } else {
        guard Octets.classes[Int(byte)] & Octets.value != 0 else { return .trailer }
      }
      return countTrailer()
    case .trailerFeed:
      guard byte == 10 else { return .trailer }
      state = .trailerStart
      return countTrailer()
    case .lastFeed:
      guard byte == 10 else { return .trailer }
      state = .end
    case .data, .end: break
    }
    return nil
  }

  private mutating func countTrailer() -> Refusal? {
    trailerCount += 1
    return trailerCount <= Self.trailerBytes ? nil : .trailerTooLarge
  }

  private static func hexadecimal(_ byte: UInt8) -> Int? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): Int(byte - UInt8(ascii: "a")) + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): Int(byte - UInt8(ascii: "A")) + 10
    default: nil
    }
  }

  /// Writes a chunk's first line.
  static func writeSize(_ count: Int, to out: inout ByteBuffer) {
    var shift = 60
    while shift > 0, count >> shift == 0 { shift -= 4 }
    while shift >= 0 {
      let digit = UInt8(truncatingIfNeeded: count >> shift & 15)
      out.writeInteger(digit < 10 ? digit + UInt8(ascii: "0") : digit - 10 + UInt8(ascii: "a"))
      shift -= 4
    }
    out.writeStaticString("\r\n")
  }
}
