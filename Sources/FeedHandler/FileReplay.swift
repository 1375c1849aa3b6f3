// Recorded files through a plant of their own at full speed: what `kabuto digest` and `kabuto books` do.

import FeedProtocols
import Foundation
import MarketData
public import TickerPlant

/// Files and the plant they go through.
public struct FileReplay: ~Copyable {
  /// The plant; its state is that after the last message.
  public var plant: TickerPlant
  /// Bytes that were no message, and the first reports of them.
  public private(set) var badCount: UInt64 = 0
  /// The first reports, at most 20.
  public private(set) var bad: [BadMessage] = []
  /// Messages that are missing.
  public private(set) var missing: UInt64 = 0
  /// Records the plant made, bytes: a listener's work.
  public private(set) var recordBytes: UInt64 = 0
  private let paths: [String]

  /// Opens files that follow one another, with the reference data beside them.
  /// - Throws: `FeedSetupError`.
  public init(paths: [String], reference: String?) throws(FeedSetupError) {
    var files = FeedAddress.Files(paths: paths)
    files.facts.reference = reference
    let prepared = try PreparedFeed(
      .itch(files), text: paths.joined(separator: ","), keepsState: false, anyFormat: true)
    self.paths = paths
    plant = TickerPlant(
      PlantConfiguration(
        market: prepared.market, date: prepared.date, reference: prepared.reference,
        expectedOrders: 1 << 10, expectedInstruments: 64))
  }

  /// Plays everything.
  /// - Parameters:
  ///   - progress: bytes done and in all; called now and then.
  ///   - eachMessage: called after each message with the plant and the message's number in the input, from 1. Nil
  ///     lets runs go through as a whole, which is much faster.
  /// - Throws: `FeedSetupError` where the input can't be read on.
  public mutating func run(
    progress: (UInt64, UInt64) -> Void, eachMessage: ((borrowing TickerPlant, UInt64, UInt64) -> Void)? = nil
  ) throws(FeedSetupError) {
    do throws(FeedFileError) {
      let file = try FeedFile(paths: paths)
      var session = plant.session
      var day = plant.date
      var steps = 0
      while true {
        steps += 1
        if steps % 64 == 0 { progress(file.bytesDone, file.totalBytes) }
        switch try file.next(maxMessages: 512) {
        case .messages(let run):
          if run.startsDay {
            day = day.nextWeekday
            plant.beginEpoch(session: session, date: day)
          }
          if let eachMessage {
            one(run, eachMessage)
          } else {
            plant.apply(framed: run.bytes, firstSequence: run.firstSequence)
          }
        case .bad(let report):
          badCount += 1
          if bad.count < 20 { bad.append(report) }
          if let sequence = report.sequence { plant.applyMalformed(sequence: sequence) }
        case .gap(_, let from, let through):
          missing =
            missing.addingReportingOverflow(through &- from &+ 1).overflow
            ? .max : missing + (through &- from &+ 1)
          plant.declareGap(from: from, through: through)
        case .session(let name):
          if name != session {
            session = name
            plant.beginEpoch(session: name, date: day)
          }
        case .end:
          progress(file.totalBytes, file.totalBytes)
          return
        }
        recordBytes += UInt64(plant.updates.bytes.count)
        plant.updates.removeAll()
      }
    } catch { throw FeedSetupError("\(error)") }
  }

  private mutating func one(
    _ run: MessageRun, _ eachMessage: (borrowing TickerPlant, UInt64, UInt64) -> Void
  ) {
    guard let base = run.bytes.baseAddress else { return }
    var offset = 0
    var index: UInt64 = 0
    while offset + 2 <= run.bytes.count {
      let length = 2 + Int(base.loadUnaligned(fromByteOffset: offset, as: UInt16.self).bigEndian)
      guard offset + length <= run.bytes.count else { return }
      plant.apply(
        framed: UnsafeRawBufferPointer(start: base + offset, count: length),
        firstSequence: run.firstSequence + index)
      // The message's own time, also where it could not be applied.
      let high = UInt64(base.loadUnaligned(fromByteOffset: offset + 7, as: UInt16.self).bigEndian)
      let low = UInt64(base.loadUnaligned(fromByteOffset: offset + 9, as: UInt32.self).bigEndian)
      eachMessage(plant, run.firstFileMessageNumber + index, high << 32 | low)
      offset += length
      index += 1
    }
  }
}
