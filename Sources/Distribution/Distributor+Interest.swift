// Markets of which only the instruments come that clients ask for (`MarketDescription.isSelective`): who is wanted, and
// how it stands with who isn't. Listed instruments are known by their facts; of one that isn't taken nothing else is
// shown, and that it is stale, until its state has come.
// Owner: the event loop.

public import MarketData
import TickerPlant

extension Distributor {
  /// How long an instrument is wanted after the last one who did, milliseconds.
  static let lingerMilliseconds: UInt64 = 10_000

  /// The first market of which not everything comes; nil = all are whole.
  public var selectiveMarket: String? { markets.first { $0.description.isSelective }?.description.market }

  /// What is said to who asks for all of it.
  public static func wholeMarket(_ market: String) -> String {
    "of market \(market) this server takes only the instruments that clients ask for (interest: clients): name them, or ask a server that takes whole markets"
  }

  /// Somebody wants instruments now, and for a while.
  public func want(_ indices: some Sequence<Int>, now: UInt64) {
    var isChanged = false
    for index in indices where markets[images[index].market].description.isSelective {
      if interest.updateValue(now, forKey: Int32(truncatingIfNeeded: index)) == nil { isChanged = true }
    }
    // Once for all of them: what is told is the whole interest.
    if isChanged { interestChanged?() }
  }

  /// Whether what is here of an instrument is whole: in a market that comes whole, always.
  public func isHeard(_ index: Int) -> Bool { images[index].unheardSince == nil }

  /// The instruments of a market that are wanted.
  public func wantedInstruments(market: Int) -> Set<InstrumentCode> {
    var codes: Set<InstrumentCode> = []
    for index in interest.keys where images[Int(index)].market == market {
      codes.insert(images[Int(index)].facts.code)
    }
    return codes
  }

  /// Each second: what is subscribed to stays wanted, the rest for a while.
  func forgetUnwanted(now: UInt64) {
    var isChanged = false
    for (index, wantedAt) in interest {
      let isFollowed = lanesByChannel.joined().contains {
        Int(index) < $0.subscribers.count && !$0.subscribers[Int(index)].isEmpty
      }
      if isFollowed {
        interest[index] = now
      } else if now >= wantedAt + Self.lingerMilliseconds {
        interest[index] = nil
        isChanged = true
      }
    }
    if isChanged { interestChanged?() }
  }

  /// Learns from a record of the kinds `instrument` and `cleared` whether the instrument is whole from there on.
  func note(heard header: UpdateHeader, _ index: Int) {
    guard markets[images[index].market].description.isSelective else { return }
    images[index].unheardSince = header.flags & UpdateKind.unheardFlag != 0 ? header.time : nil
  }

  /// Whether values of an instrument may be wrong or old.
  func isStale(_ index: Int) -> Bool {
    markets[images[index].market].isStale || images[index].unheardSince != nil
  }
}
