// A small HTTP server that plays AWS in tests: what it answers is a function of what it is asked.

import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// What the server was asked.
struct Asked: Sendable {
  let method: String
  let uri: String
  let headers: [(String, String)]
  let body: String

  func header(_ name: String) -> String? { headers.first { $0.0.lowercased() == name }?.1 }
  /// The action of a form.
  var action: String {
    body.split(separator: "&").first { $0.hasPrefix("Action=") }.map { String($0.dropFirst(7)) } ?? ""
  }
}

/// What it says. `<R>` stands for the outermost element of the answer of what was asked.
struct Said: Sendable {
  var status = 200
  var headers: [(String, String)] = []
  var body = ""

  func answering(_ asked: Asked) -> Said {
    guard !asked.action.isEmpty else { return self }
    var said = self
    for (short, end) in [("<R>", ">"), ("</R>", ">"), ("<R/>", "/>")] {
      let whole = (short.hasPrefix("</") ? "</" : "<") + asked.action + "Response" + end
      said.body = said.body.replacingOccurrences(of: short, with: whole)
    }
    return said
  }
}

final class PlayedService: Sendable {
  typealias Play = @Sendable (Asked, Int) -> Said?

  private let channel: any Channel
  private let record: Record
  let origin: String

  private final class Record: Sendable {
    let all = Mutex<[Asked]>([])
  }

  /// Everything that it was asked, in order.
  var asked: [Asked] { record.all.withLock { $0 } }

  /// - Parameter play: gets what is asked and its number from 1; nil = the connection is closed.
  init(_ play: @escaping Play) async throws {
    let record = Record()
    self.record = record
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.pipeline.configureHTTPServerPipeline().flatMap {
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(
              Handler { asked in
                let number = record.all.withLock { all in
                  all.append(asked)
                  return all.count
                }
                return play(asked, number)
              })
          }
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    origin = "http://127.0.0.1:\(channel.localAddress?.port ?? 0)"
  }

  func end() async throws { try await channel.close() }

  private final class Handler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let play: @Sendable (Asked) -> Said?
    private var head: HTTPRequestHead?
    private var body = ""

    init(_ play: @escaping @Sendable (Asked) -> Said?) { self.play = play }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      switch unwrapInboundIn(data) {
      case .head(let head): (self.head, body) = (head, "")
      case .body(let bytes): body += String(buffer: bytes)
      case .end:
        guard let head,
          case let asked = Asked(
            method: head.method.rawValue, uri: head.uri, headers: head.headers.map { ($0.name, $0.value) },
            body: body),
          let said = play(asked)?.answering(asked)
        else { return context.close(promise: nil) }
        var headers = HTTPHeaders(said.headers)
        headers.replaceOrAdd(name: "content-length", value: String(said.body.utf8.count))
        context.write(
          wrapOutboundOut(
            .head(
              HTTPResponseHead(version: .http1_1, status: .init(statusCode: said.status), headers: headers))),
          promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: said.body)))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
      }
    }
  }
}
