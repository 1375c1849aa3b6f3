// Clients of merging gateways: each has two endpoints, loses one now and then, and goes on at the other from where it
// was. Whatever happens to all plants but one, it gets every trade once and in order.

import Continuity
import Distribution
import Foundation
import MarketData
import Testing
import TickerPlant

/// A client's connection: it keeps frames.
private final class KeptFrames: ClientTransport {
  var canTakeMore = true
  var takenBytes: UInt64 = 0
  var frames: [[UInt8]] = []
  func send(frame: OutgoingFrame) { frames.append(Array(frame.bytes)) }
  func close(code: UInt16, reason: String) {}
}

/// See the head of this file.
private final class MovingClient {
  let distributors: [Distributor]
  let names: [String]
  private(set) var place = 0
  private var transport = KeptFrames()
  private var client: Client?
  private(set) var trades: [String: [UInt64]] = [:]
  private(set) var faults: [String] = []
  private(set) var modes: [String: Int] = [:]
  private var position: UInt64 = 0
  private var epoch = ""

  init(_ distributors: [Distributor], names: [String], now: UInt64) {
    self.distributors = distributors
    self.names = names
    connect(now: now)
  }

  private func connect(now: UInt64) {
    transport = KeptFrames()
    var limits = ClientLimits()
    limits.messagesPerSecond = 100_000
    let client = distributors[place].add(transport: transport, limits: limits, now: now)
    self.client = client
    let list = names.map { "\"\($0)\"" }.joined(separator: ",")
    let from = "[{\"market\":\"\(testMarket)\",\"epoch\":\"\(epoch)\",\"seq\":\(position)}]"
    let op = epoch.isEmpty ? "\"op\":\"subscribe\"" : "\"op\":\"resume\",\"from\":\(from)"
    distributors[place].receive(
      Array("{\(op),\"id\":\"1\",\"channel\":\"trades\",\"instruments\":[\(list)],\"interval\":0}".utf8),
      from: client, now: now)
  }

  /// Leaves this endpoint for the other one.
  func move(now: UInt64) {
    read()
    if let client { distributors[place].remove(client) }
    place = (place + 1) % distributors.count
    connect(now: now)
  }

  func read() {
    let frames = transport.frames
    transport.frames = []
    for frame in frames {
      let list = (try? JSONSerialization.jsonObject(with: Data(frame))) as? [[String: Any]] ?? []
      for event in list { take(event) }
    }
  }

  private func take(_ event: [String: Any]) {
    let type = event["type"] as? String ?? ""
    if type == "resumed" { modes[event["mode"] as? String ?? "", default: 0] += 1 }
    if type == "error" { faults.append("\(event)") }
    guard let name = event["instrument"] as? String, let number = event["seq"] as? NSNumber else { return }
    let sequence = number.uint64Value
    if type == "snapshot" {
      epoch = event["epoch"] as? String ?? epoch
      let list = event["trades"] as? [[String: Any]] ?? []
      let new = list.compactMap { ($0["seq"] as? NSNumber)?.uint64Value }.reversed()
      // Nothing that this client was told is missing in it.
      if let last = trades[name]?.last, new.last ?? 0 < last {
        faults.append("\(name): \(last) was taken back")
      }
      trades[name] = Array(new)
    } else if type == "update" {
      if let last = trades[name]?.last, sequence <= last {
        faults.append("\(name): \(sequence) after \(last)")
      }
      trades[name, default: []].append(sequence)
    } else {
      return
    }
    position = max(position, sequence)
  }
}

@Suite struct ClientTests {
  @Test func clientsThatGoOnElsewhereGetEveryTradeOnce() {
    var random = generator("clients")
    var exact = 0
    for round in 0..<25 {
      let seed = random.next()
      let days = [SimulatedDay.pairs[random.below(SimulatedDay.pairs.count)][0]]
      let estate = SimulatedEstate(SeededGenerator(seed: seed), days: days)
      let distributors = estate.gateways.map { _ in
        Distributor(markets: [
          MarketDescription(
            market: testMarket, timeZone: "Asia/Tokyo", reference: nil, utcOffsetSeconds: { _ in 32_400 })
        ])
      }
      for (gateway, distributor) in zip(estate.gateways, distributors) {
        gateway.tap = { [unowned estate] records, continues in
          distributor.consume(
            market: 0, records: records, continues: continues, now: estate.now / millisecond)
        }
      }
      // Until the instruments are known.
      while estate.gateways.contains(where: { $0.merger.instruments.count < 3 }), estate.sent < 60 {
        estate.send(2)
        estate.advance()
      }
      let names = estate.gateways[0].merger.instruments.map(\.description)
      let client = MovingClient(distributors, names: names, now: estate.now / millisecond)
      let menu = SimulatedEstate.Menu(
        spared: [round % 4], rails: false, gateways: false, epochs: false, configuration: true)
      while estate.sent < days[0].messages.count {
        if random.chance(70) { estate.send(1 + random.below(6)) }
        if random.chance(15) { estate.happen(menu) }
        if random.chance(10) { client.move(now: estate.now / millisecond) }
        estate.advance()
        for distributor in distributors { distributor.tick(now: estate.now / millisecond) }
        client.read()
      }
      estate.calm()
      for _ in 0..<110 {
        estate.advance()
        for distributor in distributors { distributor.tick(now: estate.now / millisecond) }
      }
      client.read()
      exact += client.modes["exact"] ?? 0
      var faults = client.faults + estate.verdict()
      for name in names {
        let wanted = InstrumentCode(name).flatMap { days[0].trades[$0] } ?? []
        let have = client.trades[name] ?? []
        if have != wanted { faults.append("\(name): \(have) trades, wanted \(wanted)") }
      }
      if !faults.isEmpty {
        Issue.record("\(seedNote) round \(round): \(client.modes) \(faults.prefix(4))\n\(estate.picture)")
        return
      }
    }
    #expect(exact > 0)
  }
}
