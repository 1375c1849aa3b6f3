// Which faults a seed brings, and a run from the first message to the end when all is well again.

import MarketData
import TickerPlant

@testable import Continuity
@testable import FeedHandler

extension SimulatedEstate {
  /// What may happen.
  struct Menu {
    /// Plants that nothing happens to.
    var spared: Set<Int> = []
    var rails = true
    var gateways = true
    var epochs = true
    var configuration = true
  }

  /// One fault, or the end of one.
  func happen(_ menu: Menu) {
    let plant = plants[random.below(4)]
    let isSpared = menu.spared.contains(plant.number)
    switch random.below(13) {
    case 0 where !isSpared && plant.life == .runs:
      plant.kill()
      note("plant \(plant.number) killed")
    case 1, 2:
      if plant.life == .dead { restart(plant) }
    case 3 where !isSpared && plant.life == .runs:
      plant.life = .frozen
      note("plant \(plant.number) frozen")
    case 4 where !isSpared && plant.life == .runs:
      plant.life = .stuck
      note("plant \(plant.number) stuck")
    case 5:
      if plant.life == .frozen || plant.life == .stuck {
        plant.life = .runs
        note("plant \(plant.number) goes on")
      }
    case 6 where !isSpared:
      let line = random.below(2)
      plant.lines[line].deadUntil = now + UInt64(20 + random.below(150)) * millisecond
      note("plant \(plant.number) line \(line) cut")
    case 7 where !isSpared:
      for line in 0..<2 {
        plant.lines[line] = .init(
          loss: random.pick([0, 0, 5, 20]), duplicate: random.below(10), reorder: random.below(10))
      }
    case 8 where menu.rails:
      let rail = random.below(rails)
      railLostUntil[rail] = now + UInt64(20 + random.below(150)) * millisecond
      note("rail \(rail) lost")
    case 9 where menu.rails:
      for rail in 0..<rails where random.chance(70) {
        partedUntil[rail] = now + UInt64(20 + random.below(200)) * millisecond
        note("rail \(rail) parted")
      }
    case 10 where menu.rails:
      frameLoss = random.pick([0, 0, 1, 5, 15])
      tellAgain(plant: plant.number, rail: random.below(rails))
    case 11 where menu.gateways && random.chance(25):
      let gateway = gateways[random.below(gateways.count)]
      gateway.restart(plants)
      note("gateway \(gateway.number) restarted")
    case 12 where menu.configuration && !isSpared && plant.life == .runs && random.chance(30):
      plant.configuration = plant.configuration == 7 ? 8 : 7
      note("plant \(plant.number) with configuration \(plant.configuration)")
      plant.kill()
      restart(plant)
    default:
      if random.chance(50), plant.life == .runs, plant.plant.sequence > 0 {
        plant.saved = plant.plant.snapshot()
      }
    }
  }

  func note(_ text: String) { log.append("\(now / millisecond) \(text)") }

  func restart(_ plant: SimulatedPlant) {
    incarnations += 1
    let fromSnapshot = random.chance(60)
    plant.restart(
      incarnations, today: days[day].date, fromSnapshot: fromSnapshot, hasRequestServer: hasRequestServer)
    note("plant \(plant.number) restarted \(fromSnapshot ? "from a snapshot" : "empty")")
  }

  /// A whole run. Afterwards everything is well, and has been for a while.
  func play(_ menu: Menu) {
    run(24 * millisecond)
    playDay(menu)
    if menu.epochs, days.count > 1, random.chance(40) {
      // Sessions are hours apart: nothing of the one before is on its way.
      endSession()
      run(UInt64(24 + random.below(80)) * millisecond)
      hasEnded = false
      day = 1
      sent = 0
      note("another session begins")
      playDay(menu)
    }
    calm()
    run(440 * millisecond)
  }

  private func playDay(_ menu: Menu) {
    let count = days[day].messages.count
    let rate = 1 + random.below(10)
    let trouble = random.pick([4, 12, 30])
    // Now and then a day that is cut short, or begins with much at once.
    let end = random.chance(30) ? count / 2 : count
    while sent < end {
      if random.chance(80) { send(1 + random.below(rate)) }
      if random.chance(trouble) { happen(menu) }
      advance()
    }
  }

  /// Everything that can be mended is.
  func calm() {
    isCalm = true
    frameLoss = 0
    railLostUntil = [0, 0]
    partedUntil = [0, 0]
    for plant in plants {
      plant.lines = [.init(), .init()]
      if plant.life == .dead { restart(plant) }
      plant.life = .runs
    }
    note("calm")
  }

  /// What is wrong in the end.
  func verdict() -> [String] {
    var found = faults
    let last = days[day]
    for gateway in gateways {
      let name = "gateway \(gateway.number)"
      found += gateway.view.faults.map { "\(name): \($0)" }
      let usable = plants.contains {
        $0.configuration == 7 && $0.plant.sourceState == .live && Int($0.plant.sequence) == sent
      }
      guard usable else {
        if gateway.view.state == .live { found.append("\(name) is live, and nobody has everything") }
        continue
      }
      if gateway.isSelective {
        found += wrongInterest(gateway, last).map { "\(name): \($0)" }
        continue
      }
      if gateway.view.state != .live {
        found.append("\(name) is \(gateway.view.state.map { "\($0)" } ?? "nothing") in the end")
      }
      guard let position = gateway.merger.position, position.epoch.session == last.session,
        Int(position.sequence) == sent
      else {
        found.append(
          "\(name) stands at \(gateway.merger.position.map { "\($0)" } ?? "nothing"), wanted \(sent)")
        continue
      }
      if gateway.view.sum != last.shown[sent] { found.append("\(name) shows something else than the oracle") }
      found += wrongTrades(gateway, last).map { "\(name): \($0)" }
    }
    return found
  }

  /// What is wanted is as with the oracle, and of what isn't nothing is said.
  private func wrongInterest(_ gateway: SimulatedGateway, _ last: SimulatedDay) -> [String] {
    var found: [String] = []
    if gateway.view.state != .live { found.append("is \(String(describing: gateway.view.state)) in the end") }
    let oracle = last.view(through: sent)
    if !Set(oracle.codes).isSubset(of: gateway.view.codes) {
      found.append("lists \(gateway.view.codes), wanted \(oracle.codes)")
    }
    for code in oracle.codes {
      let isWanted = gateway.wanted.contains(code)
      if gateway.view.unheard.contains(code) == isWanted {
        found.append("\(code) wanted \(isWanted), and isn't so")
      }
      let have = gateway.view.instruments[code] ?? MarketView.Instrument()
      guard isWanted, let want = oracle.instruments[code] else {
        if have != MarketView.Instrument() { found.append("\(code) isn't wanted, and has values") }
        continue
      }
      // What nothing was said of today is as a plant happens to know it from the day before.
      guard !want.bids.isEmpty || !want.asks.isEmpty || want.statistics.trades > 0 else { continue }
      if have.bids != want.bids || have.asks != want.asks || have.top != want.top
        || have.statistics != want.statistics
      {
        found.append("\(code) differs from the oracle")
      }
    }
    return found
  }

  /// Each trade once and in order; all of them where the state was never replaced.
  private func wrongTrades(_ gateway: SimulatedGateway, _ last: SimulatedDay) -> [String] {
    last.trades.compactMap { code, all in
      let wanted = all.filter { $0 <= UInt64(sent) }
      let have = gateway.view.trades[code] ?? []
      if gateway.view.restarts == 0, gateway.merger.counters.snapshots == 0 {
        return have == wanted ? nil : "\(code): \(have.count) trades, \(wanted.count) wanted"
      }
      let count = min(have.count, wanted.count, 20)
      return have.suffix(count) == wanted.suffix(count) ? nil : "\(code): the newest trades differ"
    }
  }
}

extension SimulatedEstate {
  /// For people: what every part thinks.
  var picture: String {
    var lines: [String] = log.suffix(40)
    for plant in plants {
      lines.append(
        "plant \(plant.number): \(plant.life) \(plant.plant.sourceState) at \(plant.plant.epoch) \(plant.plant.sequence), told \(plant.publisher.position.map { "\($0)" } ?? "-"), configuration \(plant.configuration)"
      )
    }
    for gateway in gateways {
      lines.append(
        "gateway \(gateway.number): \(gateway.view.state.map { "\($0)" } ?? "-") \(gateway.merger.position.map { "\($0)" } ?? "-") \(gateway.merger.counters)"
      )
      lines += gateway.notes.suffix(6)
      lines += gateway.chooser.paths(at: now).map { "  \($0.name) \($0.isTaken) \($0.reason)" }
      lines += gateway.merger.picture
    }
    return lines.joined(separator: "\n")
  }
}
