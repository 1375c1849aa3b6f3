// What the backbone costs: KABUTO_MEASURE=1 makes this print throughput and latency of a hop in process and over NATS,
// and of kept messages on disk. Nothing is asserted of times. Figures of a debug build are an upper bound.

import Foundation
import Synchronization
import Testing

@testable import Backbone

@Suite(
  .enabled(if: ProcessInfo.processInfo.environment["KABUTO_MEASURE"] != nil && MessageServer.isThere),
  .serialized)
struct Measurement {
  /// Latencies, nanoseconds.
  final class Times: Sendable {
    private let list = Mutex<[UInt64]>([])
    private let number = Atomic<Int>(0)
    var count: Int { number.load(ordering: .relaxed) }

    func add(_ payload: UnsafeRawBufferPointer) {
      number.wrappingAdd(1, ordering: .relaxed)
      let sent = payload.loadUnaligned(as: UInt64.self)
      guard sent > 0 else { return }
      let took = Clock.monotonic() - sent
      list.withLock { $0.append(took) }
    }

    func quantiles() -> String {
      let sorted = list.withLock { $0.sorted() }
      guard !sorted.isEmpty else { return "none" }
      func at(_ part: Double) -> UInt64 {
        sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))] / 1_000
      }
      return "p50 \(at(0.5)) us, p99 \(at(0.99)) us, max \(at(1)) us"
    }
  }

  @Test(arguments: BusTests.kinds) func aHop(kind: BusTests.Kind) async throws {
    for size in [128, 4_096, 32_768] {
      let pair = try await BusTests.Pair(kind)
      defer { pair.close() }
      let times = Times()
      let subscription = try pair.second.subscribe("px.>") { times.add($0.payload) }
      var payload = [UInt8](repeating: 0, count: size)
      #expect(
        await eventually {
          pair.first.publish("px.X.n1.all", bytes: payload)
          return times.count > 0
        })
      // A thousand a second, each with the time at which it left.
      for _ in 0..<3_000 {
        payload.withUnsafeMutableBytes { $0.storeBytes(of: Clock.monotonic(), as: UInt64.self) }
        pair.first.publish("px.X.n1.all", bytes: payload)
        usleep(1_000)
      }
      _ = await eventually(seconds: 5) { times.count >= 3_000 }
      let latency = times.quantiles()
      // As many as go through: what finds no room is sent again.
      payload.withUnsafeMutableBytes { $0.storeBytes(of: 0, as: UInt64.self) }
      let before = times.count
      let wanted = size > 10_000 ? 20_000 : 200_000
      let begin = Clock.monotonic()
      for number in 0..<wanted {
        while !payload.withUnsafeBytes({
          pair.first.publish("px.X.n1.all", reply: nil, $0, more: number % 16 != 15)
        }) {
          pair.first.flush()
          usleep(100)
        }
      }
      pair.first.flush()
      _ = await eventually(seconds: 60) { times.count - before >= wanted }
      let seconds = Double(Clock.monotonic() - begin) / 1e9
      let rate = Double(times.count - before) / seconds
      print(
        "MEASURE hop \(kind.rawValue) \(size) bytes: \(latency) at 1,000/s; \(Int(rate)) messages/s, "
          + "\(Int(rate * Double(size) / 1e6)) MB/s, \(wanted - (times.count - before)) lost")
      withExtendedLifetime(subscription) {}
    }
  }

  @Test func kept() async throws {
    let server = try MessageServer(KeepTests.jetStream)
    let bus = try NatsBus(server.settings(name: "n1"))
    defer { bus.close() }
    #expect(await eventually { bus.state.isConnected })
    try KeptTicks(market: "XTKS", bus: bus).ensure(maximumBytes: 1 << 30)
    let counter = Counter()
    let subscription = try bus.subscribe("_INBOX.n1.k") { _ in counter.add() }
    let payload = [UInt8](repeating: 1, count: 16_384)
    let begin = Clock.monotonic()
    let wanted = 5_000
    for number in 0..<wanted {
      while number - counter.value > 256 { usleep(50) }
      payload.withUnsafeBytes {
        _ = bus.publish("keep.ticks.XTKS", reply: "_INBOX.n1.k", id: "\(number)", $0)
      }
    }
    _ = await eventually(seconds: 60) { counter.value >= wanted }
    let seconds = Double(Clock.monotonic() - begin) / 1e9
    print(
      "MEASURE kept on disk 16,384 bytes: \(Int(Double(counter.value) / seconds)) acknowledged/s, "
        + "\(Int(Double(counter.value) * 16_384 / seconds / 1e6)) MB/s")
    withExtendedLifetime(subscription) {}
  }

  final class Counter: Sendable {
    private let number = Atomic<Int>(0)
    var value: Int { number.load(ordering: .relaxed) }
    func add() { number.wrappingAdd(1, ordering: .relaxed) }
  }
}
