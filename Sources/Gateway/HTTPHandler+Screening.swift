// The screen's place in a connection: asked before a request is answered, and before the answer leaves.
// Owner: the connection's event loop.

import Distribution
import NIOCore
import NIOHTTP1

extension HTTPHandler {
  /// Whether the request may be answered; otherwise the screen's answer was given.
  /// - Parameter isComplete: false where only the beginning of the body is here.
  func passesScreen(_ head: HTTPRequestHead, _ channel: ChannelHandlerContext, isComplete: Bool = true)
    -> Bool
  {
    guard let screen = context.screen else { return true }
    let screening = screen.begin(
      ScreenedRequest(
        method: head.method.rawValue, target: head.uri, version: "\(head.version)",
        fields: head.headers.map { ($0.name, $0.value) }, ends: ends(of: channel.channel)))
    self.screening = screening
    let body = body ?? ByteBuffer()
    self.body = nil
    let verdict = body.withUnsafeReadableBytes { screening.request(body: $0, isComplete: isComplete) }
    if case .pass = verdict { return true }
    replace(with: verdict, head, channel, keepAlive: isComplete ? nil : false)
    return false
  }

  /// What the screen says of an answer that is about to leave.
  func screened(
    _ status: HTTPResponseStatus, _ headers: HTTPHeaders, _ body: ByteBuffer = ByteBuffer()
  ) -> ScreenVerdict {
    guard let screening else { return .pass }
    return body.withUnsafeReadableBytes {
      screening.answer(status: Int(status.code), fields: headers.map { ($0.name, $0.value) }, body: $0)
    }
  }

  /// Gives the screen's answer, or ends the connection.
  func replace(
    with verdict: ScreenVerdict, _ head: HTTPRequestHead, _ channel: ChannelHandlerContext,
    keepAlive: Bool? = nil
  ) {
    switch verdict {
    case .pass: break
    case .answer(let own):
      var answer = Answer(
        status: HTTPResponseStatus(statusCode: own.status), contentType: "", body: ByteBuffer(bytes: own.body)
      )
      for field in own.fields { answer.headers.add(name: field.name, value: field.value) }
      write(answer, head, channel, keepAlive: keepAlive, isScreens: true)
    case .close:
      endScreening(status: nil)
      channel.close(promise: nil)
    }
  }

  /// The fields that the screen wants on this answer, whoever's it is.
  func addScreenFields(_ headers: inout HTTPHeaders) {
    guard let screening else { return }
    for field in screening.answerFields {
      headers.replaceOrAdd(name: field.name, value: field.value)
      if let exposed = headers.first(name: "Access-Control-Expose-Headers") {
        headers.replaceOrAdd(name: "Access-Control-Expose-Headers", value: "\(exposed), \(field.name)")
      }
    }
  }

  /// The answer has left, or will never.
  func endScreening(status: HTTPResponseStatus?) {
    guard let screening else { return }
    self.screening = nil
    screening.end(status: status.map { Int($0.code) })
  }

  /// Tells the screen of a request that it isn't asked about: it can't be read.
  /// - Parameter head: nil where it was never whole.
  func tellScreen(
    _ head: HTTPRequestHead?, _ channel: ChannelHandlerContext, status: HTTPResponseStatus, reason: String
  ) {
    guard let screen = context.screen, !isRefused else { return }
    isRefused = true
    screen.refused(
      ScreenedRequest(
        method: head?.method.rawValue ?? "", target: head?.uri ?? "",
        version: head.map { "\($0.version)" } ?? "",
        fields: head?.headers.map { ($0.name, $0.value) } ?? [], ends: ends(of: channel.channel)),
      status: Int(status.code), reason: reason)
  }

  /// The guard refuses before there is a request to handle.
  func handlerAdded(context channel: ChannelHandlerContext) {
    guard context.screen != nil else { return }
    stack.gate.onRefusal = { [weak self] status, reason in
      guard let self else { return }
      self.tellScreen(self.head, channel, status: status, reason: reason)
    }
  }

  /// What isn't HTTP was answered 400 below this handler.
  func errorCaught(context channel: ChannelHandlerContext, error: any Error) {
    if let error = error as? HTTPParserError {
      tellScreen(head, channel, status: .badRequest, reason: "not HTTP: \(error)")
    }
    channel.close(promise: nil)
  }

  private func ends(of channel: any Channel) -> ConnectionEnds {
    if let known = connectionEnds { return known }
    let client = channel.remoteAddress
    let server = channel.localAddress
    let ends = ConnectionEnds(
      clientAddress: client?.ipAddress ?? "", clientPort: client?.port ?? 0,
      serverAddress: server?.ipAddress ?? "", serverPort: server?.port ?? 0)
    connectionEnds = ends
    return ends
  }
}
