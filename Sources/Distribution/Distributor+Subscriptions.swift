// What clients ask for: commands are carried out and answered, and a subscription begins with snapshots, or with what
// changed (Distributor+Resume). Which lane a client is in: Distributor+Membership.

import MarketData
import TickerPlant

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
    // A write that fails may read what came before the end: of a connection that is being sent to nothing is taken.
    guard clients[client.id] != nil, !client.isSending else { return }
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
      // What a change of lanes gave to others leaves before newer records come: their positions say how far they are.
      flushTouched(now: now)
    } catch {
      self.error(client, id: error.id, code: error.code, detail: error.detail, now: now)
    }
  }

  /// Resumes of one client that may wait at the same time, and positions of each; others are answered at once.
  static let mostPendingResumes = 8
  static let mostPositions = 64

  /// Carries out a command.
  public func perform(_ command: Command, for client: Client, now: UInt64) {
    guard !mustWait(command, of: client, now: now) else { return }
    isAnswering = true
    defer { isAnswering = false }
    switch command {
    case .ping(let id):
      scratch.removeAll()
      scratch.raw("{\"type\":\"pong\",\"id\":")
      if let id { scratch.string(id) } else { scratch.raw("null") }
      scratch.raw("}")
      answer(client)
      send(client, now)
    case .unsubscribe(let id):
      endLag(client)
      let isWaiting = cancelResume(client, id)
      let subscription = client.subscriptions.removeValue(forKey: id)
      guard isWaiting || subscription != nil else {
        return error(client, id: id, code: "unknown_id", detail: "no subscription has this id", now: now)
      }
      if let subscription {
        flushLanes(subscription.channel, now: now)
        send(client, now)
        guard !client.isGone else { return }
        leave(client, subscription)
        limitBudget(client, now)
      }
      scratch.removeAll()
      scratch.raw("{\"type\":\"unsubscribed\",\"id\":")
      scratch.string(id)
      scratch.raw("}")
      answer(client)
      send(client, now)
    case .subscribe(let request):
      cancelResume(client, request.id)
      if let positions = request.from, positions.count <= Self.mostPositions, mustWait(positions),
        pendingResumes.count(where: { $0.client === client }) < Self.mostPendingResumes
      {
        pendingResumes.append(PendingResume(client: client, request: request, until: now + 5_000))
      } else {
        subscribe(client, request, now: now)
      }
    }
  }

  /// Who is in a lane gets what waits: before clients change lanes, so that nothing comes twice or is left out.
  private func flushLanes(_ channel: StreamChannel, now: UInt64) {
    for lane in lanesByChannel[channel.rawValue] { flush(lane, now: now) }
  }

  func subscribe(_ client: Client, _ request: SubscriptionRequest, now: UInt64) {
    // What it was passed over for follows from the lanes it is in now.
    endLag(client)
    let wasAnswering = isAnswering
    isAnswering = true
    defer { isAnswering = wasAnswering }
    var indices: [Int32] = []
    let everything = request.instruments == ["*"]
    if everything, let market = selectiveMarket {
      return error(client, id: request.id, code: "whole_market", detail: Self.wholeMarket(market), now: now)
    }
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
    guard !client.isGone else { return }
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
        guard !client.isGone else { return }
      }
      leave(client, old)
    }
    want(indices.lazy.map { Int($0) }, now: now)
    let key = LaneKey(
      channel: request.channel, interval: Lane.step(for: request.interval),
      levels: request.channel == .books ? request.levels : 0, timing: request.timing,
      encoding: client.encoding)
    let lane = lane(for: key)
    client.subscriptions[request.id] = Client.Subscription(
      channel: request.channel, instruments: everything ? [] : indices, everything: everything,
      bytesPerSecond: request.bytesPerSecond)
    limitBudget(client, now)
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
    // What its budget held back goes with it, so that all it has been sent is in order.
    if !client.backlog.isEmpty, client.budget.rate > 0 { serveBacklog(client, withinBudget: false, now: now) }
  }

  /// The lowest that its subscriptions ask for holds.
  private func limitBudget(_ client: Client, _ now: UInt64) {
    client.budget.limit(to: client.subscriptions.values.compactMap(\.bytesPerSecond).min(), now: now)
  }

  /// The lane that carries an instrument to a client.
  func carrier(_ client: Client, _ lane: Lane, _ index: Int32) -> Lane {
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
    scratch.raw(",\"bytes_per_second\":")
    if client.budget.rate > 0 { scratch.integer(UInt64(client.budget.rate)) } else { scratch.raw("null") }
    scratch.raw("}")
    answer(client)
  }

  /// Tells a client what was wrong.
  public func error(_ client: Client, id: String?, code: String, detail: String, now: UInt64) {
    let wasAnswering = isAnswering
    isAnswering = true
    defer { isAnswering = wasAnswering }
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
