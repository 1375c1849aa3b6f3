// A client that takes nothing while very much changes for it: noting each change for each such client would cost more
// than all the others' prices. So once much waits, the client is passed over in its lane, and what it missed is found out
// when it takes something again: from the sequence numbers at which values changed, as for a resume.
// Quotes and books alone: they are states. What isn't named by a number (snapshots, staleness) still goes to the backlog.
// Owner: the event loop. Cost: nothing a change; a look at each of the client's instruments when it is over.

import TickerPlant

/// Since when a client has been passed over in a lane.
struct Lag {
  let lane: Int32
  /// By market: the last sequence number that the client has, or has waiting.
  let since: [UInt64]
  /// By instrument: the lane's changes until then.
  let changes: [UInt32]
}

extension Distributor {
  /// Instruments that wait before a client is passed over.
  static let lagInstruments = 64

  /// Whether a client is passed over for this item.
  @inline(__always)
  func isPassedOver(_ slot: Int32, _ item: OutboxItem) -> Bool {
    outbox.seats[Int(slot)].lagLane == item.lane
      && item.mask & Lane.specialBits == 0
  }

  /// Notes a client that much waits for: it is passed over when the lane's flush is done.
  func considerLag(_ client: Client, _ lane: Lane) {
    guard client.backlog.count >= Self.lagInstruments, client.lag == nil, lane.isState else { return }
    if beginningToLag.last != client.slot { beginningToLag.append(client.slot) }
  }

  /// At the end of a lane's flush: all that changed so far was given out, or waits.
  func beginLags(in lane: Lane) {
    for slot in beginningToLag {
      guard let client = seated[Int(slot)], client.lag == nil, !client.backlog.isEmpty else { continue }
      client.lag = Lag(lane: lane.id, since: markets.map(\.sequence), changes: lane.changes)
      outbox.seats[Int(slot)].lagLane = lane.id
    }
    beginningToLag.removeAll(keepingCapacity: true)
  }

  /// Puts what a client was passed over for into its backlog.
  func endLag(_ client: Client) {
    guard let lag = client.lag else { return }
    client.lag = nil
    outbox.seats[Int(client.slot)].lagLane = Seat.noLane
    let lane = lanes[Int(lag.lane)]
    let channel = lane.key.channel
    let named = client.wanted[channel.rawValue]
    func look(_ index: Int) {
      let before = index < lag.changes.count ? lag.changes[index] : 0
      let missed = lane.changes[index] &- before
      guard missed > 0 else { return }
      let image = images[index]
      let since = image.market < lag.since.count ? lag.since[image.market] : 0
      let mask = changes(channel, image, since: since).mask & ~Lane.staleBit
      guard mask != 0 else { return }
      postpone(
        client, Client.BacklogKey(lane: lane.id, instrument: Int32(truncatingIfNeeded: index)),
        Client.Waiting(mask: mask, from: 0, changes: UInt64(missed)))
    }
    if client.everything[channel.rawValue] === lane {
      for index in 0..<imageCount
      where named[Int32(truncatingIfNeeded: index)].map({ $0.lane === lane }) ?? true {
        look(index)
      }
    } else {
      for (index, membership) in named where membership.lane === lane { look(Int(index)) }
    }
  }
}
