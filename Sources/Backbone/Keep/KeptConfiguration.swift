// The estate as its operator published it, kept on `keep.configuration`: its text, version and configuration number. A later
// one must have a higher version, so that two can't be meant by one word. Nodes run what their own file says, and say where
// that is another (`ConfigurationWatch`).

public import Estate
import Foundation

/// See the head of this file.
public struct KeptConfiguration: Sendable, Equatable, Codable {
  /// Version of this layout.
  public var layout = 1
  /// The estate's name.
  public var estate: String
  /// Its version.
  public var version: Int
  /// Its configuration number.
  public var configuration: UInt32
  /// When it was published, nanoseconds since 1970.
  public var publishedAt: UInt64
  /// The file's text.
  public var text: String

  /// An estate to be kept.
  public init(_ estate: Estate, text: String, publishedAt: UInt64) {
    self.estate = estate.name
    version = estate.version
    configuration = estate.configurationHash
    self.publishedAt = publishedAt
    self.text = text
  }

  /// What comes from elsewhere is looked at before it is believed: name, version and number must be those of the text.
  /// - Returns: nil where they aren't, or the bytes are none.
  init?(decoding bytes: UnsafeRawBufferPointer) {
    guard let kept = try? JSONDecoder().decode(KeptConfiguration.self, from: Data(bytes)), kept.layout == 1,
      let estate = EstateFile.read(kept.text).estate, estate.name == kept.estate,
      estate.version == kept.version, estate.configurationHash == kept.configuration
    else { return nil }
    self = kept
  }

  var encoded: [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Numbers and strings alone: there is nothing that can't be written.
    return (try? encoder.encode(self)).map { Array($0) } ?? []
  }
}

/// What one rail's server keeps of it. Calls wait; one thread.
public final class ConfigurationKeep {
  private static let stream = "KEEP_CONFIGURATION"
  static let subject = "keep.configuration"
  private let bus: NatsBus
  private let domain: String?

  /// The kept configuration of a rail.
  /// - Parameter domain: JetStream domain of the server that keeps; nil = the one that the bus is connected to.
  public init(bus: NatsBus, domain: String? = nil) {
    self.bus = bus
    self.domain = domain
  }

  /// Makes the stream where it isn't there: for stores and the operator, who may.
  /// - Throws: `BusError` where the server that keeps can't be reached, or refuses.
  public func ensure() throws(BusError) {
    try bus.withKeep(domain, "kept configuration") { keep throws(NatsError) in
      var limits = KeptStreamLimits(maximumBytes: 64 << 20, maximumAgeSeconds: 0, duplicateSeconds: 120)
      limits.maximumOfSubject = 1
      try keep.ensure(Self.stream, subject: Self.subject, limits)
    }
  }

  /// What is kept.
  /// - Returns: nil: nothing is.
  /// - Throws: `BusError` where the server that keeps can't be reached, or what it keeps is no estate.
  public func last() throws(BusError) -> KeptConfiguration? { try lastAndNumber().kept }

  private func lastAndNumber() throws(BusError) -> (kept: KeptConfiguration?, number: UInt64) {
    let (bytes, number) = try bus.withKeep(domain, "kept configuration") { keep throws(NatsError) in
      try keep.last(of: Self.subject, stream: Self.stream)
    }
    guard let bytes else { return (nil, 0) }
    guard let kept = bytes.withUnsafeBytes({ KeptConfiguration(decoding: $0) }) else {
      throw BusError(
        "kept configuration: rail \(bus.rail) keeps \(bytes.count) bytes that are no estate of this program's; "
          + "publish one with a higher version")
    }
    return (kept, number)
  }

  /// What came of publishing.
  public enum Outcome: Sendable, Equatable {
    /// It is kept.
    case kept
    /// The same was kept already.
    case already
    /// It isn't: why, and what to do.
    case refused(String)
  }

  /// Publishes, unless a later version is kept, or another estate under the same version.
  /// - Throws: `BusError` where the server that keeps can't be reached, or somebody else published meanwhile.
  public func publish(_ wanted: KeptConfiguration) throws(BusError) -> Outcome {
    try ensure()
    let (kept, number) = try lastAndNumber()
    if let kept {
      if kept.estate == wanted.estate, kept.version == wanted.version,
        kept.configuration == wanted.configuration
      {
        return .already
      }
      if kept.estate != wanted.estate {
        return .refused(
          "rail \(bus.rail) keeps estate \(kept.estate), this is \(wanted.estate): wanted the servers of one estate"
        )
      }
      if kept.version >= wanted.version {
        return .refused(
          "rail \(bus.rail) keeps version \(kept.version), this is version \(wanted.version)"
            + (kept.version == wanted.version ? " with other contents" : "")
            + ": wanted a higher one; raise `version:` to \(kept.version + 1)")
      }
    }
    let bytes = wanted.encoded
    try bus.withKeep(domain, "kept configuration") { keep throws(NatsError) in
      try keep.put(Self.subject, stream: Self.stream, bytes, after: number)
    }
    return .kept
  }
}
