// Who is in which lane. A client is in at most one lane for an instrument and channel: where its subscriptions
// overlap, the faster interval and the greater number of levels win, so that `seq` rises for it.
// Invariant: a slot is in a lane's lists exactly as `Client.wanted` and `Client.everything` say.

import TickerPlant

extension Distributor {
  // An instrument that a client wants by name has a lane of its own for that client, which joins the wishes of all
  // its subscriptions, "*" included; the lane of "*" passes such a client over (`flush`).

  func join(_ client: Client, _ lane: Lane, _ index: Int32) {
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

  func joinAll(_ client: Client, _ lane: Lane) {
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
        timing: a.key.timing || b.key.timing, encoding: a.key.encoding))
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

  func leave(_ client: Client, _ subscription: Client.Subscription) {
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
}
