// The morning: empty books, numbers from 1, and what this day will bring to whom.
// Every day has some issues that open far from their base price, a few that run into a limit, halts for news,
// and orders that are much too large.

import MarketData

extension SimulatedMarket {
  /// Makes the day of `date` from the issues' base prices.
  mutating func prepareDay() {
    composer = FeedComposer()
    systemIndex = 0
    nextTick = DaySchedule.gathering
    pace = 1
    messagesAtOpen = 0
    books = OrderBooks(sizes: issues.map { (levels: $0.ladder.count, orders: $0.capacity) })
    for i in 0..<issues.count {
      let listing = listings[i]
      // Over many days prices are drawn back to where they came from: the market lives as long as it's asked to.
      let drift = -0.02 * RandomSource.log(Double(issues[i].base.units) / Double(listing.anchor))
      issues[i].ownReturn = listing.volatility * 0.35 * random.gaussian() + drift
      issues[i].phaseEnd =
        DaySchedule.firstMessage + DaySchedule.second + UInt64(i) * 10_000
    }
    planIncidents()
    var times = issues.map(\.next)
    times.append(min(DaySchedule.systemEvents[0].time, nextTick))
    heap = EventHeap(times: times)
    lookAhead()
  }

  private mutating func planIncidents() {
    let count = issues.count
    // 7203, which every example asks for, has quiet days.
    var order = (0..<count).filter { count < 4 || listings[$0].codeText != "7203" }
    random.shuffle(&order)
    var next = 0
    func times(_ per: Int) -> Int { max(1, count / per) }
    func take() -> Int? {
      guard next < order.count else { return nil }
      next += 1
      return order[next - 1]
    }
    /// A moment far enough from every boundary.
    func moment() -> UInt64 {
      let morning = random.chance(0.5)
      let start = morning ? DaySchedule.at(9, 20) : DaySchedule.at(12, 50)
      let end = morning ? DaySchedule.at(10, 50) : DaySchedule.at(14, 40)
      return start + UInt64(random.below(Int(end - start)))
    }
    func plan(_ i: Int, _ incident: Incident) {
      issues[i].incident = incident
      issues[i].incidentTime = moment()
    }
    // Into a limit: half of them at the opening, half by news during the day. Issues that nobody trades would
    // only be quoted there, so the busier half is asked first.
    let busy = issues.map(\.continuousMessages).sorted()[count / 2]
    order =
      order.filter { issues[$0].continuousMessages >= busy }
      + order.filter { issues[$0].continuousMessages < busy }
    for turn in 0..<times(250) * 2 {
      guard let i = take() else { return }
      let base = Double(issues[i].base.units)
      let limit = Double((turn % 2 == 0 ? issues[i].limitUp : issues[i].limitDown).units)
      let beyond = random.uniform(0.05...0.12) * (turn % 2 == 0 ? 1 : -1)
      let size = RandomSource.log(limit / base) + beyond
      if random.chance(0.5) { issues[i].ownReturn += size } else { plan(i, .jump(size)) }
    }
    order = Array(order[next...])
    next = 0
    random.shuffle(&order)
    // Special quotes at the opening: a few ranges away from the base price.
    for _ in 0..<times(60) {
      guard let i = take() else { return }
      issues[i].ownReturn += random.uniform(0.03...0.11) * (random.chance(0.5) ? 1 : -1)
    }
    for _ in 0..<times(400) {
      guard let i = take() else { return }
      plan(
        i,
        .halt(
          seconds: 600 + UInt64(random.below(600)),
          jump: random.uniform(0.01...0.08) * (random.chance(0.5) ? 1 : -1)))
    }
    for _ in 0..<times(120) {
      guard let i = take() else { return }
      plan(i, .sweep(random.chance(0.5) ? .buy : .sell))
    }
    for _ in 0..<times(80) {
      guard let i = take() else { return }
      plan(i, .jump(random.uniform(0.01...0.05) * (random.chance(0.5) ? 1 : -1)))
    }
  }
}
