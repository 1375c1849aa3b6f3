// What a good client does with the stream: it keeps the newest of each field, and notices what must not happen.

import Distribution
import Foundation
import MarketData

final class StreamClient {
  /// One (channel, instrument).
  struct View {
    var fields: [String: Any] = [:]
    /// Trades, newest first; those that were conflated away are missing.
    var trades: [[String: Any]] = []
    var received = 0
    var dropped = 0
    /// Bars by their start.
    var bars: [String: [String: Any]] = [:]
    var lastSequence: UInt64 = 0
    /// Of the newest `stale` or `fresh`.
    var staleSequence: UInt64 = 0
    var isStale = false
    /// Changes that it was told it did not get.
    var conflated = 0
  }

  let world: World
  let transport = FakeTransport()
  private(set) var client: Client
  var views: [String: View] = [:]
  private(set) var others: [[String: Any]] = []
  /// What must not happen, and did.
  private(set) var faults: [String] = []
  private(set) var events = 0
  private(set) var longestFrame = 0
  private var read = 0

  private let encoding: StreamEncoding
  private var decoder = BinaryDecoder()
  /// Everything since `takeEvents`.
  private var kept: [[String: Any]] = []

  init(_ world: World, limits: ClientLimits = ClientLimits(), encoding: StreamEncoding = .json) {
    self.world = world
    self.encoding = encoding
    var limits = limits
    if limits == ClientLimits() { limits.messagesPerSecond = 100_000 }
    client = world.distributor.add(
      transport: transport, limits: limits, encoding: encoding, now: world.now)
  }

  /// Sends a message.
  func say(_ text: String) { world.distributor.receive(Array(text.utf8), from: client, now: world.now) }

  func subscribe(
    _ id: String, _ channel: String, _ instruments: [String], interval: Int = 0, levels: Int = 10,
    from: String? = nil,
    timing: Bool = false
  ) {
    let names = instruments.map { "\"\($0)\"" }.joined(separator: ",")
    let op = from.map { "\"op\":\"resume\",\"from\":\($0)" } ?? "\"op\":\"subscribe\""
    say(
      "{\(op),\"id\":\"\(id)\",\"channel\":\"\(channel)\",\"instruments\":[\(names)],\"interval\":\(interval),\"levels\":\(levels),\"timing\":\(timing)}"
    )
  }

  /// Loses the line, and connects anew; what is known stays.
  func reconnect() {
    readAll()
    world.distributor.remove(client)
    client = world.distributor.add(
      transport: transport, limits: client.limitsForTest, encoding: encoding, now: world.now)
    decoder = BinaryDecoder()
  }

  /// The position that this client would resume from, by market.
  func position(_ channel: String) -> String {
    var newest: [String: (epoch: String, sequence: UInt64)] = [:]
    for (key, view) in views where key.hasPrefix(channel + "/") {
      guard let market = view.fields["market"] as? String, let epoch = view.fields["epoch"] as? String else {
        continue
      }
      if let known = newest[market], known.epoch == epoch, known.sequence >= view.lastSequence { continue }
      if let known = newest[market], known.epoch > epoch { continue }
      newest[market] = (epoch, view.lastSequence)
    }
    let list = newest.sorted { $0.key < $1.key }
      .map { "{\"market\":\"\($0.key)\",\"epoch\":\"\($0.value.epoch)\",\"seq\":\($0.value.sequence)}" }
    return "[" + list.joined(separator: ",") + "]"
  }

  /// Reads what has come.
  func readAll() {
    while read < transport.frames.count {
      let frame = transport.frames[read]
      read += 1
      longestFrame = max(longestFrame, frame.count)
      let found =
        encoding == .binary
        ? try? decoder.frame(frame)
        : (try? JSONSerialization.jsonObject(with: Data(frame))) as? [[String: Any]]
      guard let list = found, !list.isEmpty else {
        faults.append(
          "a frame isn't a JSON array of objects: \(String(decoding: frame.prefix(200), as: UTF8.self))")
        continue
      }
      kept += list
      for event in list { take(event) }
    }
  }

  /// All events since the last call.
  func takeEvents() -> [[String: Any]] {
    readAll()
    defer { kept = [] }
    return kept
  }

  /// Messages that aren't about an instrument, since the last call.
  func takeOthers() -> [[String: Any]] {
    readAll()
    defer { others = [] }
    return others
  }

  private func take(_ event: [String: Any]) {
    events += 1
    let type = event["type"] as? String ?? ""
    guard let channel = event["channel"] as? String, let instrument = event["instrument"] as? String else {
      others.append(event)
      return
    }
    guard let sequence = (event["seq"] as? NSNumber)?.uint64Value else {
      faults.append("no seq: \(event)")
      return
    }
    let key = "\(channel)/\(instrument)"
    var view = views[key] ?? View()
    switch type {
    case "snapshot":
      let sameEpoch = view.fields["epoch"] as? String == event["epoch"] as? String
      if sameEpoch, sequence < view.lastSequence {
        faults.append("\(key): snapshot \(sequence) after \(view.lastSequence)")
      }
      view.staleSequence = 0
      view.conflated += (event["conflated"] as? NSNumber)?.intValue ?? 0
      view.fields = event
      view.fields["conflated"] = nil
      view.trades = event["trades"] as? [[String: Any]] ?? []
      view.isStale = (event["stale"] as? [String: Any]) != nil
      if channel == "bars" { view.bars = [:] }
      keepBar(event, channel, &view)
      view.lastSequence = sequence
    case "update":
      if view.fields.isEmpty { faults.append("\(key): update \(sequence) before a snapshot") }
      if sequence < view.lastSequence || (sequence == view.lastSequence && channel != "bars") {
        faults.append("\(key): update \(sequence) after \(view.lastSequence)")
      }
      if sequence < view.staleSequence {
        faults.append("\(key): update \(sequence) after stale \(view.staleSequence)")
      }
      view.lastSequence = sequence
      view.received += 1
      view.dropped += (event["dropped"] as? NSNumber)?.intValue ?? 0
      view.conflated += (event["conflated"] as? NSNumber)?.intValue ?? 0
      if channel == "trades" { keepTrade(event, &view) } else { view.fields.merge(event) { $1 } }
      view.fields["conflated"] = nil
      keepBar(event, channel, &view)
    case "stale", "fresh":
      if sequence < view.lastSequence {
        faults.append("\(key): \(type) \(sequence) after \(view.lastSequence)")
      }
      if (type == "stale") != (event["stale"] is [String: Any]) { faults.append("\(key): \(event)") }
      view.staleSequence = sequence
      view.fields["stale"] = event["stale"] ?? NSNull()
      view.isStale = type == "stale"
    case "state":
      if sequence < view.lastSequence || sequence < view.staleSequence {
        faults.append("\(key): state \(sequence) after \(view.lastSequence), \(view.staleSequence)")
      }
      if channel == "quotes" || channel == "books" { faults.append("\(event)") }
      view.staleSequence = sequence
      for name in StreamClient.standingKeys { view.fields[name] = event[name] }
    default: faults.append("unknown type: \(event)")
    }
    views[key] = view
  }

  private func keepTrade(_ event: [String: Any], _ view: inout View) {
    if let broke = event["broke"] as? NSNumber {
      for index in view.trades.indices where (view.trades[index]["seq"] as? NSNumber) == broke {
        view.trades[index]["broken"] = true
      }
    } else {
      view.trades.insert(event, at: 0)
    }
  }

  private func keepBar(_ event: [String: Any], _ channel: String, _ view: inout View) {
    guard channel == "bars" else { return }
    if let start = event["start"] as? String {
      view.bars[start] = event
    } else if event["type"] as? String == "update" {
      faults.append("a bar without a start: \(event)")
    }
  }
}

extension Client {
  /// Generous: these tests aren't about the rate.
  var limitsForTest: ClientLimits {
    var limits = ClientLimits()
    limits.messagesPerSecond = 100_000
    return limits
  }
}

extension StreamClient {
  static let standingKeys = ["state", "reference", "reference_date"]
  private static let tradeKeys = [
    "seq", "time", "price", "size", "match", "side", "kind", "direction", "broken",
  ]

  /// How a view differs from REST's answer at this moment; nil = equal.
  func difference(_ channel: String, _ name: String, levels: Int = 10, compareTimes: Bool = true) -> String? {
    readAll()
    guard let view = views["\(channel)/\(name)"] else { return "\(channel)/\(name): nothing came" }
    var shown = view.fields
    for key in ["type", "channel", "rx", "trades"] where channel != "quotes" || key != "trades" {
      shown[key] = nil
    }
    switch channel {
    case "quotes":
      var wanted = world.quote(name)
      wanted["name"] = nil
      return DistributionTests.difference(shown, wanted).map { "quotes/\(name): \($0)" }
    case "books":
      return DistributionTests.difference(shown, world.book(name, levels: levels)).map {
        "books/\(name): \($0)"
      }
    case "trades", "bars":
      let quote = world.quote(name)
      for key in Self.standingKeys + ["stale"] where !same(view.fields[key] ?? NSNull(), quote[key]) {
        return "\(channel)/\(name): \(key) is \(view.fields[key] ?? "absent"), wanted \(quote[key] ?? "-")"
      }
    default: return "unknown channel"
    }
    switch channel {
    case "trades":
      let wanted = world.trades(name)
      for (number, trade) in wanted.enumerated() where view.dropped == 0 || number < 5 {
        guard number < view.trades.count else {
          return "trades/\(name): \(view.trades.count) of \(wanted.count)"
        }
        for key in Self.tradeKeys where !same(view.trades[number][key], trade[key]) {
          return
            "trades/\(name) \(number): \(key) is \(view.trades[number][key] ?? "-"), wanted \(trade[key] ?? "-")"
        }
      }
      return nil
    default:
      guard case .found(let index) = world.distributor.lookUp(name) else { return "unknown" }
      for bar in world.distributor.recentBars(index) where bar.volume > 0 {
        let start = world.distributor.day(of: index).text(
          ofNanosecondsSinceMidnight: UInt64(bar.startSeconds) * 1_000_000_000)
        // Bars that closed before this client came aren't its own.
        guard let kept = view.bars[start] else {
          if bar.closed, bar.sequence <= (view.fields["seq"] as? NSNumber)?.uint64Value ?? 0 { continue }
          return "bars/\(name): no bar of \(start)"
        }
        let found = [kept["volume"], kept["trades"], kept["seq"]].map { ($0 as? NSNumber)?.uint64Value ?? 0 }
        if found != [bar.volume, bar.trades, bar.sequence] || kept["closed"] as? Bool != bar.closed {
          return "bars/\(name) \(start): \(kept), wanted \(bar)"
        }
      }
      return nil
    }
  }
}
