// What `kabuto serve` runs of its markets, for whoever asks for figures while it starts, runs and ends.

import Backbone
import FeedHandler
import Foundation
import Gateway
import TickerPlant

/// The feed threads and receivers, for whoever asks for their figures.
final class RunningFeeds: @unchecked Sendable {
  // Written once, before the first request can ask; a lock makes that certain.
  private let lock = NSLock()
  private var threads: [FeedThread] = []
  private var receivers: [StreamReceiver] = []
  private var node: ServeService?
  /// What is said before the threads are there.
  private let beginning: [SourceReport]

  init(_ feeds: [PreparedFeed]) {
    beginning = feeds.map {
      SourceReport(market: $0.market, source: $0.source, epoch: "", sequence: 0, state: "recovering")
    }
  }

  func set(_ threads: [FeedThread], _ receivers: [StreamReceiver]) {
    lock.withLock {
      self.threads = threads
      self.receivers = receivers
    }
  }

  var reports: [SourceReport] {
    let (threads, receivers) = lock.withLock { (self.threads, self.receivers) }
    let reports = threads.map(\.report) + receivers.map(\.report)
    return reports.isEmpty ? beginning : reports
  }

  /// What the node is in its estate; nil before it is known, and without an estate.
  var service: ServeService? { lock.withLock { node } }
  func set(_ service: ServeService) { lock.withLock { node = service } }

  var receivedPaths: [Backbone.PathReport] { lock.withLock { receivers }.flatMap(\.paths) }

  var paths: [Gateway.PathReport] { receivedPaths.map(Gateway.PathReport.init) }

  /// How late a plant is, nanoseconds.
  func lag(market: String) -> UInt64 {
    lock.withLock { threads }.first { $0.feed.market == market }?.lagNow ?? 0
  }
}
