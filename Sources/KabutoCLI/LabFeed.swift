// The feed's file as a client would be told it that gets every update: the truth of the laboratory. The file goes through
// a plant and a fan-out of this process; no line, no server and no other process is between.

import Distribution
import FeedHandler
import Foundation
import MarketData
import TickerPlant

/// See the head of this file.
enum LabFeed {
  /// Plays a file.
  /// - Parameters:
  ///   - path: of the feed; its reference data stands beside it.
  ///   - epoch: as the feed's session and day are called in the run.
  ///   - through: the last number that is wanted.
  ///   - emit: gets each frame of quotes and trades.
  /// - Throws: `FeedSetupError` where the file can't be read, or isn't of that epoch.
  static func play(
    _ path: String, epoch: String, through: UInt64, emit: @escaping (UnsafeRawBufferPointer) -> Void
  ) throws(FeedSetupError) {
    let feed = try PreparedFeed(
      .itch(FeedAddress.Files(paths: [path])), text: path, keepsState: false, anyFormat: true)
    guard let date = CalendarDate(String(epoch.suffix(10))) else {
      throw FeedSetupError("epoch \"\(epoch)\" found; wanted SESSION.DATE or DATE")
    }
    let distributor = Distributor(markets: [
      MarketDescription(
        market: feed.market, timeZone: feed.timeZone, reference: feed.reference,
        utcOffsetSeconds: feed.utcOffsetSeconds)
    ])
    let transport = Taker(emit)
    let client = distributor.add(transport: transport, limits: ClientLimits(), now: 0)
    var plant = TickerPlant(
      PlantConfiguration(market: feed.market, date: date, reference: feed.reference, expectedInstruments: 64))
    plant.beginEpoch(session: String(epoch.dropLast(11)), date: date)
    func tell() {
      distributor.consume(market: 0, records: plant.updates.bytes, now: 0)
      plant.updates.removeAll()
    }
    tell()
    for channel in [StreamChannel.quotes, .trades] {
      var request = SubscriptionRequest(id: channel.name, channel: channel, instruments: ["*"])
      request.interval = 0
      distributor.perform(.subscribe(request), for: client, now: 0)
    }
    do {
      let file = try FeedFile(paths: [path])
      while plant.sequence < through {
        switch try file.next(maxMessages: 64) {
        case .messages(let run):
          guard !run.startsDay else {
            throw FeedSetupError(
              "\(path): message \(run.firstFileMessageNumber) begins another day; wanted one")
          }
          plant.apply(framed: run.bytes, firstSequence: run.firstSequence)
        case .bad(let report): if let sequence = report.sequence { plant.applyMalformed(sequence: sequence) }
        case .gap(_, let from, let through): plant.declareGap(from: from, through: through)
        case .session: break
        case .end: return
        }
        tell()
      }
    } catch let error as FeedSetupError { throw error } catch { throw FeedSetupError("\(error)") }
  }

  /// A client that takes everything.
  private final class Taker: ClientTransport {
    private let emit: (UnsafeRawBufferPointer) -> Void
    let canTakeMore = true
    let takenBytes: UInt64 = 0
    init(_ emit: @escaping (UnsafeRawBufferPointer) -> Void) { self.emit = emit }
    func send(frame: OutgoingFrame) { emit(frame.bytes) }
    func close(code: UInt16, reason: String) {}
  }
}
