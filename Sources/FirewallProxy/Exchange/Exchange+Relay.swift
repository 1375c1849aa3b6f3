// WebSocket after its handshake (RFC 6455): bytes pass in both directions as they are; frame headers are read on the
// way, to count and bound what the client sends.

import NIOCore

extension Exchange {
  func beginRelay(_ response: ResponseHead) {
    closesAfter = true
    responseSide = .relay
    hadRelay = true
    loop.counters.webSockets &+= 1
    let limit = loop.configuration.limits.webSocketFrameBytes
    fromClient = WebSocketScanner(
      isFromClient: true, limit: limit, allowsReserved: response.hasWebSocketExtensions)
    fromBackend = WebSocketScanner(
      isFromClient: false, limit: .max, allowsReserved: response.hasWebSocketExtensions)
    front.sendHead(response, framing: .none, length: nil, closes: false)
    front.becomeRelay()
  }

  func relayFromClient(_ bytes: ByteBuffer) {
    guard isActive, responseSide == .relay, let connection else { return }
    lastActivity = loop.coarseNow
    switch fromClient.scan(bytes) {
    case .passes:
      connection.send(bytes)
      connection.flush()
      if !connection.isWritable { front.pauseBody() }
    case .violates(let violation):
      // What came before it in these bytes is dropped with it: the connection ends.
      remarks.append("websocket: \(violation.rawValue)")
      loop.counters.webSocketViolations &+= 1
      closeRelay(code: violation.code)
    }
  }

  func relayFromBackend(_ bytes: ByteBuffer) {
    guard isActive, responseSide == .relay else { return }
    lastActivity = loop.coarseNow
    if case .violates(let violation) = fromBackend.scan(bytes) {
      remarks.append("websocket, from the backend: \(violation.rawValue)")
      return closeRelay(code: 1011)
    }
    front.relay(bytes)
    if !front.isWritable { connection?.pause() }
  }

  /// The backend closed.
  func relayEnded() {
    guard isActive else { return }
    connection = nil
    releaseBackend()
    front.flush()
    finish()
  }

  /// Says goodbye to both ends, but for one that is within a frame: there the close would be read as the frame's bytes.
  func closeRelay(code: UInt16) {
    let payload = [UInt8(truncatingIfNeeded: code >> 8), UInt8(truncatingIfNeeded: code)]
    if fromBackend.isBetweenFrames { front.relay(ByteBuffer(bytes: [0x88, 2] + payload)) }
    if let connection, fromClient.isBetweenFrames {
      // From a client's side frames are masked; a mask of zeros is one.
      connection.send(ByteBuffer(bytes: [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9]))
      connection.flush()
    }
    leaveBackend()
    finish()
  }
}
