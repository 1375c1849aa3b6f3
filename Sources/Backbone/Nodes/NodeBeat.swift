// What a node says ten times a second on `node.NODE.beat`: only what others decide by (`ServiceBoard`). All else is its
// `NodeStatus`. 24 bytes, little-endian: "KB", version, a byte of facts (state of service in the low four bits, then
// reluctant, then well), configuration (32 bit), lag and time (64 bit each). What isn't exactly so is refused, with what
// was found.

public import Continuity

/// A node's beat. The node is named by the subject, which its server has checked.
public struct NodeBeat: Sendable, Equatable {
  /// Why bytes are no beat.
  public enum Fault: Error, Sendable, Equatable, CustomStringConvertible {
    /// Another number of bytes than a beat has.
    case length(Int)
    /// It doesn't begin as a beat does.
    case magic(UInt16)
    /// A version that this program doesn't read.
    case version(UInt8)
    /// A state of service that isn't there, bits that mean nothing, or reluctance of one that doesn't serve.
    case facts(UInt8)

    /// For people: found, wanted, remedy.
    public var description: String {
      switch self {
      case .length(let count): "a beat of \(count) bytes; \(NodeBeat.byteCount) wanted"
      case .magic(let word): "no beat: it begins with \(word), \(NodeBeat.magic) wanted"
      case .version(let version):
        "a beat of version \(version); this program reads \(NodeBeat.version): run the same release on every node"
      case .facts(let byte): "a beat whose facts \(byte) contradict each other or aren't known"
      }
    }
  }

  /// Bytes of a beat.
  public static let byteCount = 24
  /// Version of the layout.
  public static let version: UInt8 = 1
  static let magic: UInt16 = 0x424B
  private static let reluctant: UInt8 = 0x10
  private static let well: UInt8 = 0x20

  /// Whether it serves.
  public var service: ServiceState
  /// It serves only because nobody else does.
  public var isReluctant: Bool
  /// Whether it is well by itself.
  public var isWell: Bool
  /// Hash of the estate that it runs.
  public var configuration: UInt32
  /// How late it is, nanoseconds.
  public var lag: UInt64
  /// When it was said by the node's own clock, nanoseconds since 1970: tells copies apart, nothing is decided by it.
  public var saidAt: UInt64

  /// A beat from its parts; reluctance counts of one that serves only.
  public init(
    service: ServiceState = .inService, isReluctant: Bool = false, isWell: Bool = true,
    configuration: UInt32 = 0, lag: UInt64 = 0, saidAt: UInt64 = 0
  ) {
    self.service = service
    self.isReluctant = isReluctant && service == .inService
    self.isWell = isWell
    self.configuration = configuration
    self.lag = lag
    self.saidAt = saidAt
  }

  /// Reads a beat.
  /// - Throws: `Fault` where it is none.
  public init(decoding bytes: UnsafeRawBufferPointer) throws(Fault) {
    guard bytes.count == Self.byteCount else { throw .length(bytes.count) }
    func load<Word: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, _: Word.Type) -> Word {
      Word(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Word.self))
    }
    let magic = load(0, UInt16.self)
    guard magic == Self.magic else { throw .magic(magic) }
    guard bytes[2] == Self.version else { throw .version(bytes[2]) }
    let facts = bytes[3]
    let isReluctant = facts & Self.reluctant != 0
    guard facts & 0xC0 == 0, let service = ServiceState(rawValue: facts & 0x0F),
      !isReluctant || service == .inService
    else { throw .facts(facts) }
    self.init(
      service: service, isReluctant: isReluctant, isWell: facts & Self.well != 0,
      configuration: load(4, UInt32.self), lag: load(8, UInt64.self), saidAt: load(16, UInt64.self))
  }

  /// The beat as it is sent.
  public var encoded: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.byteCount)
    func append(_ word: some FixedWidthInteger) {
      withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) }
    }
    append(Self.magic)
    append(Self.version)
    append(
      service.rawValue | (isReluctant && service == .inService ? Self.reluctant : 0)
        | (isWell ? Self.well : 0))
    append(configuration)
    append(lag)
    append(saidAt)
    return bytes
  }

  /// Whether what others decide by differs, but for figures and times.
  func differs(from other: NodeBeat?) -> Bool {
    service != other?.service || isReluctant != other?.isReluctant || isWell != other?.isWell
  }
}
