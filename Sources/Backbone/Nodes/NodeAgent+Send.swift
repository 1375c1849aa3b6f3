// How an operator's tool tells a node something and hears its answer.

import Foundation
import Synchronization

extension NodeAgent {
  /// Tells a node something, as an operator does, and waits for what it answers; on one rail after the other.
  /// - Throws: `BusError` where nobody answers in time.
  public static func send(
    _ command: NodeCommand, to node: String, from sender: String, over buses: [any Bus], seconds: Double = 2
  ) async throws(BusError) -> NodeAnswer {
    for bus in buses where bus.state.isConnected {
      let reply = "_INBOX.\(StreamSubjects.word(sender)).command\(UInt64.random(in: 0...UInt64.max))"
      let answers = AnswerBox()
      let subscription = try bus.subscribe(reply) { message in
        answers.set(try? JSONDecoder().decode(NodeAnswer.self, from: Data(message.payload)))
      }
      let begin = Clock.monotonic()
      let end = begin + UInt64(seconds * 1e9)
      var sayAt = begin
      while Clock.monotonic() < end {
        if Clock.monotonic() >= sayAt {
          // The first may have been answered before the bus heard the answer's subject; twice is as good as once.
          sayAt = Clock.monotonic() + 300_000_000
          bus.publish("node.\(node).command", reply: reply, bytes: Array(command.rawValue.utf8))
        }
        if let answer = answers.value {
          subscription.cancel()
          return answer
        }
        try? await Task.sleep(nanoseconds: 5_000_000)
      }
      subscription.cancel()
    }
    throw BusError("node \(node) doesn't answer on any rail; is it there, and may \(sender) command it?")
  }

  private final class AnswerBox: Sendable {
    private let answer = Mutex<NodeAnswer?>(nil)
    var value: NodeAnswer? { answer.withLock { $0 } }
    func set(_ new: NodeAnswer?) { answer.withLock { $0 = new } }
  }
}
