// A node with a plant: lines, receiver, plant, publisher, as the feed thread and the backbone put them together.

import Continuity
import FeedProtocols
import MarketData
import TickerPlant

@testable import FeedHandler

/// See the head of this file.
final class SimulatedPlant {
  /// What its process does.
  enum Life: Equatable {
    case runs
    /// Nothing at all.
    case frozen
    /// Beats go on, nothing else does.
    case stuck
    case dead
  }

  let number: Int
  let site: Int
  var life = Life.runs
  var configuration: UInt32 = 7
  var incarnation: UInt64
  var receiver: MoldReceiver
  var plant: TickerPlant
  var publisher: StreamPublisher
  /// Datagrams that came and haven't been read.
  var datagrams: [(at: UInt64, line: Int, bytes: [UInt8])] = []
  /// Requests that came: what is asked, by whom, with which rail.
  var requests: [(at: UInt64, gateway: Int, rail: Int, action: StreamMerger.Action)] = []
  var saved: [UInt8]?
  var lines: [LineFault] = [LineFault(), LineFault()]
  var nextBeat: UInt64 = 0
  var nextTick: UInt64 = 0
  var wasLost = false

  struct LineFault {
    var loss = 0
    var duplicate = 0
    var reorder = 0
    var deadUntil: UInt64 = 0
  }

  init(number: Int, site: Int, incarnation: UInt64, today: CalendarDate, hasRequestServer: Bool) {
    self.number = number
    self.site = site
    self.incarnation = incarnation
    plant = newPlant(date: today)
    receiver = Self.receiver(plant, today, hasRequestServer)
    publisher = Self.publisher(configuration, incarnation)
    begin()
  }

  static func receiver(_ plant: borrowing TickerPlant, _ today: CalendarDate, _ hasRequestServer: Bool)
    -> MoldReceiver
  {
    var lines = LineArbiterConfiguration(lines: 2)
    lines.hasRequestServer = hasRequestServer
    lines.heartbeatNanoseconds = 20 * millisecond
    lines.waitNanoseconds = 60 * millisecond
    lines.graceNanoseconds = 2 * millisecond
    lines.retryNanoseconds = 8 * millisecond
    lines.leastAttempts = 4
    lines.trustNanoseconds = 200 * millisecond
    return MoldReceiver(
      lines, requestsPerSecond: 5_000, plant: plant, firstDay: today, hasFixedDay: false)
  }

  static func publisher(_ configuration: UInt32, _ incarnation: UInt64) -> StreamPublisher {
    var chosen = StreamPublisher.Configuration(configuration: configuration, incarnation: incarnation)
    chosen.frameBytes = 3000
    chosen.historyBytes = 256 << 10
    chosen.idleNanoseconds = 60 * millisecond
    chosen.leaseNanoseconds = 100 * millisecond
    chosen.historyNanoseconds = 1_500 * millisecond
    return StreamPublisher(chosen)
  }

  private func begin() {
    plant.setSourceState(.recovering)
    if plant.sequence == 0 {
      plant.setSourceState(.recovering)
      plant.emitAll(announcing: 0)
    }
  }

  /// The process ends.
  func kill() {
    life = .dead
    datagrams.removeAll()
    requests.removeAll()
  }

  /// It begins again, from its last snapshot or from nothing.
  func restart(_ incarnation: UInt64, today: CalendarDate, fromSnapshot: Bool, hasRequestServer: Bool) {
    self.incarnation = incarnation
    life = .runs
    plant = newPlant(date: today)
    if fromSnapshot, let saved { try? plant.restore(saved) }
    receiver = Self.receiver(plant, today, hasRequestServer)
    publisher = Self.publisher(configuration, incarnation)
    begin()
  }
}
