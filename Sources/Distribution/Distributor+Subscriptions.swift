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
        detail: "more than \(client.limits.messagesPerSecond) messages a second; wait and send again", now: now)
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
      client.append(scratch.bytes)
      send(client, now)
    case .unsubscribe(let id):
      guard let subscription = client.subscriptions.removeValue(forKey: id) else {
        return error(client, id: id, code: "unknown_id", detail: "no subscription has this id", now: now)
      }
      leave(client, subscription)
      scratch.removeAll()
      scratch.raw("{\"type\":\"unsubscribed\",\"id\":")
      scratch.string(id)
      scratch.raw("}")
      client.append(scratch.bytes)
      send(client, now)
    case .subscribe(let request):
      if let positions = request.from, mustWait(positions) {
        pendingResumes.append(PendingResume(client: client, request: request, until: now + 5_000))
      } else {
        subscribe(client, request, now: now)
      }
    }
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
    if let old = client.subscriptions.removeValue(forKey: request.id) { leave(client, old) }
    let held = client.wanted.reduce(0) { $0 + $1.count }
    guard client.subscriptions.count < client.limits.subscriptionIDs,
      everything || held + indices.count <= client.limits.subscriptions
    else {
      return error(
        client, id: request.id, code: "too_many_subscriptions",
        detail: "at most \(client.limits.subscriptions) instruments and \(client.limits.subscriptionIDs) ids; unsubscribe some first",
        now: now)
    }
    let key = LaneKey(
      channel: request.channel, interval: Lane.step(for: request.interval),
      levels: request.channel == .books ? request.levels : 0, timing: request.timing)
    let lane = lane(for: key)
    // Those who are in the lane get what waits first, so that the newcomer doesn't get it again after its snapshot.
    flush(lane, now: now)
    client.subscriptions[request.id] = Client.Subscription(
      channel: request.channel, instruments: everything ? [] : indices, everything: everything)
    if everything {
      joinAll(client, lane)
    } else {
      for index in indices { join(client, lane, index) }
    }
    confirm(client, request, key, count: indices.count)
    if let positions = request.from {
      resume(client, request, key, indices, positions, now: now)
    } else {
      for index in indices {
        scratch.removeAll()
        snapshot(key, Int(index), into: &scratch)
        put(client, now: now)
      }
    }
    if client.events > 0 { send(client, now) }
  }

  private func put(_ client: Client, now: UInt64) {
    client.append(scratch.bytes)
    counters.delivered &+= 1
    if client.frame.count >= Self.frameBytes { send(client, now) }
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
    client.append(scratch.bytes)
  }

  // MARK: - Resume

  private func resume(
    _ client: Client, _ request: SubscriptionRequest, _ key: LaneKey, _ indices: [Int32],
    _ positions: [ResumePosition], now: UInt64
  ) {
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
            min(missed?.from ?? .max, position.sequence + 1), max(missed?.to ?? 0, sequence(of: Int(index), in: key.channel))
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
    client.append(scratch.bytes)
    for (number, index) in indices.enumerated() {
      let image = images[Int(index)]
      let market = markets[image.market]
      scratch.removeAll()
      if whole[number] {
        snapshot(key, Int(index), into: &scratch)
        put(client, now: now)
        continue
      }
      let since = positions.first { $0.market == market.description.market && $0.epoch == market.epoch }?.sequence ?? 0
      guard sequence(of: Int(index), in: key.channel) > since || image.fieldSequence[QuoteField.stale.rawValue] > since
      else { continue }
      let events = encodeSince(key, Int(index), since)
      if events > 0 {
        client.events += events - 1
        put(client, now: now)
      }
    }
  }

  private func encodeSince(_ key: LaneKey, _ index: Int, _ since: UInt64) -> Int {
    let image = images[index]
    switch key.channel {
    case .quotes:
      var mask: UInt64 = 0
      for field in QuoteField.allCases where image.fieldSequence[field.rawValue] > since { mask |= field.bit }
      return mask == 0 ? 0 : encode(key, index, mask: mask, from: 0)
    case .books: return encode(key, index, mask: BookField.all, from: 0)
    case .trades:
      var number = image.trades.oldest
      while number < image.trades.total, let item = image.trades[number], item.sequence <= since { number += 1 }
      return number == image.trades.total ? 0 : encode(key, index, mask: 1, from: number)
    case .bars:
      var number = max(0, image.closedCount - 4)
      while number < image.closedCount, let (_, sequence) = image.closedBar(number), sequence <= since { number += 1 }
      return encode(key, index, mask: 1, from: number)
    }
  }

  /// Whether everything after `since` is still here: quotes and books are their newest state; trades and closed
  /// bars must not have been pushed out.
  private func holdsAll(_ channel: StreamChannel, _ image: InstrumentImage, since: UInt64) -> Bool {
    switch channel {
    case .quotes, .books: return true
    case .trades:
      let tail = image.trades
      if tail.oldest == 0, UInt64(tail.total) >= image.statistics.trades { return true }
      return (tail[tail.oldest]?.sequence ?? .max) <= since
    case .bars:
      guard since >= image.startSequence else { return false }
      guard image.closedCount > 4, let (_, oldest) = image.closedBar(image.closedCount - 4) else { return true }
      return oldest <= since
    }
  }

  // MARK: - Lanes

  private func join(_ client: Client, _ lane: Lane, _ index: Int32) {
    let channel = lane.key.channel.rawValue
    if var membership = client.wanted[channel][index] {
      membership.count += 1
      if client.everything[channel] == nil, membership.lane !== lane, Self.isBetter(lane.key, than: membership.lane.key) {
        detach(client, membership.lane, index)
        membership.lane = Self.joined(self, lane.key, membership.lane.key)
        attach(client, membership.lane, index)
      }
      client.wanted[channel][index] = membership
      return
    }
    client.wanted[channel][index] = Client.Membership(lane: lane, count: 1)
    if client.everything[channel] == nil { attach(client, lane, index) }
  }

  private func joinAll(_ client: Client, _ lane: Lane) {
    let channel = lane.key.channel.rawValue
    if let old = client.everything[channel] {
      old.everyone.removeAll { $0 === client }
      old.members -= 1
    } else {
      for (index, membership) in client.wanted[channel] { detach(client, membership.lane, index) }
    }
    client.everything[channel] = lane
    lane.everyone.append(client)
    lane.members += 1
  }

  private static func isBetter(_ new: LaneKey, than old: LaneKey) -> Bool {
    new.interval < old.interval || new.levels > old.levels || (new.timing && !old.timing)
  }

  private static func joined(_ self: Distributor, _ a: LaneKey, _ b: LaneKey) -> Lane {
    self.lane(
      for: LaneKey(
        channel: a.channel, interval: min(a.interval, b.interval), levels: max(a.levels, b.levels),
        timing: a.timing || b.timing))
  }

  private func attach(_ client: Client, _ lane: Lane, _ index: Int32) {
    lane.subscribers[Int(index)].append(client)
    lane.members += 1
  }

  private func detach(_ client: Client, _ lane: Lane, _ index: Int32) {
    if let place = lane.subscribers[Int(index)].firstIndex(where: { $0 === client }) {
      lane.subscribers[Int(index)].remove(at: place)
      lane.members -= 1
    }
    client.backlog[Client.BacklogKey(lane: lane.id, instrument: index)] = nil
  }

  private func leave(_ client: Client, _ subscription: Client.Subscription) {
    let channel = subscription.channel.rawValue
    if subscription.everything {
      let stays = client.subscriptions.values.contains { $0.everything && $0.channel == subscription.channel }
      if !stays, let lane = client.everything[channel] {
        lane.everyone.removeAll { $0 === client }
        lane.members -= 1
        client.everything[channel] = nil
        client.backlog = client.backlog.filter { $0.key.lane != lane.id }
        for (index, membership) in client.wanted[channel] { attach(client, membership.lane, index) }
      }
    }
    for index in subscription.instruments {
      guard var membership = client.wanted[channel][index] else { continue }
      membership.count -= 1
      if membership.count == 0 {
        client.wanted[channel][index] = nil
        if client.everything[channel] == nil { detach(client, membership.lane, index) }
      } else {
        client.wanted[channel][index] = membership
      }
    }
  }

  func removeAll(_ client: Client, _ channel: StreamChannel) {
    if let lane = client.everything[channel.rawValue] {
      lane.everyone.removeAll { $0 === client }
      lane.members -= 1
      client.everything[channel.rawValue] = nil
    } else {
      for (index, membership) in client.wanted[channel.rawValue] { detach(client, membership.lane, index) }
    }
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
    client.append(scratch.bytes)
    send(client, now)
  }
}
