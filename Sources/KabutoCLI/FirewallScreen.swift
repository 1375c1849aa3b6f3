// The firewall as the gateway's screen: the words of the one in those of the other. The two rooms don't know each other.

import Firewall
import FirewallProxy
import Gateway

/// See the head of this file.
struct FirewallScreen: RequestScreen {
  let firewall: EmbeddedFirewall

  func loopScreen() -> any LoopScreen { Loop(firewall.loop()) }

  var counters: [ScreenCounter] {
    firewall.counters.map {
      ScreenCounter(name: "kabuto_firewall_\($0.name)", help: $0.help, value: $0.value)
    }
  }

  private final class Loop: LoopScreen {
    private let loop: EmbeddedLoop
    init(_ loop: EmbeddedLoop) { self.loop = loop }

    func begin(_ request: ScreenedRequest) -> any Screening {
      Exchange(loop.begin(embedded(request)))
    }

    func refused(_ request: ScreenedRequest, status: Int, reason: String) {
      loop.refused(embedded(request), status: status, reason: reason)
    }

    private func embedded(_ request: ScreenedRequest) -> EmbeddedRequest {
      EmbeddedRequest(
        connection: ConnectionFacts(
          clientAddress: request.ends.clientAddress, clientPort: request.ends.clientPort,
          serverAddress: request.ends.serverAddress, serverPort: request.ends.serverPort),
        method: request.method, target: request.target, version: request.version, fields: request.fields)
    }

    func tick() { loop.flush() }
    func end() { loop.flush() }
  }

  private final class Exchange: Screening {
    private let exchange: EmbeddedExchange
    init(_ exchange: EmbeddedExchange) { self.exchange = exchange }

    var answerFields: [(name: String, value: String)] { [("X-Request-ID", exchange.requestID)] }

    func request(body: UnsafeRawBufferPointer, isComplete: Bool) -> ScreenVerdict {
      verdict(exchange.request(body: body, isComplete: isComplete))
    }

    func answer(status: Int, fields: [(name: String, value: String)], body: UnsafeRawBufferPointer)
      -> ScreenVerdict
    { verdict(exchange.response(status: status, fields: fields, body: body)) }

    func end(status: Int?) { exchange.end(status: status) }

    private func verdict(_ verdict: EmbeddedVerdict) -> ScreenVerdict {
      switch verdict {
      case .pass: .pass
      case .close: .close
      case .answer(let page):
        .answer(ScreenAnswer(status: page.status, fields: page.fields, body: page.body))
      }
    }
  }
}
