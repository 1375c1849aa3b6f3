// "No allocation per record" is counted, not believed (as TickerPlantTests/AllocationTests does it: glibc's own tracer, in
// a process in which nothing else runs).

import Foundation
import MarketData
import Testing
import TickerPlant

@testable import Continuity

private enum Tracer {
  static let library = "libc_malloc_debug.so.0"

  static let isThere: Bool = {
    guard let handle = dlopen(library, RTLD_LAZY) else { return false }
    dlclose(handle)
    return true
  }()

  static let isReplaced = ProcessInfo.processInfo.environment["KABUTO_SANITIZER"] != nil
}

// Bound at link time: `dlsym` would find the C library's own, which do nothing.
@_silgen_name("mtrace") private func beginTrace()
@_silgen_name("muntrace") private func endTrace()

/// Batches of records of two days, and a publisher and a merger that take them; both streams of the merger get each
/// frame, as two rails bring it.
private final class Path {
  var publisher: StreamPublisher
  var merger: StreamMerger
  let streams: [Int]
  var records = 0
  var frames = 0

  var position: UInt64 { merger.position?.sequence ?? 0 }

  init() {
    var configuration = StreamPublisher.Configuration(configuration: 7, incarnation: 1)
    configuration.frameBytes = 4096
    configuration.historyBytes = 64 << 10
    publisher = StreamPublisher(configuration)
    merger = StreamMerger(StreamMerger.Configuration(configuration: 7))
    streams = [merger.addStream("a"), merger.addStream("b")]
  }

  func take(_ batch: [UInt8]) {
    batch.withUnsafeBytes { raw in
      publisher.take(raw, tag: 0, at: 1, wall: 1) { pass($1) }
    }
    publisher.flush(at: 1, wall: 1) { pass($1) }
  }

  private func pass(_ frame: UnsafeRawBufferPointer) {
    frames += 1
    for stream in streams {
      merger.take(frame, stream: stream, at: 1) { records, _ in self.records += records.count }
    }
  }
}

@Suite(.serialized) struct AllocationTests {
  static func day(_ plant: inout TickerPlant, _ messages: [[UInt8]], _ date: CalendarDate) -> [[UInt8]] {
    var batches: [[UInt8]] = []
    plant.beginEpoch(session: "S", date: date)
    for start in stride(from: 0, to: messages.count, by: 16) {
      plant.apply(messages[start..<min(messages.count, start + 16)], first: UInt64(start + 1))
      batches.append([UInt8](plant.updates.bytes))
      plant.updates.removeAll()
    }
    return batches
  }

  @Test(
    .enabled(if: Tracer.isThere, "glibc's malloc tracer isn't installed"),
    .disabled(if: Tracer.isReplaced, "a sanitizer has put its own malloc in place of the one that is traced"))
  func aWarmPathAllocatesNothingForARecord() async throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(
      "kabuto-\(UUID().uuidString).mtrace")
    setenv("LD_PRELOAD", Tracer.library, 1)
    setenv("MALLOC_TRACE", file.path, 1)
    let seedBefore = ProcessInfo.processInfo.environment["KABUTO_SEED"]
    setenv("KABUTO_SEED", String(runSeed, radix: 16), 1)
    defer {
      if seedBefore == nil { unsetenv("KABUTO_SEED") }
      unsetenv("LD_PRELOAD")
      unsetenv("MALLOC_TRACE")
      try? FileManager.default.removeItem(at: file)
    }
    let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
      let messages = dayMessages(seed: runSeed, instruments: 5, messages: 6_000)
      var plant = newPlant()
      let days = [
        AllocationTests.day(&plant, messages, testDate),
        AllocationTests.day(&plant, messages, testDate.nextWeekday),
      ]
      let path = Path()
      for batch in days[0] { path.take(batch) }
      // The day's first batch: the epoch begins, which may allocate.
      path.take(days[1][0])
      let before = path.records
      path.frames = 0
      beginTrace()
      for batch in days[1].dropFirst() { path.take(batch) }
      endTrace()
      let counted = AllocationTests.lines()
      let sizes = AllocationTests.sizes()
      // The canary: a tracer that counts nothing would prove nothing.
      beginTrace()
      for _ in 0..<10 { UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 8).deallocate() }
      endTrace()
      let canaries = AllocationTests.lines()
      print(
        "AllocationTests: \(counted) allocations in \(path.records - before) bytes of records, canary \(canaries), \(sizes)"
      )
      #expect(path.position > 5_000)
      #expect(path.records - before > 500_000)
      #expect(canaries >= 10)
      // Unoptimised, accessors of arrays allocate their own frames, a dozen for each frame of the stream; of the records
      // none may.
      #expect(counted <= 12 * path.frames, "\(sizes)")
    }
    print(String(decoding: result?.standardOutputContent ?? [], as: UTF8.self))
  }

  /// The commonest sizes in the trace, and how often each was asked for.
  static func sizes() -> String {
    guard let path = ProcessInfo.processInfo.environment["MALLOC_TRACE"],
      let text = try? String(contentsOfFile: path, encoding: .utf8)
    else { return "no trace" }
    var counts: [Substring: Int] = [:]
    for line in text.split(separator: "\n") where line.contains("] + ") || line.contains("] > ") {
      counts[line.split(separator: " ").last ?? "", default: 0] += 1
    }
    return counts.sorted { $0.value > $1.value }.prefix(8).map { "\($0.key): \($0.value)" }.joined(
      separator: ", ")
  }

  /// Allocations in the trace.
  static func lines() -> Int {
    guard let path = ProcessInfo.processInfo.environment["MALLOC_TRACE"],
      let text = try? String(contentsOfFile: path, encoding: .utf8)
    else { return -1 }
    return text.split(separator: "\n").filter { $0.contains("] + ") || $0.contains("] > ") }.count
  }
}
