// Who can't take more: what changed gathers in the client's backlog, and the newest values go out when its transport
// takes them and its budget allows. Everything that waits goes in one turn, in the order of sequence numbers: so no
// instrument waits for ever behind others, and a client that loses its line meanwhile can resume.
// What newer values replaced is counted and told (`conflated`), in these events alone.

import TickerPlant

extension Distributor {
  /// Remembers what changed instead of queueing it. `events`: how many events it would have been.
  func postpone(
    _ client: Client, _ lane: Lane, _ index: Int, _ mask: UInt64, _ from: Int, events: Int = 1, _ now: UInt64
  ) {
    var changes = mask & Lane.valueBits == 0 ? 0 : 1
    if changes > 0, mask & Lane.snapshotBit == 0 {
      changes = max(1, events - (mask & Lane.standingBits).nonzeroBitCount)
    }
    postpone(
      client, Client.BacklogKey(lane: lane.id, instrument: Int32(truncatingIfNeeded: index)),
      Client.Waiting(mask: mask, from: from, changes: UInt64(changes)))
  }

  func postpone(_ client: Client, _ key: Client.BacklogKey, _ new: Client.Waiting) {
    guard !client.isGone else { return }
    if client.backlog.isEmpty {
      client.progress.reset()
      waiting[client.id] = client
    }
    guard let old = client.backlog[key] else {
      client.backlog[key] = new
      return
    }
    client.backlog[key] = Client.Waiting(
      mask: old.mask | new.mask, from: min(old.from, new.from), changes: old.changes + new.changes)
  }

  /// Sends what waited for a client, if its transport takes it now and its budget allows.
  public func serveBacklog(_ client: Client, now: UInt64) {
    serveBacklog(client, withinBudget: true, now: now)
  }

  func serveBacklog(_ client: Client, withinBudget: Bool, now: UInt64) {
    guard let transport = client.transport, !client.isSending else { return }
    guard transport.canTakeMore else {
      guard !client.backlog.isEmpty else { return }
      let limit = client.limits.stuckMilliseconds
      if client.progress.isStuck(limit: limit, now: now, takenBytes: { transport.takenBytes }) {
        dropStuck(client)
      }
      return
    }
    if !incomplete.isEmpty, client.lag == nil, client.backlog.keys.allSatisfy({ isIncomplete($0.instrument) })
    {
      return
    }
    client.progress.reset()
    // Not the client is slow: it wanted so much and no more.
    if withinBudget, !client.budget.hasEnough(forWaiting: client.backlog.count, now: now) { return }
    endLag(client)
    // Also of what it was passed over for.
    let held = incomplete.isEmpty ? [] : client.backlog.filter { isIncomplete($0.key.instrument) }.map { $0 }
    for (key, _) in held { client.backlog[key] = nil }
    let entries = client.backlog.sorted {
      sequence(of: Int($0.key.instrument), in: lanes[Int($0.key.lane)].key.channel)
        < sequence(of: Int($1.key.instrument), in: lanes[Int($1.key.lane)].key.channel)
    }
    client.backlog.removeAll(keepingCapacity: entries.count <= 64)
    let mark = outbox.mark
    var gathered = 0
    for (key, entry) in entries {
      guard client.backlog.isEmpty, client.transport?.canTakeMore ?? false else {
        postpone(client, key, entry)
        continue
      }
      let lane = lanes[Int(key.lane)]
      changesWaiting = entry.changes
      conflatedNow = 0
      // What the lane gathered since its last flush goes with it: `served` says that the client has all up to here.
      let ahead = lane.masks[Int(key.instrument)] & Lane.valueBits
      let mask = lane.isState ? entry.mask | ahead : entry.mask
      let item = encodeItem(lane, Int(key.instrument), mask: mask, from: entry.from)
      changesWaiting = 0
      client.conflated &+= conflatedNow
      counters.conflated &+= conflatedNow
      guard let item else { continue }
      if lane.masks[Int(key.instrument)] != 0, lane.key.channel != .bars {
        client.served[key] = newest(lane.key.channel, Int(key.instrument))
      }
      put(client, item, fast: false)
      gathered += Int(outbox.items[Int(item)].byteCount)
      if gathered >= Self.frameBytes {
        gathered = 0
        send(client, now)
      }
    }
    send(client, now)
    forgetItems(since: mark)
    for (key, entry) in held { postpone(client, key, entry) }
    if client.backlog.isEmpty { waiting[client.id] = nil }
  }

  private func dropStuck(_ client: Client) {
    counters.stuck &+= 1
    client.transport?.close(
      code: 4001,
      reason:
        "too slow: nothing was taken for \(client.limits.stuckMilliseconds / 1000) s; reconnect and resume"
    )
    remove(client)
  }
}
