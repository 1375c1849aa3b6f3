// Why a feed file could not be read: path, offset, reason, and what to do about it.

/// A file that could not be read (on).
public struct FeedFileError: Error, Sendable, Hashable {
  /// What is wrong.
  public enum Reason: Sendable, Hashable {
    /// No file was named.
    case noFile
    /// The system refused.
    case system(action: String, explanation: String)
    /// A folder.
    case folder
    /// No bytes at all.
    case empty
    /// Compressed data is damaged or ends too early.
    case gzip(String)
    /// Neither ITCH messages nor a capture.
    case unrecognised(firstBytes: [UInt8])
    /// Named as a capture but isn't one.
    case notACapture(firstBytes: [UInt8])
  }

  /// The file.
  public var path: String
  /// Where in the file, as stored, reading stopped; nil where that has no meaning.
  public var offset: UInt64?
  /// What is wrong.
  public var reason: Reason

  /// An error from its parts.
  public init(path: String, offset: UInt64? = nil, reason: Reason) {
    self.path = path
    self.offset = offset
    self.reason = reason
  }
}

extension FeedFileError: CustomStringConvertible {
  /// Place, reason and remedy in a line.
  public var description: String {
    let place = offset.map { "\(path): offset \($0)" } ?? path
    switch reason {
    case .noFile: return "no file named; wanted at least one"
    case .system(let action, let explanation): return "\(place): can't \(action): \(explanation)"
    case .folder: return "\(place): is a folder; wanted a file of ITCH messages or a capture"
    case .empty: return "\(place): is empty; wanted ITCH messages or a capture"
    case .gzip(let what): return "\(place): gzip: \(what); fetch the file again, or test it with 'gzip -t'"
    case .unrecognised(let bytes):
      return "\(place): begins with \(Self.hex(bytes)); wanted TotalView-ITCH 5.0 messages (each with its"
        + " two-byte length before it), pcap or pcapng, plain or gzip"
    case .notACapture(let bytes):
      return "\(place): begins with \(Self.hex(bytes)); wanted the magic number of pcap or pcapng"
    }
  }

  private static func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
  }
}
