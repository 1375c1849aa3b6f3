// Subscriptions: who is in which lane, snapshots at the start, resuming after a reconnect.
// A client is in at most one lane for an instrument and channel: where its subscriptions overlap, the faster
// interval and the greater number of levels win, so that `seq` rises for it.

import MarketData
import TickerPlant

/// A resume that waits for the source to come to where the client was.
struct PendingResume {
  var client: Client
  var request: SubscriptionRequest
  var until: UInt64
}

extension Distributor {
  /// What a name stands for.
  enum Resolution {
    case found(Int)
    case ambiguous
    case unknown
  }

  func resolve(_ name: String) -> Resolution {
    guard let index = byName[name] else { return .unknown }
    return index == -2 ? .ambiguous : .found(Int(index))
  }

  /// Takes a client's message: answers go out at once.
  public func receive(_ bytes: [UInt8], from client: Client, now: UInt64) {
    guard clients[client.id] != nil else { return }
    guard client.mayReceive(now: now) else {
      error(
        client, id: nil, code: "rate_exceeded",
        detail: "more than \(client.limits.messagesPerSecond) messages a second; wait and send again",
        now: now)
      client.transport?.close(code: 1008, reason: "rate exceeded")
      remove(client)
      return
    }
    do throws(CommandError) {
      perform(try Command(json: bytes), for: client, now: now)
    } catch {
      self.error(client, id: error.id, code: error.code, detail: error.detail, now: now)
    }
  }

  /// Carries out a command.
  public func perform(_ command: Command, for client: Client, now: UInt64) {
    switch command {
    case .ping(let id):
      scratch.removeAll()
      scratch.raw("{\"type\":\"pong\",\"id\":")
      if let id { scratch.string(id) } else { scratch.raw("null") }
      scratch.raw("}")
      answer(client)
      send(client, now)
    case .unsubscribe(let id):
      let isWaiting = cancelResume(client, id)
      let subscription = client.subscriptions.removeValue(forKey: id)
      guard isWaiting || subscription != nil else {
        return error(client, id: id, code: "unknown_id", detail: "no subscription has this id", now: now)
      }
      if let subscription {
        flushLanes(subscription.channel, now: now)
        send(client, now)
        leave(client, subscription)
      }
      scratch.removeAll()
      scratch.raw("{\"type\":\"unsubscribed\",\"id\":")
      scratch.string(id)
      scratch.raw("}")
      answer(client)
      send(client, now)
    case .subscribe(let request):
      cancelResume(client, request.id)
      if let positions = request.from, mustWait(positions) {
        pendingResumes.append(PendingResume(client: client, request: request, until: now + 5_000))
      } else {
        subscribe(client, request, now: now)
      }
    }
  }

  /// Forgets a resume that waits; true where there was one.
  @discardableResult
  private func cancelResume(_ client: Client, _ id: String) -> Bool {
    let before = pendingResumes.count
    pendingResumes.removeAll { $0.client === client && $0.request.id == id }
    return pendingResumes.count < before
  }

  /// Who is in a lane gets what waits: before clients change lanes, so that nothing comes twice or is left out.
  private func flushLanes(_ channel: StreamChannel, now: UInt64) {
    for lane in lanesByChannel[channel.rawValue] { flush(lane, now: now) }
  }

  private func mustWait(_ positions: [ResumePosition]) -> Bool {
    positions.contains { position in
      markets.contains {
        $0.description.market == position.market && $0.sequence < position.sequence
          && ($0.epoch == position.epoch || $0.epoch.isEmpty)
      }
    }
  }

  func retryResumes(now: UInt64) {
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

  private func subscribe(_ client: Client, _ request: SubscriptionRequest, now: UInt64) {
    var indices: [Int32] = []
    let everything = request.instruments == ["*"]
    if everything {
      indices = (0..<Int32(imageCount)).map { $0 }
    } else {
      var seen: Set<Int32> = []
      var faults: [String] = []
      for name in request.instruments {
        switch resolve(name) {
        case .found(let index): if seen.insert(Int32(index)).inserted { indices.append(Int32(index)) }
        case .ambiguous: faults.append("\(name) (in several markets: write CODE.MARKET)")
        case .unknown: faults.append(String(name.prefix(32)))
        }
      }
      if !faults.isEmpty {
        error(
          client, id: request.id, code: "unknown_instrument",
          detail: "not known: " + faults.prefix(20).joined(separator: ", ")
            + (faults.count > 20 ? " and \(faults.count - 20) more" : ""), now: now)
        if indices.isEmpty { return }
      }
    }
    flushLanes(request.channel, now: now)
    send(client, now)
    // The limits first: a request that can't be met leaves what there was.
    let old = client.subscriptions[request.id]
    var freed: Set<Int32> = []
    if let old, old.channel == request.channel {
      freed = Set(old.instruments.filter { client.wanted[old.channel.rawValue][$0]?.count == 1 })
    }
    let held = client.wanted.reduce(0) { $0 + $1.count } - freed.count
    let added = indices.reduce(0) {
      $0 + (client.wanted[request.channel.rawValue][$1] == nil || freed.contains($1) ? 1 : 0)
    }
    guard client.subscriptions.count - (old == nil ? 0 : 1) < client.limits.subscriptionIDs,
      everything || held + added <= client.limits.subscriptions
    else {
      return error(
        client, id: request.id, code: "too_many_subscriptions",
        detail:
          "at most \(client.limits.subscriptions) instruments and \(client.limits.subscriptionIDs) ids; unsubscribe some first",
        now: now)
    }
    if let old {
      client.subscriptions[request.id] = nil
      if old.channel != request.channel {
        flushLanes(old.channel, now: now)
        send(client, now)
      }
      leave(client, old)
    }
    let key = LaneKey(
      channel: request.channel, interval: Lane.step(for: request.interval),
      levels: request.channel == .books ? request.levels : 0, timing: request.timing)
    let lane = lane(for: key)
    client.subscriptions[request.id] = Client.Subscription(
      channel: request.channel, instruments: everything ? [] : indices, everything: everything)
    if everything {
      joinAll(client, lane)
    } else {
      for index in indices { join(client, lane, index) }
    }
    let mark = outbox.mark
    confirm(client, request, key, count: indices.count)
    if let positions = request.from {
      resume(client, request, lane, indices, positions, now: now)
    } else {
      for index in indices {
        offer(client, carrier(client, lane, index), Int(index), Lane.snapshotBit, now: now)
      }
    }
    send(client, now)
    forgetItems(since: mark)
  }

  /// The lane that carries an instrument to a client.
  private func carrier(_ client: Client, _ lane: Lane, _ index: Int32) -> Lane {
    let channel = lane.key.channel.rawValue
    return client.wanted[channel][index]?.lane ?? client.everything[channel] ?? lane
  }

  private func confirm(_ client: Client, _ request: SubscriptionRequest, _ key: LaneKey, count: Int) {
    scratch.removeAll()
    scratch.raw("{\"type\":\"subscribed\",\"id\":")
    scratch.string(request.id)
    scratch.raw(",\"channel\":")
    scratch.string(key.channel.name)
    scratch.raw(",\"interval\":")
    scratch.integer(key.interval)
    scratch.raw(",\"levels\":")
    if key.channel == .books { scratch.integer(UInt64(key.levels)) } else { scratch.raw("null") }
    scratch.raw(",\"instruments\":")
    scratch.integer(UInt64(count))
    scratch.raw("}")
    answer(client)
  }

  // MARK: - Resume

  private func resume(
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
        needsSnapshot = !holdsAll(key.channel, image, since: position.sequence)
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
    for (number, index) in indices.enumerated() {
      let market = markets[images[Int(index)].market]
      let lane = carrier(client, lane, index)
      if whole[number] {
        offer(client, lane, Int(index), Lane.snapshotBit, now: now)
        continue
      }
      let since =
        positions.first { $0.market == market.description.market && $0.epoch == market.epoch }?.sequence ?? 0
      let (mask, from) = changes(key.channel, images[Int(index)], since: since)
      if mask != 0 { offer(client, lane, Int(index), mask, from: from, now: now) }
    }
  }

  /// What changed of an instrument after `since`; for trades and bars also the number of the first new item.
  private func changes(_ channel: StreamChannel, _ image: InstrumentImage, since: UInt64) -> (
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
    if mask == 0 || mask == Lane.staleBit { from = .max }
    return (mask, from)
  }

  /// Whether everything after `since` is still here: quotes and books are their newest state; trades and closed
  /// bars must not have been pushed out.
  private func holdsAll(_ channel: StreamChannel, _ image: InstrumentImage, since: UInt64) -> Bool {
    switch channel {
    case .quotes, .books: return true
    case .trades:
      // Breaks before the image began aren't in it.
      guard since >= image.startSequence else { return false }
      let tail = image.trades
      return tail.oldest == 0 || (tail[tail.oldest]?.sequence ?? .max) <= since
    case .bars:
      guard since >= image.startSequence else { return false }
      guard image.closedCount > 4, let (_, oldest) = image.closedBar(image.closedCount - 4) else {
        return true
      }
      return oldest <= since
    }
  }

  // MARK: - Lanes

  // An instrument that a client wants by name has a lane of its own for that client, which joins the wishes of all
  // its subscriptions, "*" included; the lane of "*" passes such a client over (`flush`).

  private func join(_ client: Client, _ lane: Lane, _ index: Int32) {
    let channel = lane.key.channel.rawValue
    let old = client.wanted[channel][index]
    var wished = lane
    if let other = old?.lane ?? client.everything[channel] { wished = joined(lane, other) }
    client.wanted[channel][index] = Client.Membership(lane: wished, count: (old?.count ?? 0) + 1)
    outbox.seats[Int(client.slot)].namedChannels |= 1 << UInt32(channel)
    guard wished !== old?.lane else { return }
    if let old { detach(client, old.lane, index) }
    // What waits on the way of "*" is replaced by what the new subscription begins with.
    if let lane = client.everything[channel] {
      client.backlog[Client.BacklogKey(lane: lane.id, instrument: index)] = nil
    }
    attach(client, wished, index)
  }

  private func joinAll(_ client: Client, _ lane: Lane) {
    let channel = lane.key.channel.rawValue
    var wished = lane
    if let old = client.everything[channel] {
      wished = joined(lane, old)
      leaveAll(client, old)
    }
    client.everything[channel] = wished
    wished.everyone.append(client.slot)
    count(1, in: wished)
    for (index, membership) in client.wanted[channel] {
      let better = joined(membership.lane, wished)
      guard better !== membership.lane else { continue }
      detach(client, membership.lane, index)
      attach(client, better, index)
      client.wanted[channel][index]?.lane = better
    }
  }

  /// The lane with the faster interval and the greater number of levels of both.
  private func joined(_ a: Lane, _ b: Lane) -> Lane {
    lane(
      for: LaneKey(
        channel: a.key.channel, interval: min(a.key.interval, b.key.interval),
        levels: max(a.key.levels, b.key.levels),
        timing: a.key.timing || b.key.timing))
  }

  private func leaveAll(_ client: Client, _ lane: Lane) {
    let channel = lane.key.channel.rawValue
    lane.everyone.removeAll { $0 == client.slot }
    count(-1, in: lane)
    client.everything[channel] = nil
    client.backlog = client.backlog.filter {
      $0.key.lane != lane.id || client.wanted[channel][$0.key.instrument] != nil
    }
    client.served = client.served.filter { $0.key.lane != lane.id }
  }

  private func attach(_ client: Client, _ lane: Lane, _ index: Int32) {
    lane.subscribers[Int(index)].append(client.slot)
    count(1, in: lane)
  }

  private func detach(_ client: Client, _ lane: Lane, _ index: Int32) {
    if let place = lane.subscribers[Int(index)].firstIndex(of: client.slot) {
      lane.subscribers[Int(index)].swapAt(place, lane.subscribers[Int(index)].count - 1)
      lane.subscribers[Int(index)].removeLast()
      count(-1, in: lane)
    }
    let key = Client.BacklogKey(lane: lane.id, instrument: index)
    client.backlog[key] = nil
    client.served[key] = nil
  }

  private func leave(_ client: Client, _ subscription: Client.Subscription) {
    let channel = subscription.channel.rawValue
    if subscription.everything {
      let stays = client.subscriptions.values.contains { $0.everything && $0.channel == subscription.channel }
      if !stays, let lane = client.everything[channel] { leaveAll(client, lane) }
    }
    for index in subscription.instruments {
      guard var membership = client.wanted[channel][index] else { continue }
      membership.count -= 1
      client.wanted[channel][index] = membership.count == 0 ? nil : membership
      guard membership.count == 0 else { continue }
      let waiting = client.backlog[Client.BacklogKey(lane: membership.lane.id, instrument: index)]
      detach(client, membership.lane, index)
      // What waits is still wanted where "*" stays.
      if let lane = client.everything[channel], let waiting {
        client.backlog[Client.BacklogKey(lane: lane.id, instrument: index)] = waiting
      }
    }
  }

  func removeAll(_ client: Client, _ channel: StreamChannel) {
    if let lane = client.everything[channel.rawValue] { leaveAll(client, lane) }
    for (index, membership) in client.wanted[channel.rawValue] { detach(client, membership.lane, index) }
    client.wanted[channel.rawValue] = [:]
  }

  /// Tells a client what was wrong.
  public func error(_ client: Client, id: String?, code: String, detail: String, now: UInt64) {
    scratch.removeAll()
    scratch.raw("{\"type\":\"error\",\"id\":")
    if let id { scratch.string(id) } else { scratch.raw("null") }
    scratch.raw(",\"code\":")
    scratch.string(code)
    scratch.raw(",\"detail\":")
    scratch.string(detail)
    scratch.raw("}")
    answer(client)
    send(client, now)
  }
}
