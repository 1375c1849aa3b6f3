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
