// A message whose records come in parts (a whole market that begins anew): between the parts the market's image is half
// one state and half another. Of such a market nothing leaves, neither by its lanes nor from a client's backlog nor as
// an answer in the stream; the other markets go on.
// Owner: the event loop. Bound: `mostWaitingCommands` commands wait; beyond it a client is told to ask again.

import TickerPlant

/// What a client asked for while half a message was there.
struct WaitingCommand {
  var client: Client
  var command: Command
}

extension Distributor {
  private static let mostWaitingCommands = 4096

  /// Whether half a message has changed the instrument.
  @inline(__always)
  func isIncomplete(_ instrument: Int32) -> Bool { incomplete.contains(images[Int(instrument)].market) }

  /// The market's message is there.
  func complete(_ tag: Int) {
    // What waited of it in lanes of every update goes out with the next flush.
    if incomplete.remove(tag) != nil { immediateDirty = true }
  }

  /// Takes out of a lane what must stay in it.
  func setAside(_ lane: Lane) -> [Int32] {
    let held = lane.dirty.filter { isIncomplete($0) }
    if !held.isEmpty { lane.dirty.removeAll { isIncomplete($0) } }
    return held
  }

  /// Whether a client's message has to wait: its answer would show half a message, or lose what waits in lanes.
  func mustWait(_ command: Command, of client: Client, now: UInt64) -> Bool {
    let id: String
    switch command {
    case .ping: return false
    case .subscribe(let request): id = request.id
    case .unsubscribe(let name): id = name
    }
    // Behind what waits of the same client it waits too: what it takes back must have been done.
    guard !incomplete.isEmpty || waitingCommands.contains(where: { $0.client === client }) else {
      return false
    }
    guard waitingCommands.count < Self.mostWaitingCommands else {
      error(
        client, id: id, code: "busy",
        detail: "a market begins anew and too much waits for it already; send this again in a second",
        now: now)
      return true
    }
    waitingCommands.append(WaitingCommand(client: client, command: command))
    return true
  }

  /// Answers what had to wait, where it needn't any more.
  func retryWaiting(now: UInt64) {
    guard incomplete.isEmpty else { return }
    if !waitingCommands.isEmpty {
      let commands = waitingCommands
      waitingCommands = []
      for waiting in commands where clients[waiting.client.id] != nil {
        perform(waiting.command, for: waiting.client, now: now)
      }
      flushTouched(now: now)
    }
    retryResumes(now: now)
  }
}
