// Requests for instruments that nobody wanted before: they are wanted now, and answered when their state has come, or
// after a second as they are: stale.

import Distribution
import MarketData
import NIOCore

/// A request that waits for the state of instruments.
struct AwaitedState {
  var instruments: [Int]
  /// Milliseconds of the loop's clock.
  var until: UInt64
  var promise: EventLoopPromise<Void>
}

extension LoopContext {
  /// How long a request waits.
  private static var patienceMilliseconds: UInt64 { 1_000 }
  /// More don't wait: they are answered at once, as things stand.
  private static var mostAwaiting: Int { 10_000 }

  /// Wants instruments; nil where all that is known of them is here, else when it is, or the time is over.
  func heard(_ instruments: [Int]) -> EventLoopFuture<Void>? {
    let now = Self.now()
    distributor.want(instruments, now: now)
    let lacking = instruments.filter { !distributor.isHeard($0) }
    guard !lacking.isEmpty, awaited.count < Self.mostAwaiting else { return nil }
    let promise = eventLoop.makePromise(of: Void.self)
    awaited.append(
      AwaitedState(instruments: lacking, until: now + Self.patienceMilliseconds, promise: promise))
    return promise.futureResult
  }

  /// Answers who has waited long enough, or for long enough.
  func settleAwaited(ending: Bool = false) {
    let now = Self.now()
    // Drains come thousands of times a second.
    guard !awaited.isEmpty, ending || now > settledAt else { return }
    settledAt = now
    let waiting = awaited
    awaited = []
    for one in waiting {
      if ending || now >= one.until || one.instruments.allSatisfy(distributor.isHeard) {
        one.promise.succeed(())
      } else {
        awaited.append(one)
      }
    }
  }

  /// Says what is wanted of each selective market, whenever that changes.
  func observeInterest(_ tell: @escaping (Int, Set<InstrumentCode>) -> Void) {
    eventLoop.preconditionInEventLoop()
    let say = { [unowned self] in
      for market in rings.indices { tell(market, distributor.wantedInstruments(market: market)) }
    }
    distributor.interestChanged = say
    say()
  }
}
