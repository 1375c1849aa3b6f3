// Which streams of a market to take: as many as the node merges, the nearest that are well. What isn't well is left at
// once; what is nearer and well again is taken back only after a while, so that nothing flaps.
// Of another site one stream over one rail is taken, so that a value crosses the line between the sites once: there each
// rail is a candidate of its own, and the first in the estate's order that is well is the one for all nodes of the site.
// One a market and node; single-writer. Pure: beats and times come in.
// Invariants: where anything gives something, something is taken; a path that is well is left only for a nearer one
// that has been well for long.

public import TickerPlant

/// See the head of this file.
public struct PathChooser: Sendable {
  /// How it chooses. Times are nanoseconds.
  public struct Configuration: Sendable {
    /// Streams to take at once.
    public var streams: Int
    /// Of them, those that may come from other sites: a second one would be each value across the line once more.
    public var mostAcross = 1
    /// Beats come this often.
    public var beatNanoseconds: UInt64 = 100_000_000
    /// Beats that may be missing.
    public var missedBeats = 3
    /// Standing still for longer while others advance is stale.
    public var staleNanoseconds: UInt64 = 300_000_000
    /// A path that is later than this is left.
    public var lagNanoseconds: UInt64 = 1_000_000_000
    /// How long a nearer path must have been well before a well one is left for it.
    public var returnNanoseconds: UInt64 = 5_000_000_000
    /// How long a path that failed must have been well before it fills an empty place.
    public var joinNanoseconds: UInt64 = 500_000_000
    /// How long a path isn't tried again that was taken and of no use.
    public var refusalNanoseconds: UInt64 = 10_000_000_000

    /// The defaults.
    public init(streams: Int) { self.streams = max(1, streams) }

    /// Silence after which beats count as missed: half a beat is allowed for.
    var silenceNanoseconds: UInt64 { beatNanoseconds * UInt64(missedBeats) + beatNanoseconds / 2 }
  }

  /// What a beat said.
  public struct Beat: Sendable, Equatable {
    /// The publisher's epoch.
    public var epoch: EpochKey
    /// The last message that it has told.
    public var through: UInt64
    /// How its source is.
    public var state: SourceState
    /// Whether its node serves.
    public var service: ServiceState
    /// How late it is, nanoseconds.
    public var lag: UInt64
    /// Whether its source lacks messages, whatever its state is now.
    public var hasGap: Bool

    /// A beat.
    public init(
      epoch: EpochKey, through: UInt64, state: SourceState = .live, service: ServiceState = .inService,
      lag: UInt64 = 0, hasGap: Bool = false
    ) {
      self.epoch = epoch
      self.through = through
      self.state = state
      self.service = service
      self.lag = lag
      self.hasGap = hasGap || state == .gap
    }
  }

  /// A path as people see it.
  public struct Path: Sendable, Equatable {
    /// The publisher.
    public var name: String
    /// How far it is.
    public var nearness: Nearness
    /// Whether it is taken.
    public var isTaken: Bool
    /// Why, or why not.
    public var reason: PathReason
    /// What it said last; nil = nothing.
    public var beat: Beat?
  }

  /// A change of what is taken.
  public struct Change: Sendable, Equatable {
    /// Candidates to take now.
    public var take: [Int]
    /// Candidates to take no more.
    public var leave: [Int]
    /// For people, one line each.
    public var notes: [String]
  }

  private struct Candidate: Sendable {
    var name: String
    var nearness: Nearness
    var isThere = true
    var beat: Beat?
    var heardAt: UInt64 = 0
    /// When others went on first and last while this one stood.
    var behind: (since: UInt64, until: UInt64)?
    /// Since when nothing is wrong; nil = something is.
    var wellSince: UInt64?
    var hasFailed = false
    /// What the merger said, in which epoch, and until when that holds.
    var refusal: (reason: PathRefusal, epoch: EpochKey?, until: UInt64)?
  }

  /// How it chooses.
  public let configuration: Configuration
  /// Candidates that are taken, in the order of their numbers.
  public private(set) var taken: [Int] = []
  private var candidates: [Candidate] = []

  /// A chooser without candidates.
  public init(_ configuration: Configuration) { self.configuration = configuration }

  /// Adds a publisher; gives its number.
  public mutating func add(_ name: String, nearness: Nearness) -> Int {
    candidates.append(Candidate(name: name, nearness: nearness))
    return candidates.count - 1
  }

  /// The estate has it no more.
  public mutating func remove(_ candidate: Int) {
    guard candidates.indices.contains(candidate) else { return }
    candidates[candidate].isThere = false
    candidates[candidate].beat = nil
  }

  /// A beat came.
  public mutating func hear(_ candidate: Int, _ beat: Beat, at now: UInt64) {
    guard candidates.indices.contains(candidate), candidates[candidate].isThere else { return }
    let before = candidates[candidate].beat
    if before?.epoch != beat.epoch || before?.through != beat.through {
      candidates[candidate].behind = nil
    }
    candidates[candidate].beat = beat
    candidates[candidate].heardAt = now
    if let refusal = candidates[candidate].refusal {
      // Another epoch, or this node's configuration: it may be of use now.
      let isOther = refusal.reason == .otherEpoch && refusal.epoch != beat.epoch
      if isOther || refusal.reason == .otherConfiguration { candidates[candidate].refusal = nil }
    }
    // Only one that goes on says that another stands still.
    guard let before, Self.isAhead(beat, of: before) else { return }
    for other in candidates.indices where other != candidate {
      guard let theirs = candidates[other].beat, Self.isAhead(beat, of: theirs) else { continue }
      candidates[other].behind = (candidates[other].behind?.since ?? now, now)
    }
  }

  /// The merger can't use what a candidate tells; it isn't tried again for a while.
  public mutating func refuse(_ candidate: Int, _ reason: PathRefusal, at now: UInt64) {
    guard candidates.indices.contains(candidate) else { return }
    candidates[candidate].refusal = (
      reason, candidates[candidate].beat?.epoch, now &+ configuration.refusalNanoseconds
    )
  }

  /// This node stood still for so long, nanoseconds until `now`: nobody was silent meanwhile.
  public mutating func forgive(_ pause: UInt64, at now: UInt64) {
    for place in candidates.indices where candidates[place].heardAt > 0 {
      candidates[place].heardAt = min(now, candidates[place].heardAt &+ pause)
      if let behind = candidates[place].behind {
        candidates[place].behind = (min(now, behind.since &+ pause), min(now, behind.until &+ pause))
      }
    }
  }

  private static func isAhead(_ a: Beat, of b: Beat) -> Bool {
    if a.epoch == b.epoch { return a.through > b.through }
    return a.epoch.day > b.epoch.day
  }

  // MARK: - Choice

  /// What is wrong with a candidate; `.well` where nothing is.
  private func fault(_ candidate: Candidate, at now: UInt64) -> PathReason {
    if let refusal = candidate.refusal, now < refusal.until { return .refused(refusal.reason) }
    guard let beat = candidate.beat else { return .neverHeard }
    let silence = now &- candidate.heardAt
    if candidate.heardAt < now, silence > configuration.silenceNanoseconds {
      return .missedBeats(Int(clamping: silence / max(1, configuration.beatNanoseconds)))
    }
    if let behind = candidate.behind, now > behind.since {
      // One step of the others may be a message that says nothing here; a long time isn't.
      let isLeft = behind.until - behind.since > configuration.staleNanoseconds
      let isOld = now - behind.since > configuration.staleNanoseconds * 10
      if isLeft || isOld { return .stale(now - behind.since) }
    }
    if beat.hasGap { return .gap }
    if beat.state == .silent { return .silent }
    if beat.service != .inService { return .outOfService(beat.service) }
    if beat.lag > configuration.lagNanoseconds { return .lag(beat.lag) }
    return beat.state == .recovering ? .recovering : .well
  }

  /// Chooses anew; nil where nothing changes. Call it after beats and at least ten times a second.
  public mutating func choose(at now: UInt64) -> Change? {
    var faults: [PathReason] = []
    for place in candidates.indices {
      let fault = fault(candidates[place], at: now)
      faults.append(fault)
      if fault.rank == 0 {
        if candidates[place].wellSince == nil { candidates[place].wellSince = now }
      } else {
        // Who was never well yet hasn't failed: a plant that starts is taken as soon as it is well.
        if candidates[place].wellSince != nil { candidates[place].hasFailed = true }
        candidates[place].wellSince = nil
      }
    }
    let wanted = wanted(faults, at: now)
    guard wanted != taken else { return nil }
    let take = wanted.filter { !taken.contains($0) }
    let leave = taken.filter { !wanted.contains($0) }
    var notes: [String] = []
    for place in leave {
      let reason =
        faults[place].rank > 0 ? faults[place].description : leftFor(place, take, at: now)
      notes.append("leaves \(candidates[place].name): \(reason)")
    }
    for place in take {
      notes.append("takes \(candidates[place].name) (\(candidates[place].nearness)): \(faults[place])")
    }
    taken = wanted
    return Change(take: take, leave: leave, notes: notes)
  }

  private func leftFor(_ place: Int, _ take: [Int], at now: UInt64) -> String {
    guard let better = take.first(where: { isBetter($0, than: place) }) else {
      return "nearer ones are enough"
    }
    let isNearer = candidates[better].nearness < candidates[place].nearness
    let how = isNearer ? "is nearer" : "is the one that the site takes"
    return "\(candidates[better].name) \(how) and well for \(wellFor(better, now) / 1_000_000_000) s"
  }

  /// Whether a candidate is to take another's place: a nearer one; beyond the shared line the first of the order, so
  /// that all nodes of a site take the same.
  private func isBetter(_ place: Int, than other: Int) -> Bool {
    let (near, far) = (candidates[place].nearness, candidates[other].nearness)
    return near < far || (near == far && near == .otherSite && place < other)
  }

  private func hasRoom(for place: Int, beside chosen: [Int]) -> Bool {
    guard chosen.count < configuration.streams else { return false }
    return candidates[place].nearness != .otherSite
      || chosen.count { candidates[$0].nearness == .otherSite } < configuration.mostAcross
  }

  private func wanted(_ faults: [PathReason], at now: UInt64) -> [Int] {
    let well = candidates.indices.filter { candidates[$0].isThere && faults[$0].rank == 0 }
    // The taken ones that are well stay; free places are filled with the nearest.
    var chosen = taken.filter { candidates[$0].isThere && faults[$0].rank == 0 }
    let others = well.filter { !chosen.contains($0) }.sorted { order($0, $1) }
    for place in others where hasRoom(for: place, beside: chosen) {
      if chosen.isEmpty || !candidates[place].hasFailed
        || wellFor(place, now) >= configuration.joinNanoseconds
      {
        chosen.append(place)
      }
    }
    // A better one that was well for long takes the place of the furthest.
    for place in others where !chosen.contains(place) {
      guard let furthest = chosen.max(by: { order($0, $1) }), isBetter(place, than: furthest),
        !candidates[place].hasFailed || wellFor(place, now) >= configuration.returnNanoseconds
      else { continue }
      chosen.removeAll { $0 == furthest }
      chosen.append(place)
    }
    if chosen.isEmpty {
      // Nothing is well: what gives most, and what is taken already before another that gives as much.
      let there = candidates.indices.filter {
        candidates[$0].isThere && faults[$0].rank < PathReason.neverHeard.rank
      }
      let best = there.min { a, b in
        let (left, right) = (faults[a].rank, faults[b].rank)
        if left != right { return left < right }
        let (holdsA, holdsB) = (taken.contains(a), taken.contains(b))
        if holdsA != holdsB { return holdsA }
        return order(a, b)
      }
      if let best { chosen = [best] }
      let more = there.filter { $0 != chosen.first && faults[$0].rank <= PathReason.silent.rank }
        .sorted { faults[$0].rank != faults[$1].rank ? faults[$0].rank < faults[$1].rank : order($0, $1) }
      for place in more where hasRoom(for: place, beside: chosen) { chosen.append(place) }
    }
    return chosen.sorted()
  }

  private func wellFor(_ place: Int, _ now: UInt64) -> UInt64 {
    candidates[place].wellSince.map { now > $0 ? now - $0 : 0 } ?? 0
  }

  private func order(_ a: Int, _ b: Int) -> Bool {
    candidates[a].nearness != candidates[b].nearness
      ? candidates[a].nearness < candidates[b].nearness : a < b
  }

  /// All paths with the reason for each, in the order of their numbers.
  public func paths(at now: UInt64) -> [Path] {
    candidates.indices.filter { candidates[$0].isThere }.map { place in
      let candidate = candidates[place]
      let isTaken = taken.contains(place)
      var reason = fault(candidate, at: now)
      if reason == .well, !isTaken {
        let time = wellFor(place, now)
        let isReturning = candidate.hasFailed && time < configuration.returnNanoseconds
        let isSecond =
          candidate.nearness == .otherSite && taken.contains { candidates[$0].nearness == .otherSite }
        reason = isReturning ? .returning(time) : isSecond ? .oneCrosses : .notNeeded
      }
      return Path(
        name: candidate.name, nearness: candidate.nearness, isTaken: isTaken, reason: reason,
        beat: candidate.beat)
    }
  }
}
