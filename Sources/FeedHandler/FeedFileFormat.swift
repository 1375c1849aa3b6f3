// What a file holds, by its content: a capture by its magic number, ITCH by messages that stand where they should.

import FeedProtocols

extension FeedFile {
  /// The format of a file that begins with `content`.
  /// - Throws: `FeedFileError` where it is none of those read.
  static func format(
    of content: RawSpan, path: String, expecting expectation: Expectation
  ) throws(FeedFileError) -> Format {
    let capture = CaptureReader.format(of: content)
    switch expectation {
    case .itch: return .itch
    case .capture:
      guard let capture else {
        throw FeedFileError(path: path, offset: 0, reason: .notACapture(firstBytes: first(of: content)))
      }
      return capture == .pcap ? .pcap : .pcapng
    case .any:
      if let capture { return capture == .pcap ? .pcap : .pcapng }
      guard looksLikeITCH(content) else {
        throw FeedFileError(path: path, offset: 0, reason: .unrecognised(firstBytes: first(of: content)))
      }
      return .itch
    }
  }

  private static func first(of content: RawSpan) -> [UInt8] {
    (0..<min(8, content.byteCount)).map { content.u8($0) }
  }

  /// The first frame is right as far as it goes, or somewhere in the window two messages stand in a row.
  private static func looksLikeITCH(_ content: RawSpan) -> Bool {
    if content.byteCount == 2, content.u16(0) == 0 { return true }
    if frame(in: content, at: 0) != nil { return true }
    for place in 0..<max(0, content.byteCount - 3) {
      if let next = frame(in: content, at: place), frame(in: content, at: next) != nil { return true }
    }
    return false
  }

  /// Where the frame after the one at `place` begins; nil where there is none at `place`.
  private static func frame(in content: RawSpan, at place: Int) -> Int? {
    guard content.byteCount - place >= 3 else { return nil }
    let type = content.u8(place + 2)
    guard let length = ITCHMessageTable.byteCount(ofType: type) else { return nil }
    let prefix = Int(content.u16(place))
    guard prefix == length || prefix == 0 else { return nil }
    return place + 2 + length
  }
}
