// Where a file is published to, as people write it (kabuto replay --to TARGET): the part of a feed's address that
// means something to who publishes.
//   mold:GROUP:PORT[,GROUP:PORT][?request=HOST:PORT&interface=…]
//   soup:HOST:PORT[?user=…&password=…]

import Foundation

extension FeedPublisher.Target {
  /// Reads a target.
  /// - Throws: `FeedAddressError` with all faults.
  public init(_ text: String) throws(FeedAddressError) {
    let address = try FeedAddress(text)
    var faults: [String] = []
    var meaningless: [String] = []
    func refuse(_ name: String, _ isThere: Bool) { if isThere { meaningless.append(name) } }
    func refuse(_ facts: FeedFacts) {
      refuse("reference", facts.reference != nil)
      refuse("date", facts.date != nil)
      refuse("market", facts.market != nil)
      refuse("zone", facts.zone != nil)
    }
    switch address {
    case .mold(let mold):
      refuse(mold.facts)
      self = .mold(mold)
    case .soup(let soup):
      refuse("session", soup.session != nil)
      refuse("sequence", soup.sequence != nil)
      refuse(
        "heartbeat", soup.heartbeatMilliseconds != FeedAddress.Soup(server: soup.server).heartbeatMilliseconds
      )
      refuse(soup.facts)
      self = .soup(soup)
    case .simulator, .itch, .pcap:
      throw FeedAddressError(
        address: FeedAddressParser.withoutPassword(text),
        faults: [
          "scheme: nothing can be published there; wanted mold:GROUP:PORT,GROUP:PORT or soup:HOST:PORT"
        ])
    }
    for name in meaningless {
      faults.append(
        "option \(name): means something to who reads a feed, not to who publishes one; remove it")
    }
    if !faults.isEmpty {
      throw FeedAddressError(address: FeedAddressParser.withoutPassword(text), faults: faults)
    }
  }
}

extension FeedPublisher.Options {
  /// Reads `FROM-THROUGH`; nil for anything else.
  public static func gap(_ text: some StringProtocol) -> ClosedRange<UInt64>? {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, let from = UInt64(parts[0]), let through = UInt64(parts[1]), from >= 1,
      from <= through, through < .max
    else { return nil }
    return from...through
  }
}
