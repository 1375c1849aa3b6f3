// The ticks of a market as they are kept, for a store that was away: a durable consumer is pulled, its frames are merged
// as any stream's are, and the records come out in order, each once, as far as they are kept.
// Owner: one thread of the store's node; calls wait.

import Continuity
import Foundation
import MarketData
import TickerPlant

/// See the head of this file.
public final class KeptTicks {
  private let market: String
  private let bus: NatsBus
  private let domain: String?
  /// What came earlier in this process: what comes again after a failure is passed over.
  private var passed: KeptFrames?

  private var stream: String { "TICKS_" + StreamSubjects.word(market) }
  private var subject: String { "keep.ticks.\(market)" }

  /// The kept ticks of a market.
  /// - Parameter domain: JetStream domain of the server that keeps; nil = the one that the node is connected to.
  public init(market: String, bus: NatsBus, domain: String? = nil) {
    self.market = market
    self.bus = bus
    self.domain = domain
  }

  private func keep() throws(BusError) -> NatsKeep {
    guard let connection = bus.kept else {
      throw BusError("kept ticks of \(market): rail \(bus.rail) is \(bus.state)")
    }
    do throws(NatsError) { return try connection.keep(domain: domain, milliseconds: 3_000) } catch {
      throw BusError("kept ticks of \(market): \(error)")
    }
  }

  /// Makes the stream where it isn't there, and brings its limits to these. For stores.
  /// - Throws: `BusError` where the server that keeps can't be reached, or refuses.
  public func ensure(maximumBytes: Int64 = 16 << 30, maximumAgeSeconds: Int64 = 7 * 86_400) throws(BusError) {
    let keep = try keep()
    do throws(NatsError) {
      try keep.ensure(
        stream, subject: subject,
        KeptStreamLimits(
          maximumBytes: maximumBytes, maximumAgeSeconds: maximumAgeSeconds, duplicateSeconds: 600))
    } catch { throw BusError("kept ticks of \(market): \(error)") }
  }

  /// Takes what the store hasn't taken yet of what is kept when this begins; what comes meanwhile is the next call's.
  /// - Parameters:
  ///   - store: names the place of this store among the kept messages.
  ///   - configuration: hash of the node's configuration, as in the frames.
  ///   - isEnding: asked between pieces; true ends the call.
  ///   - deliver: gets records, valid during the call; what it has taken isn't given again.
  /// - Returns: frames that were taken.
  /// - Throws: `BusError` where the server that keeps can't be reached, or refuses.
  @discardableResult
  public func catchUp(
    store: String, configuration: UInt32, isEnding: () -> Bool = { false },
    deliver: (UnsafeRawBufferPointer, _ continues: Bool) -> Void
  ) throws(BusError) -> Int {
    let keep = try keep()
    var count = 0
    do {
      let consumer = try keep.consumer(StreamSubjects.word(store), stream: stream, subject: subject)
      var passed = passed ?? KeptFrames(configuration: configuration)
      defer { self.passed = passed }
      let last = try keep.bounds(of: stream).last
      while consumer.next <= last, !isEnding() {
        guard let taken = try consumer.fetch(256, milliseconds: 500, { passed.take($0, deliver: deliver) })
        else { break }
        count += taken
      }
    } catch { throw BusError("kept ticks of \(market): \(error)") }
    return count
  }
}

/// Kept frames one after the other: each record once, instruments numbered as they are named.
///
/// A merger would wait for what is missing; here what isn't kept is gone, and the next frame is taken all the same. A
/// frame that comes behind a later one (of the plant that lacked nothing) fills what was left out. An instrument that was
/// announced in a frame taken by an earlier process is announced by its code.
struct KeptFrames {
  private static let mostRanges = 1_000

  private let configuration: UInt32
  private var epoch: EpochKey?
  /// Messages whose records were given, ascending, apart from each other.
  private var given: [ClosedRange<UInt64>] = []
  private var ordinal: UInt64 = 0
  private var numbers: [UInt64: UInt32] = [:]
  private var out = RecordBytes()

  init(configuration: UInt32) { self.configuration = configuration }

  mutating func take(_ bytes: UnsafeRawBufferPointer, deliver: (UnsafeRawBufferPointer, Bool) -> Void) {
    guard let frame = try? StreamFrame(decoding: bytes), frame.header.kind == .records,
      frame.header.configuration == configuration, (try? frame.validateRecords()) != nil
    else { return }
    let header = frame.header
    out.removeAll()
    if header.epoch != epoch {
      epoch = header.epoch
      given = []
      ordinal += 1
      out.append(source(), MemoryLayout<UpdateHeader>.size)
      out.append(payload(header))
    }
    // Parts of one message have its number all, and each comes once: the server knows them by name.
    let isPart = header.flags.contains(.continues) || header.part > 0
    let records = frame.records
    guard let start = records.baseAddress else { return }
    var offset = 0
    while offset < records.count {
      var record = (start + offset).loadUnaligned(as: UpdateHeader.self)
      let size = Int(record.byteCount)
      defer { offset += size }
      guard isPart || !isGiven(record.sequence) else { continue }
      let code = frame.code(Int(record.instrument))
      if let number = numbers[code.rawValue] {
        record.instrument = number
        // Known here already: what is told of it is a fact.
        if record.kind == UpdateKind.instrument.rawValue { record.kind = UpdateKind.facts.rawValue }
      } else {
        let number = UInt32(numbers.count)
        numbers[code.rawValue] = number
        record.instrument = number
        if record.kind == UpdateKind.facts.rawValue || record.kind == UpdateKind.instrument.rawValue {
          record.kind = UpdateKind.instrument.rawValue
        } else {
          out.append(announcement(number, record), MemoryLayout<UpdateHeader>.size)
          out.append(FactsPayload(code: code))
        }
      }
      out.append(record, MemoryLayout<UpdateHeader>.size)
      out.append(
        UnsafeRawBufferPointer(
          start: start + offset + MemoryLayout<UpdateHeader>.size,
          count: size - MemoryLayout<UpdateHeader>.size))
    }
    if !header.flags.contains(.continues), header.through > header.from {
      give(header.flags.contains(.opens) ? 0...header.through : header.from + 1...header.through)
    }
    out.withBytes { if $0.count > 0 { deliver($0, header.flags.contains(.continues)) } }
  }

  private func isGiven(_ sequence: UInt64) -> Bool {
    guard let last = given.last, sequence <= last.upperBound else { return false }
    return given.contains { $0.contains(sequence) }
  }

  private mutating func give(_ range: ClosedRange<UInt64>) {
    var range = range
    given.removeAll { other in
      guard range.lowerBound <= other.upperBound &+ 1, other.lowerBound <= range.upperBound &+ 1 else {
        return false
      }
      range = min(range.lowerBound, other.lowerBound)...max(range.upperBound, other.upperBound)
      return true
    }
    given.insert(range, at: given.firstIndex { $0.lowerBound > range.lowerBound } ?? given.count)
    // Holes that old aren't filled any more.
    if given.count > Self.mostRanges {
      given.replaceSubrange(0...1, with: [given[0].lowerBound...given[1].upperBound])
    }
  }

  private func announcement(_ number: UInt32, _ record: UpdateHeader) -> UpdateHeader {
    UpdateHeader(
      kind: UpdateKind.instrument.rawValue, flags: 0,
      byteCount: UInt16(MemoryLayout<UpdateHeader>.size + MemoryLayout<FactsPayload>.size),
      instrument: number, sequence: record.sequence, time: record.time, receivedAt: record.receivedAt)
  }

  /// Nothing that is kept is a state told again, so that no quote is one: number 0.
  private func source() -> UpdateHeader {
    UpdateHeader(
      kind: UpdateKind.source.rawValue, flags: 0,
      byteCount: UInt16(MemoryLayout<UpdateHeader>.size + MemoryLayout<SourcePayload>.size), instrument: .max,
      sequence: 0, time: 0, receivedAt: 0)
  }

  private func payload(_ header: FrameHeader) -> SourcePayload {
    SourcePayload(
      state: UInt64(SourceState.recovering.rawValue), date: header.epoch.day, epochOrdinal: ordinal,
      gapFrom: 0,
      gapThrough: 0, sessionFirst: header.epoch.first, sessionSecond: header.epoch.second)
  }
}

/// Bytes one behind the other.
private struct RecordBytes {
  private var bytes: [UInt8] = []

  mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }
  mutating func append(_ header: UpdateHeader, _ size: Int) {
    withUnsafeBytes(of: header) { bytes.append(contentsOf: $0.prefix(size)) }
  }
  mutating func append(_ payload: some BitwiseCopyable) {
    withUnsafeBytes(of: payload) { bytes.append(contentsOf: $0) }
  }
  mutating func append(_ payload: UnsafeRawBufferPointer) { bytes.append(contentsOf: payload) }
  func withBytes(_ body: (UnsafeRawBufferPointer) -> Void) { bytes.withUnsafeBytes(body) }
}
