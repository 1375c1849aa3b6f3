// What the clients of all loops want, where not the whole market comes: each loop says what it wants, whoever fetches it
// hears of all of them together.

import Distribution
public import MarketData
import NIOCore
import Synchronization

/// See the head of this file.
final class InterestBoard: Sendable {
  /// By loop, then by market.
  private let wanted: Mutex<[[Set<InstrumentCode>]]>
  private let tell: @Sendable (Int, Set<InstrumentCode>) -> Void

  init(loops: Int, markets: Int, tell: @escaping @Sendable (Int, Set<InstrumentCode>) -> Void) {
    wanted = Mutex(Array(repeating: Array(repeating: [], count: markets), count: loops))
    self.tell = tell
  }

  /// A loop wants these of a market now. The order of what is told is the order of what was wanted.
  func take(loop: Int, market: Int, _ codes: Set<InstrumentCode>) {
    wanted.withLock { wanted in
      guard wanted[loop][market] != codes else { return }
      wanted[loop][market] = codes
      tell(market, wanted.reduce(into: []) { $0.formUnion($1[market]) })
    }
  }
}

extension GatewayServer {
  /// Tells from now on which instruments of a market (its index) clients want; of markets that are described as
  /// selective alone. `tell` is called on event loops, one at a time: quick.
  public func observeInterest(_ tell: @escaping @Sendable (Int, Set<InstrumentCode>) -> Void) {
    let markets = loops.first?.rings.count ?? 0
    let board = InterestBoard(loops: loops.count, markets: markets, tell: tell)
    for (number, loop) in loops.enumerated() {
      loop.eventLoop.execute { loop.observeInterest { board.take(loop: number, market: $0, $1) } }
    }
  }
}
