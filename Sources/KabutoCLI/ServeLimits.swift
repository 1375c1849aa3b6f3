// The limits of `kabuto serve` as flags. Text, not numbers: ServeConfiguration checks them beside those from the
// environment and the file, and tells all faults at once.

import ArgumentParser

struct ServeLimits: ParsableArguments {
  @Option(help: "Connections at once (default 20000).")
  var connections: String?
  @Option(help: "Connections at once from one address; loopback is exempt (default 256).")
  var connectionsPerAddress: String?
  @Option(help: "Requests and new connections a second from one address; loopback is exempt (default 500).")
  var requestsPerSecond: String?
  @Option(help: "Bytes of a request's line and header fields (default 65536).")
  var headBytes: String?
  @Option(help: "Bytes of a request's body, which none needs (default 65536).")
  var bodyBytes: String?
  @Option(help: "Bytes of large answers that clients have not taken, of all together (default 268435456).")
  var answerBytes: String?
  @Option(
    help: "From the connection, or a request's first byte, to the end of its head, TLS included (default 10)."
  )
  var handshakeSeconds: String?
  @Option(help: "From a request's head to its end (default 60).")
  var requestSeconds: String?
  @Option(help: "Between requests of a connection (default 60).")
  var idleSeconds: String?
  @Option(help: "For taking an answer, and one more for each 16 KiB of it (default 60).")
  var answerSeconds: String?
  @Option(help: "Instruments a stream client may have, over all its subscriptions (default 4000).")
  var subscriptions: String?
  @Option(help: "Subscriptions a stream client may have (default 256).")
  var subscriptionIds: String?
  @Option(help: "Bytes of a stream client's message (default 65536).")
  var messageBytes: String?
  @Option(help: "Messages a second from a stream client (default 50).")
  var messagesPerSecond: String?
  @Option(
    help:
      "Silence after which a WebSocket client is pinged; after three it is dropped; 0 = never (default 20).")
  var pingSeconds: String?
  @Option(
    help:
      "A stream client that takes nothing for so long, though there is something, is dropped (default 30).")
  var stuckSeconds: String?

  /// Settings by name.
  var settings: [(name: String, value: String?)] {
    [
      ("connections", connections), ("connections_per_address", connectionsPerAddress),
      ("requests_per_second", requestsPerSecond), ("head_bytes", headBytes), ("body_bytes", bodyBytes),
      ("answer_bytes", answerBytes), ("handshake_seconds", handshakeSeconds),
      ("request_seconds", requestSeconds), ("idle_seconds", idleSeconds), ("answer_seconds", answerSeconds),
      ("subscriptions", subscriptions), ("subscription_ids", subscriptionIds),
      ("message_bytes", messageBytes), ("messages_per_second", messagesPerSecond),
      ("ping_seconds", pingSeconds), ("stuck_seconds", stuckSeconds),
    ]
  }
}
