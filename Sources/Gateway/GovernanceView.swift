// Findings of governance as the page /governance and `/v1/governance/…` show them (docs/GOVERN-RESULTS.md). The gateway
// knows neither rules nor accounts: whoever has a history answers, off the event loop, since it reads a database.

import NIOCore
import NIOHTTP1

/// Whoever has a history of findings.
public protocol GovernanceView: Sendable {
  /// Answers a question about findings.
  /// - Parameters:
  ///   - path: what stands behind `/v1/governance`.
  ///   - tag: what the client has (`If-None-Match`).
  func answer(_ path: [String], _ query: [String: String], tag: String?) async -> GovernanceAnswer
}

/// What is said of findings.
public enum GovernanceAnswer: Sendable {
  /// A JSON document with its tag.
  case json([UInt8], tag: String)
  /// It is as the client has it.
  case same(tag: String)
  /// RFC 9457.
  case problem(status: Int, type: String, detail: String, faults: [String])
}

extension Router {
  /// Findings as JSON, or that there are none here.
  func governance(_ request: Request, _ context: LoopContext) -> Routed {
    guard let governanceView else {
      return .now(
        .problem(
          .notFound, "no-governance",
          "this server knows of no findings; `kabuto serve --data DIR` and `kabuto govern serve --data DIR` show those of DIR",
          instance: request.path))
    }
    // A name that somebody else's DNS points here (rebinding) is no name of this server.
    guard !isRebound(request) else {
      return .now(
        .problem(
          .forbidden, "host",
          "on a loopback address findings are shown under an address or localhost only, not under a name",
          instance: request.path))
    }
    let path = Array(request.segments.dropFirst(2))
    let (query, instance) = (request.query, request.path)
    let tag = request.headers.first(name: "If-None-Match")
    return .later(
      context.eventLoop.makeFutureWithTask {
        Self.answer(await governanceView.answer(path, query, tag: tag), instance)
      })
  }

  private static func answer(_ found: GovernanceAnswer, _ instance: String) -> Answer {
    var answer: Answer
    switch found {
    case .problem(let status, let type, let detail, let faults):
      return .problem(
        HTTPResponseStatus(statusCode: status), type, detail, instance: instance, errors: faults
      ).unshared
    case .same(let tag):
      answer = .notModified
      answer.headers.add(name: "ETag", value: tag)
    case .json(let bytes, let tag):
      answer = Answer(status: .ok, contentType: "application/json", body: ByteBuffer(bytes: bytes))
      answer.headers.add(name: "ETag", value: tag)
    }
    answer.headers.add(name: "Cache-Control", value: "no-cache")
    return answer.unshared
  }

  private func isRebound(_ request: Request) -> Bool {
    guard GatewayConfiguration.isLoopback(configuration.host) else { return false }
    guard var name = request.headers.first(name: "Host").map({ Substring($0.lowercased()) }) else {
      return false
    }
    if name.hasPrefix("[") { return false }
    if let colon = name.firstIndex(of: ":") { name = name[..<colon] }
    return name != "localhost" && !name.allSatisfy { $0.isNumber || $0 == "." }
  }
}

extension GatewayConfiguration {
  /// Whether only this machine reaches an address.
  public static func isLoopback(_ host: String) -> Bool {
    var host = Substring(host.lowercased())
    if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    return host == "localhost" || Peer.isLoopback(String(host))
  }
}

extension Answer {
  /// For pages of this origin alone.
  fileprivate var unshared: Answer {
    var answer = self
    answer.isShared = false
    answer.headers.replaceOrAdd(name: "Cross-Origin-Resource-Policy", value: "same-origin")
    return answer
  }
}
