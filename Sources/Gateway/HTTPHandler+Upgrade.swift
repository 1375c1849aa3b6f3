// How a connection becomes a WebSocket: the handshake, its screening, and the change of handlers.

import Distribution
import NIOCore
import NIOHTTP1
import NIOWebSocket

extension HTTPHandler {
  func upgrade(_ head: HTTPRequestHead, _ request: Request, _ channel: ChannelHandlerContext) {
    let upgrades = head.headers[canonicalForm: "upgrade"].map { $0.lowercased() }
    let connection = head.headers[canonicalForm: "connection"].map { $0.lowercased() }
    guard head.method == .GET, upgrades.contains("websocket"), connection.contains("upgrade") else {
      var answer = Answer.problem(
        .upgradeRequired, "websocket-wanted",
        "this is a WebSocket: connect with ws://, or use /v1/events (SSE)",
        instance: request.path)
      answer.headers.add(name: "Upgrade", value: "websocket")
      return write(answer, head, channel)
    }
    if router.refusesStreams { return write(router.streamRefusal(request), head, channel) }
    guard head.headers.first(name: "Sec-WebSocket-Version") == "13" else {
      var answer = Answer.problem(
        .upgradeRequired, "websocket-version", "Sec-WebSocket-Version: 13 is wanted", instance: request.path)
      answer.headers.add(name: "Sec-WebSocket-Version", value: "13")
      return write(answer, head, channel)
    }
    let (heartbeat, fault) = Router.heartbeat(request)
    if let fault {
      return write(.problem(.badRequest, "bad-parameter", fault, instance: request.path), head, channel)
    }
    self.heartbeat = heartbeat
    var agreed = HTTPHeaders()
    if let (name, encoding) = Self.subprotocol(head.headers) {
      agreed.add(name: "Sec-WebSocket-Protocol", value: name)
      self.encoding = encoding
    }
    let subprotocol = agreed
    let upgrader = NIOWebSocketServerUpgrader(
      shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture(subprotocol) },
      upgradePipelineHandler: { channel, _ in channel.eventLoop.makeSucceededVoidFuture() })
    let bound = NIOLoopBound((self, channel), eventLoop: channel.eventLoop)
    upgrader.buildUpgradeResponse(channel: channel.channel, upgradeRequest: head, initialResponseHeaders: [:])
      .whenComplete { result in
        let (handler, channel) = bound.value
        switch result {
        case .success(let headers): handler.switchProtocols(headers, head, channel)
        case .failure:
          handler.write(
            .problem(
              .badRequest, "websocket-key", "Sec-WebSocket-Key: 16 bytes in base64 are wanted, once",
              instance: request.path), head, channel)
        }
      }
  }

  /// The first subprotocol of the client's list that is known here; nil = none was asked for, or none is known: JSON.
  static func subprotocol(_ headers: HTTPHeaders) -> (name: String, encoding: StreamEncoding)? {
    for name in headers[canonicalForm: "sec-websocket-protocol"] {
      switch name {
      case "kabuto.binary.1": return ("kabuto.binary.1", .binary)
      case "kabuto.json.1": return ("kabuto.json.1", .json)
      default: continue
      }
    }
    return nil
  }

  private func switchProtocols(
    _ headers: HTTPHeaders, _ head: HTTPRequestHead, _ channel: ChannelHandlerContext
  ) {
    var headers = headers
    let verdict = screened(.switchingProtocols, headers)
    guard case .pass = verdict else { return replace(with: verdict, head, channel) }
    addScreenFields(&headers)
    isUpgraded = true
    stack.gate.becomesStream()
    router.count(.switchingProtocols)
    channel.write(
      wrapOutboundOut(
        .head(HTTPResponseHead(version: .http1_1, status: .switchingProtocols, headers: headers))),
      promise: nil)
    endScreening(status: .switchingProtocols)
    let bound = NIOLoopBound((self, channel), eventLoop: channel.eventLoop)
    channel.writeAndFlush(wrapOutboundOut(.end(nil))).whenSuccess {
      let (handler, channel) = bound.value
      handler.becomeWebSocket(channel)
    }
  }

  /// The HTTP handlers leave; what the decoder holds of the client's first frame goes to the WebSocket decoder.
  private func becomeWebSocket(_ channel: ChannelHandlerContext) {
    let pipeline = channel.pipeline.syncOperations
    let bound = NIOLoopBound((self, channel), eventLoop: channel.eventLoop)
    let configuration = router.configuration
    let socket = WebSocketHandler(
      context: context, limits: configuration.client, messageBytes: configuration.messageBytes,
      isPlain: configuration.tlsCertificate == nil, encoding: encoding, heartbeat: heartbeat,
      counters: router.limits, meter: meter)
    do {
      try pipeline.addHandlers([
        ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: configuration.messageBytes)),
        StreamGuard(socket: socket, configuration: configuration, limits: router.limits), socket,
      ])
    } catch {
      channel.close(promise: nil)
      return
    }
    var removals = stack.others.map { pipeline.removeHandler($0) }
    removals.append(pipeline.removeHandler(stack.gate))
    removals.append(pipeline.removeHandler(stack.encoder))
    EventLoopFuture.andAllComplete(removals, on: channel.eventLoop).whenComplete { _ in
      let (handler, channel) = bound.value
      let pipeline = channel.pipeline.syncOperations
      // First this handler, which knows only requests, then the decoder, which hands its rest on.
      let decoder = NIOLoopBound((handler.stack.decoder, channel), eventLoop: channel.eventLoop)
      pipeline.removeHandler(handler).whenComplete { _ in
        let (stackDecoder, channel) = decoder.value
        _ = channel.channel.pipeline.syncOperations.removeHandler(stackDecoder)
      }
    }
  }
}
