// What tenants used, as it is kept by one rail's server: the stream, and reading it. Owner: one thread; calls wait.

import Foundation

/// See the head of this file.
public final class KeptUsage {
  private static let stream = "KEEP_USAGE"
  private let bus: NatsBus
  private let domain: String?

  /// The kept usage of a rail.
  /// - Parameter domain: JetStream domain of the server that keeps; nil = the one that the bus is connected to.
  public init(bus: NatsBus, domain: String? = nil) {
    self.bus = bus
    self.domain = domain
  }

  /// Makes the stream where it isn't there: for stores and the operator, who may.
  /// - Throws: `BusError` where the server that keeps can't be reached, or refuses.
  public func ensure(maximumBytes: Int64 = 1 << 30, maximumAgeSeconds: Int64 = 400 * 86_400) throws(BusError)
  {
    try bus.withKeep(domain, "kept usage") { keep throws(NatsError) in
      try keep.ensure(
        Self.stream, subject: "keep.usage.*",
        KeptStreamLimits(
          maximumBytes: maximumBytes, maximumAgeSeconds: maximumAgeSeconds, duplicateSeconds: 3_600))
    }
  }

  /// Reads what was kept at a time or later.
  /// - Parameters:
  ///   - from: nanoseconds since 1970; nil = all. A minute's record is kept after the minute.
  ///   - sums: gets each record.
  /// - Throws: `BusError` where the server that keeps can't be reached, or refuses.
  public func read(from: Int64?, into sums: inout UsageSums) throws(BusError) {
    var found = sums
    defer { sums = found }
    try bus.withKeep(domain, "kept usage") { keep throws(NatsError) in
      // A reader of its own, gone with the reading: two who read at once don't take from each other.
      let name = "read-\(UInt64.random(in: 0...(.max)))"
      defer { keep.removeConsumer(name, stream: Self.stream) }
      let consumer = try keep.consumer(
        name, stream: Self.stream, subject: "keep.usage.*", from: from, inactiveSeconds: 300)
      while try consumer.read(256, milliseconds: 1_000, { found.add($0) }) != nil {}
    }
  }
}
