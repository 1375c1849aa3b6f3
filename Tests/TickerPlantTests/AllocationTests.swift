import FeedProtocols
import Foundation
import MarketData
import Testing

@testable import TickerPlant

// "No allocation per message" is counted, not believed. glibc's own tracer writes a line for each malloc, realloc
// and free; it works where libc_malloc_debug is loaded first, so the count is made in a process of its own (an exit
// test), in which nothing else runs. mallinfo would show what stays allocated, but not what is freed at once.
// Broken trades (figures are worked out anew) and new days may allocate: they are left out.

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

@Suite(.serialized) struct AllocationTests {
  /// 100,000 right messages, framed, in four parts whose order numbers differ.
  static func messages() -> [UInt8] {
    var stream = RandomStream(generator("allocations"), wrongPercent: 0)
    stream.hasNewDays = false
    var part: [[UInt8]] = []
    while part.count < 25_000 {
      let message = stream.next()
      if message[0] != BrokenTrade.type { part.append(framed(message)) }
    }
    var bytes: [UInt8] = []
    for number in 0..<4 as Range<UInt8> {
      for var frame in part {
        // Order numbers stand at offset 11, and in a replacement at 19 too.
        if "AFECXDU".utf8.contains(frame[2]) { frame[2 + 11] = number + 1 }
        if frame[2] == OrderReplace.type { frame[2 + 19] = number + 1 }
        bytes += frame
      }
    }
    return bytes
  }

  @Test(
    .enabled(if: Tracer.isThere, "glibc's malloc tracer isn't installed"),
    .disabled(if: Tracer.isReplaced, "a sanitizer has put its own malloc in place of the one that is traced"))
  func aWarmPlantAllocatesNothingPerMessage() async throws {
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
      let bytes = AllocationTests.messages()
      let box = Box(session: "S")
      func pass() {
        bytes.withUnsafeBytes { raw in
          var offset = 0
          var sequence: UInt64 = 1
          // As a feed thread does it: a batch, then its records are handed on.
          while offset < raw.count {
            var end = offset
            var count: UInt64 = 0
            while end < raw.count, count < 64 {
              end += 2 + Int(raw[end]) << 8 + Int(raw[end + 1])
              count += 1
            }
            _ = box.plant.apply(
              framed: UnsafeRawBufferPointer(rebasing: raw[offset..<end]), firstSequence: sequence,
              receivedAt: 1)
            sequence += count
            offset = end
            box.plant.updates.removeAll()
          }
        }
      }
      pass()
      box.plant.beginEpoch(session: "S", date: box.plant.date.nextWeekday)
      box.plant.updates.removeAll()
      let canary = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 8)
      beginTrace()
      pass()
      endTrace()
      let counted = AllocationTests.lines()
      // The canary: a tracer that counts nothing would prove nothing.
      beginTrace()
      for _ in 0..<10 { UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 8).deallocate() }
      endTrace()
      canary.deallocate()
      let canaries = AllocationTests.lines()
      print(
        "AllocationTests: \(counted) allocations in \(box.plant.counters.messages / 2) messages, canary \(canaries)"
      )
      #expect(box.plant.counters.messages == 200_000)
      #expect(box.plant.counters.unknownOrders < 60_000 && box.plant.counters.trades > 10_000)
      #expect(canaries >= 10)
      #expect(counted == 0)
    }
    print(String(decoding: result?.standardOutputContent ?? [], as: UTF8.self))
  }

  /// Allocations in the trace.
  static func lines() -> Int {
    guard let path = ProcessInfo.processInfo.environment["MALLOC_TRACE"],
      let text = try? String(contentsOfFile: path, encoding: .utf8)
    else { return -1 }
    return text.split(separator: "\n").filter { $0.contains("] + ") || $0.contains("] > ") }.count
  }
}
