// Heartbeats: the whole one says how far each source is, so nothing older may wait in a lane when it leaves; it comes
// in a long silence alone. A client that must notice a frozen server soon asks for beats at a shorter period: these
// are short, say nothing of positions, and so leave lanes and budgets as they are.
// Owner: the event loop. Cost: each second a look at every client, each 20 ms one at those that asked.

import TickerPlant

extension Distributor {
  /// Milliseconds that a client may ask for between beats.
  public static let heartbeatRange = 50...60_000

  /// Milliseconds between looks at clients that asked for quick beats.
  static let quickBeatMilliseconds: UInt64 = 20

  /// Milliseconds of silence before a client's whole heartbeat.
  private func wholePeriod(_ client: Client) -> UInt64 {
    guard let asked = client.heartbeatMilliseconds else { return heartbeatMilliseconds }
    return max(asked, heartbeatMilliseconds)
  }

  func sendHeartbeats(now: UInt64) {
    guard clients.values.contains(where: { now &- $0.lastWhole >= wholePeriod($0) }) else { return }
    // A heartbeat says how far a client is: nothing older may wait in a slow lane.
    for lane in lanes { flush(lane, now: now) }
    flushTouched(now: now)
    var due: [UInt64: [Client]] = [:]
    for client in clients.values where now &- client.lastWhole >= wholePeriod(client) && client.isOpen {
      due[client.conflated, default: []].append(client)
    }
    for (conflated, clients) in due {
      scratch.removeAll()
      heartbeat(conflated: conflated, into: &scratch)
      answer(clients)
    }
    flushTouched(now: now)
  }

  func sendQuickBeats(now: UInt64) {
    var due: [Beat: [Client]] = [:]
    for client in quick.values {
      // A beat is due a step early rather than late. Who has something in its seat is sent that.
      let period = max(client.heartbeatMilliseconds ?? heartbeatMilliseconds, Self.quickBeatMilliseconds)
      guard now &- client.lastSent &+ Self.quickBeatMilliseconds / 2 >= period, !client.touched,
        !client.isSending,
        client.transport?.canTakeMore ?? false
      else { continue }
      due[Beat(conflated: client.conflated, every: period), default: []].append(client)
    }
    guard !due.isEmpty else { return }
    isBeating = true
    defer { isBeating = false }
    for (beat, clients) in due {
      scratch.removeAll()
      shortHeartbeat(beat, into: &scratch)
      let number = post(events: 1, lane: OutboxItem.answer)
      for client in clients {
        put(client, number, fast: false)
        send(client, now)
      }
    }
    flushTouched(now: now)
  }

  /// What short beats differ in.
  private struct Beat: Hashable {
    var conflated: UInt64
    var every: UInt64
  }

  private func shortHeartbeat(_ beat: Beat, into writer: inout JSONWriter) {
    writer.raw("{\"type\":\"heartbeat\",\"time\":")
    if let market = markets.first { writer.newestTime(market) } else { writer.raw("null") }
    writer.raw(",\"conflated\":")
    writer.integer(beat.conflated)
    writer.raw(",\"every\":")
    writer.integer(beat.every)
    writer.raw("}")
  }
}
