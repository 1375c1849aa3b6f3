// One of a client's connections over time: which endpoint it is at, when it leaves, where it goes.
// Owner: the client's event loop. @unchecked Sendable: nothing is touched but on that loop.

import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket

/// See the head of this file.
final class ClientSlot: @unchecked Sendable {
  private unowned let client: LabClient
  private let preferred: Int
  /// Where it is or wants to be.
  private(set) var endpoint: Int
  /// What carries.
  private var current: ClientConnection?
  /// What shall replace it.
  private var coming: ClientConnection?
  private var failures = 0
  private var quietMilliseconds: Int64
  private var isStopped = false

  init(client: LabClient, preferred: Int) {
    self.client = client
    self.preferred = preferred
    endpoint = preferred
    quietMilliseconds = client.options.quietMilliseconds
  }

  func start() {
    open(endpoint)
    client.loop.scheduleRepeatedTask(
      initialDelay: .milliseconds(client.options.pingMilliseconds),
      delay: .milliseconds(client.options.pingMilliseconds)
    ) { [weak self] task in
      guard let self, !self.isStopped else { return task.cancel() }
      self.beat()
    }
    let back = TimeAmount.milliseconds(client.options.returnMilliseconds)
    client.loop.scheduleRepeatedTask(initialDelay: back, delay: back) { [weak self] task in
      guard let self, !self.isStopped else { return task.cancel() }
      self.considerReturn()
    }
  }

  /// Whether it has a connection that carries.
  var carries: Bool { current != nil }

  func stop() {
    isStopped = true
    coming?.close()
    current?.close()
  }

  // MARK: - Opening

  private func open(_ index: Int) {
    let place = client.options.endpoints[index]
    let number = client.nextConnection()
    client.note("connect \(place.host):\(place.port)", connection: number)
    let connection = ClientConnection(
      number: number, endpoint: index, loop: client.loop, openings: client.openings())
    connection.slot = self
    coming?.close()
    coming = connection
    connection.open(
      host: place.host, port: place.port, within: .milliseconds(client.options.openMilliseconds))
  }

  /// The endpoint after this one that no other slot uses.
  private func next(after index: Int) -> Int {
    let count = client.options.endpoints.count
    for step in 1...max(1, count) {
      let candidate = (index + step) % count
      if candidate != index, !client.isTaken(candidate, besides: self) { return candidate }
    }
    return index
  }

  private func leave(_ connection: ClientConnection, why: String) {
    client.note("left: \(why)", connection: connection.number)
    let wasCurrent = connection === current
    if wasCurrent { current = nil }
    if connection === coming { coming = nil }
    connection.close()
    guard !isStopped, current == nil, coming == nil else { return }
    failures += 1
    endpoint = next(after: connection.endpoint)
    // Once round all endpoints without luck, it waits: a tenth of a second while it has nothing else, up to a second while
    // another connection carries.
    let rounds = failures / max(1, client.options.endpoints.count)
    let isRound = failures % max(1, client.options.endpoints.count) == 0
    let wait: Int64 =
      isRound ? (client.isCarried(besides: self) ? min(1_000, 100 << Int64(min(rounds, 4))) : 100) : 0
    client.loop.scheduleTask(in: .milliseconds(wait)) { [weak self] in
      guard let self, !self.isStopped, self.current == nil, self.coming == nil else { return }
      self.open(self.endpoint)
    }
  }

  // MARK: - What connections tell

  func failed(_ connection: ClientConnection, _ why: String) {
    guard connection === current || connection === coming, !isStopped else { return }
    leave(connection, why: why)
  }

  func received(_ connection: ClientConnection, _ bytes: ByteBufferView) {
    guard !isStopped, connection === current || connection === coming else { return }
    for event in client.record(bytes, connection: connection.number) {
      switch event.type {
      case "update", "snapshot":
        connection.lastValue = .now()
        if event.type == "update" { quietMilliseconds = client.options.quietMilliseconds }
      case "resumed", "subscribed":
        connection.answered += 1
        // Until all channels come by the new connection, the old one carries.
        if connection === coming, connection.answered == client.options.channels.count {
          takeOver(connection)
        }
      case "move":
        if connection === current, coming == nil {
          let other = next(after: connection.endpoint)
          if other != connection.endpoint {
            client.note("moves", connection: connection.number)
            open(other)
          }
        }
      default: break
      }
    }
  }

  private func takeOver(_ connection: ClientConnection) {
    client.note("carries", connection: connection.number)
    let old = current
    current = connection
    coming = nil
    failures = 0
    endpoint = connection.endpoint
    old?.close()
  }

  // MARK: - Time

  private func beat() {
    let silent = TimeAmount.milliseconds(client.options.silentMilliseconds)
    for connection in [current, coming] {
      guard let connection, connection.isOpen else { continue }
      if NIODeadline.now() - connection.lastFrame > silent {
        leave(connection, why: "silent for \(client.options.silentMilliseconds) ms")
      } else {
        connection.send("{\"op\":\"ping\",\"id\":\"p\"}")
      }
    }
    if let current, coming == nil, NIODeadline.now() - current.lastValue > .milliseconds(quietMilliseconds) {
      let other = next(after: current.endpoint)
      guard other != current.endpoint else { return }
      client.note("no value for \(quietMilliseconds) ms", connection: current.number)
      current.lastValue = .now()
      quietMilliseconds = min(quietMilliseconds * 2, 16_000)
      open(other)
    }
  }

  private func considerReturn() {
    guard let current, coming == nil, current.endpoint != preferred,
      !client.isTaken(preferred, besides: self), quietMilliseconds == client.options.quietMilliseconds
    else { return }
    open(preferred)
  }
}

/// One WebSocket connection.
final class ClientConnection {
  let number: Int
  let endpoint: Int
  weak var slot: ClientSlot?
  private(set) var lastFrame = NIODeadline.now()
  var lastValue = NIODeadline.now()
  /// Channels that the server has said it gives.
  var answered = 0
  private let loop: any EventLoop
  private let openings: [String]
  private var channel: (any Channel)?
  private(set) var isOpen = false
  private var isClosed = false

  init(number: Int, endpoint: Int, loop: any EventLoop, openings: [String]) {
    self.number = number
    self.endpoint = endpoint
    self.loop = loop
    self.openings = openings
  }

  func open(host: String, port: Int, within limit: TimeAmount) {
    let bound = NIOLoopBound(self, eventLoop: loop)
    let deadline = loop.scheduleTask(in: limit) {
      if !bound.value.isOpen { bound.value.fail("not open within \(limit.nanoseconds / 1_000_000) ms") }
    }
    let head = HTTPRequestHead(
      version: .http1_1, method: .GET, uri: "/v1/stream", headers: ["Host": "\(host):\(port)"])
    ClientBootstrap(group: loop).connectTimeout(limit)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          bound.value.channel = channel
          let upgrader = NIOWebSocketClientUpgrader(maxFrameSize: 1 << 24) { channel, _ in
            channel.eventLoop.makeCompletedFuture {
              try channel.pipeline.syncOperations.addHandlers([
                NIOWebSocketFrameAggregator(
                  minNonFinalFragmentSize: 0, maxAccumulatedFrameCount: 1 << 16,
                  maxAccumulatedFrameSize: 1 << 26),
                FrameReceiver(bound.value),
              ])
              bound.value.opened()
            }
          }
          let request = RequestSender(head, bound.value)
          let boundRequest = NIOLoopBound(request, eventLoop: channel.eventLoop)
          try channel.pipeline.syncOperations.addHTTPClientHandlers(
            withClientUpgrade: (
              upgraders: [upgrader],
              completionHandler: { context in
                context.pipeline.syncOperations.removeHandler(boundRequest.value, promise: nil)
              }
            ))
          try channel.pipeline.syncOperations.addHandler(request)
        }
      }
      .connect(host: host, port: port)
      .whenComplete { result in
        bound.value.loop.assertInEventLoop()
        if case .failure(let error) = result {
          deadline.cancel()
          bound.value.fail("no connection: \(error)")
        }
      }
  }

  fileprivate func opened() {
    guard !isClosed else { return }
    isOpen = true
    lastFrame = .now()
    lastValue = .now()
    for text in openings { send(text) }
  }

  func send(_ text: String) {
    guard let channel, isOpen, !isClosed else { return }
    let frame = WebSocketFrame(
      fin: true, opcode: .text, maskKey: .random(), data: ByteBuffer(string: text))
    channel.writeAndFlush(frame, promise: nil)
  }

  fileprivate func received(_ frame: WebSocketFrame) {
    lastFrame = .now()
    switch frame.opcode {
    case .text: slot?.received(self, frame.unmaskedData.readableBytesView)
    case .ping:
      channel?.writeAndFlush(
        WebSocketFrame(fin: true, opcode: .pong, maskKey: .random(), data: frame.unmaskedData), promise: nil)
    case .connectionClose: fail("closed by the server")
    default: break
    }
  }

  fileprivate func fail(_ why: String) {
    guard !isClosed else { return }
    isOpen = false
    slot?.failed(self, why)
    close()
  }

  func close() {
    guard !isClosed else { return }
    isClosed = true
    isOpen = false
    channel?.close(promise: nil)
  }
}

/// Asks for the upgrade.
private final class RequestSender: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPClientResponsePart
  typealias OutboundOut = HTTPClientRequestPart
  private let head: HTTPRequestHead
  private weak var connection: ClientConnection?

  init(_ head: HTTPRequestHead, _ connection: ClientConnection) {
    self.head = head
    self.connection = connection
  }

  func channelActive(context: ChannelHandlerContext) {
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if case .head(let head) = unwrapInboundIn(data) { connection?.fail("refused: \(head.status)") }
  }

  func channelInactive(context: ChannelHandlerContext) { connection?.fail("ended before it was open") }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    connection?.fail("\(error)")
    context.close(promise: nil)
  }
}

/// Hands frames over.
private final class FrameReceiver: ChannelInboundHandler {
  typealias InboundIn = WebSocketFrame
  private weak var connection: ClientConnection?

  init(_ connection: ClientConnection) { self.connection = connection }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    connection?.received(unwrapInboundIn(data))
  }
  func channelInactive(context: ChannelHandlerContext) { connection?.fail("connection ended") }
  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    connection?.fail("\(error)")
    context.close(promise: nil)
  }
}
