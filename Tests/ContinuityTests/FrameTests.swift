// Frames: what is written is read, and nothing that isn't a frame is taken for one.

import MarketData
import Testing
import TickerPlant

@testable import Continuity

@Suite struct FrameTests {
  static let frames = StreamTests.frames(
    Array(dayMessages(seed: runSeed, instruments: 3, messages: 400).prefix(400)), batch: 20, frameBytes: 3000,
    beats: true)

  static func decode(_ bytes: [UInt8]) -> Result<FrameHeader, FrameError> {
    bytes.withUnsafeBytes { raw in
      do throws(FrameError) {
        let frame = try StreamFrame(decoding: raw)
        try frame.validateRecords()
        return .success(frame.header)
      } catch { return .failure(error) }
    }
  }

  @Test func theChainHasNoHole() throws {
    var told: UInt64 = 0
    var hasOpened = false
    for bytes in Self.frames {
      let header = try Self.decode(bytes).get()
      #expect(header.configuration == 7 && header.incarnation == 1)
      #expect(header.epoch.name == EpochName(session: "DAY1", date: testDate))
      guard header.kind == .records else {
        #expect(header.kind == .beat && header.through == told)
        continue
      }
      #expect(header.from == told)
      #expect(header.flags.contains(.opens) == !hasOpened)
      if header.flags.contains(.continues) { continue }
      hasOpened = true
      told = header.through
    }
    #expect(told > 0)
  }

  @Test func headersAreReadAsTheyWereWritten() throws {
    var random = generator("headers")
    fuzz(rounds: 200) {
      let header = FrameHeader(
        kind: random.pick(FrameKind.allCases.filter { $0 != .beat }),
        flags: FrameFlags(rawValue: UInt8(random.below(16))),
        state: random.pick([.live, .gap, .silent, .recovering, .ended]),
        configuration: UInt32(random.below(1 << 32)),
        incarnation: random.next(),
        epoch: EpochKey(
          EpochName(session: String("ABCDEFGHIJKLMNOPQRST".prefix(random.below(21))), date: testDate)),
        from: 5, through: UInt64(5 + random.below(1000)), sentAt: random.next(), gapFrom: random.next(),
        gapThrough: random.next(), part: UInt32(random.below(1 << 32)))
      var builder = FrameBuilder()
      var out = ByteStore()
      builder.finish(header, into: &out)
      #expect(Self.decode([UInt8](out.bytes)) == .success(header))
    }
  }

  @Test func errorsNameThePlace() {
    let good = Self.frames.first { Self.decode($0).map(\.kind) == .success(.records) && $0.count > 400 } ?? []
    func broken(_ change: (inout [UInt8]) -> Void) -> FrameError? {
      var bytes = good
      change(&bytes)
      if case .failure(let error) = Self.decode(bytes) { return error }
      return nil
    }
    #expect(broken { _ in } == nil)
    #expect(broken { $0[0] = 0 } == FrameError(offset: 0, reason: .magic))
    #expect(broken { $0[2] = 9 } == FrameError(offset: 2, reason: .layoutVersion))
    #expect(broken { $0[3] = 9 } == FrameError(offset: 3, reason: .unknownValue))
    #expect(broken { $0[5] = 9 } == FrameError(offset: 5, reason: .unknownValue))
    #expect(broken { $0.removeLast() }?.reason == .short)
    #expect(broken { $0.append(0) }?.reason == .long)
    #expect(broken { $0.removeLast($0.count - 50) } == FrameError(offset: 50, reason: .short))
    #expect(broken { $0[27] = 0x7f }?.reason == .day)
    #expect(broken { $0[32 + 6] = 1 }?.reason == .order)
    let records = 104 + 8 * Int(good[12])
    #expect(broken { $0[records] = 8 } == FrameError(offset: records, reason: .recordKind))
    #expect(broken { $0[records + 2] &+= 8 } == FrameError(offset: records + 2, reason: .recordSize))
    #expect(broken { $0[records + 4] = 200 } == FrameError(offset: records + 4, reason: .instrument))
    #expect(broken { $0[records + 15] = 1 } == FrameError(offset: records + 8, reason: .sequence))
    #expect(broken { $0[12] = 0 }?.description.contains("byte") == true)
  }

  /// Whatever is accepted can be walked, applied and looked at.
  @Test func noBytesDoHarm() {
    var random = generator("frames")
    let frames = Self.frames
    var accepted = 0
    fuzz(rounds: 3_000) {
      var bytes = random.pick(frames)
      for _ in 0..<1 + random.below(4) {
        switch random.below(4) {
        case 0: bytes.removeLast(random.below(bytes.count))
        case 1: bytes += Array(repeating: UInt8(random.below(256)), count: random.below(64))
        default: if !bytes.isEmpty { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
        }
        if bytes.isEmpty { bytes = [0] }
      }
      if case .success = Self.decode(bytes) { accepted += 1 }
      var merger = StreamMerger(StreamMerger.Configuration(configuration: 7))
      let stream = merger.addStream("fuzz")
      let view = MarketView()
      for frame in frames.prefix(3) + [bytes] + frames.suffix(2) {
        frame.withUnsafeBytes { raw in
          merger.take(raw, stream: stream, at: 1) { view.take($0, continues: $1) }
        }
      }
      _ = view.sum
      if view.faults.contains(where: { $0.contains("bytes behind") || $0.contains("nobody announced") }) {
        Issue.record("\(seedNote): \(view.faults)")
      }
    }
    #expect(accepted > 0)
  }
}

/// The line that repeats a run.
var seedNote: String { "KABUTO_SEED=\(String(runSeed, radix: 16))" }
