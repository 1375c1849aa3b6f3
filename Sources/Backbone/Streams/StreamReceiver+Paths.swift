// Which streams a receiver takes, which instruments it wants, and what it says of both.

import Continuity
import FeedHandler
import MarketData
import Synchronization
import TickerPlant

extension StreamReceiver {
  /// How long a stream that is left may still be heard beside the one that takes its place, nanoseconds.
  private static var leaveNanoseconds: UInt64 { 1_000_000_000 }

  /// Takes and leaves streams as the chooser says.
  func choose(at now: UInt64) {
    judge(at: now)
    guard let change = chooser.choose(at: now) else { return }
    for note in change.notes { outlets.log(.info, "\(configuration.market): \(note)") }
    for way in change.take { takeStream(way) }
    // What is left counts until the new ones are there.
    for way in change.leave where streams[way] != nil { leaving[way] = now + Self.leaveNanoseconds }
  }

  /// Tells the chooser whose frames the merger can't use on any rail.
  private func judge(at now: UInt64) {
    for way in chooser.taken {
      guard let taken = streams[way] else { continue }
      var verdict: PathRefusal?
      var isRefused = !taken.isEmpty
      for (rail, stream) in zip(ways[way].rails, taken) where buses[rail].state.isConnected {
        let found = merger.verdict(ofStream: stream, at: now)
        if found == nil { isRefused = false }
        verdict = verdict ?? found
      }
      if isRefused, let verdict { chooser.refuse(way, verdict, at: now) }
    }
  }

  /// Leaves for good what another stream has taken the place of, or what was kept for long enough.
  func leave(at now: UInt64) {
    guard !leaving.isEmpty else { return }
    let position = merger.position?.sequence ?? 0
    let isThere = streams.indices.contains { way in
      leaving[way] == nil
        && (streams[way] ?? []).contains { (merger.told(ofStream: $0) ?? 0) >= max(1, position) }
    }
    for (way, until) in leaving where isThere || now >= until {
      leaving[way] = nil
      leaveStream(way, at: now)
    }
  }

  private func takeStream(_ way: Int) {
    leaving[way] = nil
    guard streams[way] == nil else { return }
    let candidate = ways[way].candidate
    let node = configuration.candidates[candidate].node
    if slots[way].isEmpty {
      slots[way] = ways[way].rails.map { rail in
        owners.append((candidate, rail, 0))
        return merger.addStream("\(node) on rail \(buses[rail].rail)")
      }
    } else {
      for stream in slots[way] {
        owners[stream].taking &+= 1
        merger.retakeStream(stream)
      }
    }
    streams[way] = slots[way]
    if configuration.merger.isSelective {
      for code in wanted { subscribe(way, code) }
      sendWanted(Array(wanted), to: [way])
    } else {
      subscribe(way, nil)
    }
  }

  private func leaveStream(_ way: Int, at now: UInt64) {
    guard let taken = streams[way] else { return }
    streams[way] = nil
    for subscription in frameSubscriptions[way].values.joined() { subscription.cancel() }
    frameSubscriptions[way] = [:]
    for stream in taken { merger.removeStream(stream, at: now) { deliver($0, $1) } }
  }

  private func subjects(_ way: Int) -> StreamSubjects {
    StreamSubjects(
      market: configuration.market, node: configuration.candidates[ways[way].candidate].node)
  }

  private func subscribe(_ way: Int, _ code: InstrumentCode?) {
    let subjects = subjects(way)
    let subject = code.map { subjects.instrument($0) } ?? subjects.all
    guard frameSubscriptions[way][subject] == nil else { return }
    let inbox = inbox
    var made: [any BusSubscription] = []
    for rail in ways[way].rails {
      do throws(BusError) {
        made.append(
          try buses[rail].subscribe(subject) { message in
            inbox.put(.frame, rail: rail, number: way, message.payload, at: Clock.monotonic())
          })
      } catch { outlets.log(.error, "\(configuration.market): \(error)") }
    }
    frameSubscriptions[way][subject] = made
  }

  // MARK: - Wanted instruments

  /// Carries out what `setWanted` said.
  func changeWanted(at now: UInt64) {
    guard
      let codes = shared.withLock({ shared in
        defer { shared.wanted = nil }
        return shared.wanted
      }), codes != wanted
    else { return }
    let new = codes.subtracting(wanted)
    let gone = wanted.subtracting(codes)
    wanted = codes
    for way in streams.indices where streams[way] != nil {
      let subjects = subjects(way)
      for code in gone {
        for subscription in frameSubscriptions[way].removeValue(forKey: subjects.instrument(code)) ?? [] {
          subscription.cancel()
        }
      }
      for code in new { subscribe(way, code) }
    }
    sendWanted(Array(new))
    for code in gone { merger.unwant(code, at: now) { deliver($0, $1) } }
    merger.want(new, at: now) { deliver($0, $1) }
  }

  /// Tells the plants that are taken what is wanted: each forgets it after some seconds.
  func sendWanted(_ codes: [InstrumentCode], to some: [Int]? = nil) {
    guard configuration.merger.isSelective, !codes.isEmpty else { return }
    for way in some ?? Array(streams.indices) where streams[way] != nil {
      let subject = subjects(way).want
      // Messages stay well below what a server takes.
      for start in stride(from: 0, to: codes.count, by: 50_000) {
        let part = WantedCodes.encoded(codes[start..<min(codes.count, start + 50_000)])
        for rail in ways[way].rails { buses[rail].publish(subject, bytes: part) }
      }
    }
  }

  // MARK: - Reports

  func tell(at now: UInt64) {
    let chosen = chooser.paths(at: now)
    var paths: [PathReport] = []
    for (number, candidate) in configuration.candidates.enumerated() {
      for (rail, bus) in buses.enumerated() {
        let way = wayNumbers[number][rail]
        guard way < chosen.count else { continue }
        let path = chosen[way]
        let heard = heardAt[number][rail]
        let counters =
          ways[way].rails.firstIndex(of: rail).flatMap { streams[way]?[$0] }
          .map { merger.counters(ofStream: $0) } ?? .init()
        let isUsed = path.isTaken && bus.state.isConnected
        var reason = path.reason.description
        var key = path.reason.key
        if let refusal = refusals[number] { (reason, key) = ("refused: " + refusal, "refused") }
        if !bus.state.isConnected { (reason, key) = ("rail \(bus.rail) \(bus.state)", "rail-away") }
        paths.append(
          PathReport(
            market: configuration.market, node: candidate.node, rail: bus.rail, site: candidate.site,
            zone: candidate.zone, nearness: candidate.nearness,
            state: path.beat.map { Self.name($0.state) } ?? "unheard", through: path.beat?.through ?? 0,
            lag: path.beat?.lag ?? 0, quietNanoseconds: heard == 0 ? nil : now &- heard, isUsed: isUsed,
            reason: reason, reasonKey: key, frames: counters.frames, delivered: counters.delivered,
            duplicates: counters.duplicates, bytes: counters.bytes))
      }
    }
    let position = merger.position
    let state = merger.sourceState.map(Self.name) ?? "recovering"
    let lag = paths.filter(\.isUsed).map(\.lag).min() ?? 0
    let nodes = Set(paths.filter(\.isUsed).map(\.node)).sorted()
    let counters = merger.counters
    let instruments = merger.instruments.count
    if counters.beyondInstruments > 0, !saidBeyond {
      saidBeyond = true
      outlets.log(
        .error,
        "\(configuration.market): more than \(configuration.merger.mostInstruments) instruments; what is told of others is passed over"
      )
    }
    shared.withLock { shared in
      shared.paths = paths
      shared.report.source = "backbone: " + (nodes.isEmpty ? "no stream" : nodes.joined(separator: ", "))
      shared.report.epoch = position?.epoch.description ?? ""
      shared.report.sequence = position?.sequence ?? 0
      shared.report.state = state
      shared.report.messages = counters.records
      shared.report.instruments = instruments
      shared.report.lagNanoseconds = lag
      shared.report.ringFill = outlets.rings.map(\.fill).max() ?? 0
      shared.report.ringWaits = ringWaits
      shared.report.fault = paths.contains(where: \.isUsed) ? nil : "no plant of the market is heard"
    }
  }

  private static func name(_ state: SourceState) -> String {
    switch state {
    case .live: "live"
    case .gap: "gap"
    case .silent: "silent"
    case .recovering: "recovering"
    case .ended: "ended"
    }
  }
}
