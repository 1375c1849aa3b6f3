// How the source is shown: told when it changes, never live where it isn't certain.

import MarketData
import TickerPlant

extension StreamMerger {
  /// Says how the source is where that has changed.
  @inline(__always)
  mutating func show(at now: UInt64, deliver: Deliver) {
    showBefore(at: now)
    if out.count > 0 { hand(false, deliver) }
  }

  /// The same, as the first record of what is being gathered.
  mutating func showBefore(at now: UInt64) {
    guard shownEpoch != nil || epoch != nil || !streams.isEmpty else { return }
    let state = state(at: now)
    guard state != shownState else { return }
    // Before anything was delivered there is no epoch to speak of.
    guard shownEpoch != nil else { return }
    if state == .gap, let gap = streams.first(where: { isHeard($0, at: now) && $0.hasGap })?.gap {
      shownGap = gap
    } else if state == .live {
      shownGap = (0, 0)
    }
    appendSource(state, sequence: shownSequence)
  }

  private func state(at now: UInt64) -> SourceState {
    var (heard, live, recovering) = (false, false, false)
    // An end that was shown is one until somebody says more of this epoch.
    var end = shownState == .ended && shownEpoch == epoch ? shownEnd : nil
    for stream in streams where isHeard(stream, at: now) {
      heard = true
      guard stream.epoch == epoch else { continue }
      switch stream.state {
      case .live: live = true
      case .recovering: recovering = true
      case .ended: if stream.through <= shownSequence { end = max(end ?? 0, stream.through) }
      case .gap, .silent: break
      }
    }
    if let end {
      // Who hasn't heard of the end yet, or again, is no proof against it; who goes on behind it is.
      live = streams.contains {
        isHeard($0, at: now) && $0.epoch == epoch && $0.state == .live && $0.through > end
      }
    }
    if isTainted { return .gap }
    guard heard else { return shownState == nil ? .recovering : .silent }
    if shownEpoch != epoch { return .recovering }
    for place in active where isOverdue(place, at: now) { return .recovering }
    if live { return .live }
    if end != nil { return .ended }
    return recovering ? .recovering : .silent
  }

  private var isTainted: Bool {
    if !configuration.isSelective { return coverages[0].isTainted }
    for place in active where coverages[place].isTainted { return true }
    return false
  }

  /// Something is missing for longer than another stream may take.
  private func isOverdue(_ place: Int, at now: UInt64) -> Bool {
    guard coverages[place].isWanted, coverages[place].lacks else { return false }
    // An instrument of which nothing is known yet is shown as such, and the others are as they are.
    if coverages[place].position == nil { return !configuration.isSelective }
    guard let since = coverages[place].since else { return false }
    return coverages[place].request != nil || now >= since &+ configuration.waitNanoseconds
  }
}

extension StreamMerger {
  /// For tests and people: what is thought of each stream and of what is missing.
  var picture: [String] {
    streams.filter(\.isTaken).map {
      "  \($0.name): \($0.state) \($0.epoch?.name.description ?? "-") \($0.through) heard \($0.heardAt ?? 0)"
    }
      + active.map {
        let coverage = coverages[$0]
        return
          "  lacks from \(coverage.position.map { "\($0)" } ?? "nothing"), floor \(coverage.floor), known \(coverage.known), "
          + "held \(coverage.held.count), tried \(coverage.tried), needs snapshot \(coverage.needsSnapshot), "
          + "tainted \(coverage.isTainted), request \(coverage.request.map { "\($0)" } ?? "-")"
      }
  }
}
