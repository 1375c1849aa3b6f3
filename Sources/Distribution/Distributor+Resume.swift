// Going on after a reconnect: what changed since the client's position where all of that is still here, else snapshots
// and the range that was missed. A client that is ahead of this node waits until the node has come there.

import MarketData
import TickerPlant

/// A resume that waits for the source to come to where the client was.
struct PendingResume {
  var client: Client
  var request: SubscriptionRequest
  var until: UInt64
}

extension Distributor {
  /// Forgets a resume that waits; true where there was one.
  @discardableResult
  func cancelResume(_ client: Client, _ id: String) -> Bool {
    let before = pendingResumes.count
    pendingResumes.removeAll { $0.client === client && $0.request.id == id }
    return pendingResumes.count < before
  }

  func mustWait(_ positions: [ResumePosition]) -> Bool {
    positions.contains { position in
      markets.contains {
        // Numbers of a market of which only some instruments come don't say how far it is.
        guard $0.description.market == position.market, !$0.description.isSelective else { return false }
        if $0.epoch == position.epoch { return $0.sequence < position.sequence }
        return $0.epoch.isEmpty || isBehind($0, position.epoch)
      }
    }
  }

  /// Whether a client comes from a node that has begun a later day than this one.
  private func isBehind(_ market: MarketImage, _ epoch: String) -> Bool {
    guard let date = CalendarDate(String(epoch.suffix(10))) else { return false }
    return market.date < date
  }

  func retryResumes(now: UInt64) {
    guard incomplete.isEmpty, !pendingResumes.isEmpty else { return }
    let waiting = pendingResumes
    pendingResumes = []
    for pending in waiting where clients[pending.client.id] != nil {
      if now < pending.until, mustWait(pending.request.from ?? []) {
        pendingResumes.append(pending)
      } else {
        subscribe(pending.client, pending.request, now: now)
      }
    }
  }

  func resume(
    _ client: Client, _ request: SubscriptionRequest, _ lane: Lane, _ indices: [Int32],
    _ positions: [ResumePosition], now: UInt64
  ) {
    let key = lane.key
    var exact = true
    var missed: (from: UInt64, to: UInt64)?
    var whole: [Bool] = []
    for index in indices {
      let image = images[Int(index)]
      let market = markets[image.market]
      let position = positions.first {
        $0.market == market.description.market && $0.epoch == market.epoch && $0.sequence <= market.sequence
      }
      let needsSnapshot: Bool
      if let position {
        needsSnapshot =
          market.description.isSelective || !holdsAll(key.channel, image, since: position.sequence)
        if needsSnapshot {
          missed = (
            min(missed?.from ?? .max, position.sequence + 1),
            max(missed?.to ?? 0, sequence(of: Int(index), in: key.channel))
          )
        }
      } else {
        needsSnapshot = true
        if let known = positions.first(where: { $0.market == market.description.market }) {
          let from = known.epoch == market.epoch ? min(known.sequence, market.sequence) + 1 : 1
          missed = (min(missed?.from ?? .max, from), max(missed?.to ?? 0, market.sequence))
        }
      }
      whole.append(needsSnapshot)
      if needsSnapshot { exact = false }
    }
    scratch.removeAll()
    scratch.raw("{\"type\":\"resumed\",\"id\":")
    scratch.string(request.id)
    scratch.raw(exact ? ",\"mode\":\"exact\",\"missed\":" : ",\"mode\":\"snapshot\",\"missed\":")
    if let missed, !exact {
      scratch.raw("[")
      scratch.integer(missed.from)
      scratch.raw(",")
      scratch.integer(max(missed.from, missed.to))
      scratch.raw("]")
    } else {
      scratch.raw("null")
    }
    scratch.raw("}")
    answer(client)
    if client.encoding == .binary { tellNames(client, indices) }
    for (number, index) in indices.enumerated() {
      let market = markets[images[Int(index)].market]
      let lane = carrier(client, lane, index)
      if whole[number] {
        offer(client, lane, Int(index), Lane.snapshotBit, now: now)
        continue
      }
      let since =
        positions.first { $0.market == market.description.market && $0.epoch == market.epoch }?.sequence ?? 0
      var (mask, from) = changes(key.channel, images[Int(index)], since: since)
      // Of a source that is stale here since before that: who comes from another node doesn't know.
      if market.isStale {
        if mask & Lane.valueBits == 0 { from = .max }
        mask |= Lane.staleBit
      }
      if mask != 0 { offer(client, lane, Int(index), mask, from: from, now: now) }
    }
  }

  /// What changed of an instrument after `since`; for trades and bars also the number of the first new item.
  func changes(_ channel: StreamChannel, _ image: InstrumentImage, since: UInt64) -> (
    mask: UInt64, from: Int
  ) {
    var mask: UInt64 = 0
    var from = 0
    switch channel {
    case .quotes:
      for field in QuoteField.allCases where field != .stale && image.fieldSequence[field.rawValue] > since {
        mask |= field.bit
      }
    case .books: mask = image.bookSequence > since ? BookField.all : 0
    case .trades:
      from = image.trades.oldest
      while let item = image.trades[from], item.sequence <= since { from += 1 }
      mask = from < image.trades.total ? 1 : 0
    case .bars:
      from = max(0, image.closedCount - 4)
      while from < image.closedCount, let (_, sequence) = image.closedBar(from), sequence <= since {
        from += 1
      }
      mask = image.barSequence > since ? 1 : 0
    }
    // A source becomes stale without a message: at the number that the client may have.
    if image.fieldSequence[QuoteField.stale.rawValue] >= since { mask |= Lane.staleBit }
    let isTape = channel == .trades || channel == .bars
    if isTape,
      QuoteField.allCases.contains(where: {
        $0.bit & QuoteField.standing != 0 && image.fieldSequence[$0.rawValue] > since
      })
    {
      mask |= Lane.stateBit
    }
    if mask & Lane.valueBits == 0 { from = .max }
    return (mask, from)
  }

  /// Whether everything after `since` is still here: quotes and books are their newest state; trades and closed
  /// bars must not have been pushed out.
  private func holdsAll(_ channel: StreamChannel, _ image: InstrumentImage, since: UInt64) -> Bool {
    // Books made anew after a gap: what changed within it has no number of its own.
    if image.rebuiltAt > 0, since <= image.rebuiltAt { return false }
    // Nor has what changed before the image began (with a snapshot of another node, or of the store): a level that
    // went away, a trade that was broken.
    guard since >= image.startSequence else { return false }
    switch channel {
    case .quotes, .books: return true
    case .trades:
      let tail = image.trades
      return tail.oldest == 0 || (tail[tail.oldest]?.sequence ?? .max) <= since
    case .bars:
      guard image.closedCount > 4, let (_, oldest) = image.closedBar(image.closedCount - 4) else {
        return true
      }
      return oldest <= since
    }
  }
}
