// Which request gets which answer (docs/STREAM.md, Endpoints). Shared by all loops; holds nothing that changes but
// counters.

import Distribution
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import PriceStore
import Synchronization
import TickerPlant

enum Routed {
  case now(Answer)
  case later(EventLoopFuture<Answer>)
}

final class Router: Sendable {
  let configuration: GatewayConfiguration
  let log: Logger
  let store: PriceStore?
  let screen: (any RequestScreen)?
  let viewer: ViewerFiles
  let openAPI: ByteBuffer?
  let sources: @Sendable () -> [SourceReport]
  let ledger: ConnectionLedger
  let limits = LimitCounters()
  let refusals = RefusalRoom()
  let service = ServiceSwitch()
  /// Over which streams the markets come here.
  let paths: @Sendable () -> [PathReport]
  /// What went over the backbone.
  let rails: @Sendable () -> [RailReport]
  /// The estate; nil: there is none.
  let estateView: (@Sendable () async -> EstateView)?
  /// Findings; nil: there is no history here.
  let governanceView: (any GovernanceView)?
  /// Which configuration this is, and which one is kept; nil: there is no estate.
  let configured: @Sendable () -> ConfigurationReport?
  /// Origins that may ask from a browser.
  let origins: Set<String>
  let started = NIODeadline.now()
  private let drainingFlag = Atomic<Bool>(false)
  private let statuses = Mutex<[UInt: UInt64]>([:])
  /// Set once, before the first connection.
  let loops = Mutex<[LoopContext]>([])

  init(
    configuration: GatewayConfiguration, log: Logger, store: PriceStore?, screen: (any RequestScreen)? = nil,
    paths: @escaping @Sendable () -> [PathReport] = { [] },
    rails: @escaping @Sendable () -> [RailReport] = { [] },
    estate: (@Sendable () async -> EstateView)? = nil, governance: (any GovernanceView)? = nil,
    configured: @escaping @Sendable () -> ConfigurationReport? = { nil },
    sources: @escaping @Sendable () -> [SourceReport]
  ) {
    self.configuration = configuration
    self.log = log
    self.store = store
    self.screen = screen
    self.paths = paths
    self.rails = rails
    estateView = estate
    governanceView = governance
    self.configured = configured
    self.sources = sources
    origins = Set(configuration.allowedOrigins + configuration.endpoints.map(\.url))
    viewer = ViewerFiles(
      directory: configuration.viewerDirectory,
      contentSecurityPolicy: Self.contentSecurityPolicy(configuration.endpoints))
    openAPI =
      ViewerFiles.candidates(named: "openapi.json").lazy.compactMap {
        FileManager.default.contents(atPath: $0).map { ByteBuffer(bytes: $0) }
      }.first
    ledger = ConnectionLedger(
      limit: configuration.connections, limitPerAddress: configuration.connectionsPerAddress,
      requestsPerSecond: configuration.requestsPerSecond)
  }

  var isDraining: Bool { drainingFlag.load(ordering: .relaxed) }
  func beginDraining() { drainingFlag.store(true, ordering: .relaxed) }

  /// Instead of an answer for which there is no room.
  func overloaded(_ head: HTTPRequestHead) -> Answer {
    var answer = Answer.problem(
      .serviceUnavailable, "overloaded",
      "answers of \(configuration.answerBytes) bytes wait for clients to take them; ask again, or for less",
      instance: String(head.uri.prefix(256)))
    answer.headers.add(name: "Retry-After", value: "2")
    return answer
  }

  func count(_ status: HTTPResponseStatus) { statuses.withLock { $0[status.code, default: 0] += 1 } }
  var statusCounts: [UInt: UInt64] { statuses.withLock { $0 } }

  func addCommonHeaders(_ headers: inout HTTPHeaders, origin: String?) {
    headers.add(name: "Server", value: "kabuto/\(configuration.version)")
    headers.add(name: "X-Content-Type-Options", value: "nosniff")
    headers.add(name: "Referrer-Policy", value: "no-referrer")
    let anyOrigin = origins.contains("*")
    headers.add(name: "Vary", value: anyOrigin ? "Accept-Encoding" : "Accept-Encoding, Origin")
    if let origin {
      if anyOrigin {
        headers.add(name: "Access-Control-Allow-Origin", value: "*")
      } else if origins.contains(origin) {
        headers.add(name: "Access-Control-Allow-Origin", value: origin)
      }
      headers.add(name: "Access-Control-Expose-Headers", value: "ETag")
    }
  }

  // MARK: - Routes

  /// - Parameter isAwaited: the instruments that it names have been waited for.
  func route(_ request: Request, _ context: LoopContext, isAwaited: Bool = false) -> Routed {
    if request.method == .OPTIONS { return .now(preflight(request)) }
    guard request.method == .GET || request.method == .HEAD else {
      var answer = Answer.problem(.methodNotAllowed, "method", "wanted GET or HEAD", instance: request.path)
      answer.headers.add(name: "Allow", value: "GET, HEAD, OPTIONS")
      return .now(answer)
    }
    let tag = request.headers.first(name: "If-None-Match")
    if request.segments.first == "v1" {
      if !isAwaited, let first = beforeAnswer(request, context) { return first }
      if request.segments.count > 2, request.segments[1] == "governance" {
        return governance(request, context)
      }
      switch (request.segments.count, request.segments.dropFirst().first) {
      case (2, "instruments"): return .now(instruments(request, context))
      case (2, "quotes"): return .now(quotes(request, context))
      case (2, "status"): return status(context)
      case (2, "endpoints"): return .now(endpoints())
      case (2, "estate"): return estate(request, context)
      case (3, "quotes"): return .now(withInstrument(request, context) { quote($0, tag, context) })
      case (3, "books"): return .now(withInstrument(request, context) { book($0, request, tag, context) })
      case (3, "trades"): return later(request, context) { trades($0, request, context) }
      case (3, "bars"): return later(request, context) { bars($0, request, context) }
      default: return .now(notFound(request))
      }
    }
    switch request.path {
    case "/openapi.json":
      guard let openAPI else { return .now(notFound(request)) }
      return .now(Answer(status: .ok, contentType: "application/json", body: openAPI))
    case "/health/live": return .now(.text("{\"status\":\"live\"}", contentType: "application/json"))
    case "/health/ready": return .now(ready(context))
    case "/metrics": return metrics(context)
    case "/estate":
      if let answer = viewer.answer("/estate.html", tag: tag) { return .now(answer) }
      return .now(notFound(request))
    case "/governance":
      if let answer = viewer.answer("/governance.html", tag: tag) { return .now(answer) }
      return .now(notFound(request))
    default:
      let path = request.path == "/" ? configuration.frontPage : request.path
      if let answer = viewer.answer(path, tag: tag) { return .now(answer) }
      if request.path == "/", viewer.directory == nil {
        return .now(
          .problem(
            .notFound, "viewer-missing",
            "the viewer's files are not beside the program; start with --viewer DIR, or build with `make build`",
            instance: request.path))
      }
      return .now(notFound(request))
    }
  }

  func preflight(_ request: Request) -> Answer {
    var answer = Answer(status: .noContent, contentType: "text/plain", body: ByteBuffer())
    answer.headers.add(name: "Allow", value: "GET, HEAD, OPTIONS")
    answer.headers.add(name: "Access-Control-Allow-Methods", value: "GET, HEAD, OPTIONS")
    answer.headers.add(name: "Access-Control-Allow-Headers", value: "If-None-Match, Last-Event-ID")
    answer.headers.add(name: "Access-Control-Max-Age", value: "86400")
    return answer
  }

  private func notFound(_ request: Request) -> Answer {
    .problem(
      .notFound, "not-found", "nothing is here; /openapi.json lists what there is", instance: request.path)
  }

  /// The instrument of the third path segment, or the problem with it.
  private func instrument(_ request: Request, _ context: LoopContext) -> Result<Int, AnswerError> {
    let name = request.segments[2]
    switch context.distributor.lookUp(name) {
    case .found(let index): return .success(index)
    case .ambiguous:
      return .failure(
        AnswerError(
          .problem(
            .badRequest, "ambiguous-instrument", "\(name) is in several markets; write CODE.MARKET",
            instance: request.path)))
    case .unknown:
      return .failure(
        AnswerError(
          .problem(
            .notFound, "unknown-instrument", "no instrument is called \(name); /v1/instruments?q= finds some",
            instance: request.path)))
    }
  }

  private func withInstrument(_ request: Request, _ context: LoopContext, _ body: (Int) -> Answer) -> Answer {
    switch instrument(request, context) {
    case .success(let index): body(index)
    case .failure(let error): error.answer
    }
  }

  private func later(_ request: Request, _ context: LoopContext, _ body: (Int) -> Routed) -> Routed {
    switch instrument(request, context) {
    case .success(let index): body(index)
    case .failure(let error): .now(error.answer)
    }
  }

  private func quote(_ index: Int, _ tag: String?, _ context: LoopContext) -> Answer {
    let current = context.distributor.quoteTag(of: index)
    var answer: Answer
    if let tag, Self.matches(tag, current) {
      answer = .notModified
    } else {
      var writer = JSONWriter(capacity: 1024)
      context.distributor.writeQuote(index, into: &writer)
      answer = .json(writer)
    }
    answer.headers.add(name: "ETag", value: current)
    answer.headers.add(name: "Cache-Control", value: "no-cache")
    return answer
  }

  private func book(_ index: Int, _ request: Request, _ tag: String?, _ context: LoopContext) -> Answer {
    guard let levels = integer(request, "levels", default: 10, range: 1...1000) else {
      return badParameter(request, "levels", "an integer from 1 to 1000")
    }
    let current = context.distributor.bookTag(of: index, levels: levels)
    var answer: Answer
    if let tag, Self.matches(tag, current) {
      answer = .notModified
    } else {
      var writer = JSONWriter(capacity: 2048)
      context.distributor.writeBook(index, levels: levels, into: &writer)
      answer = .json(writer)
    }
    answer.headers.add(name: "ETag", value: current)
    answer.headers.add(name: "Cache-Control", value: "no-cache")
    return answer
  }

  private func quotes(_ request: Request, _ context: LoopContext) -> Answer {
    let distributor = context.distributor
    var writer = JSONWriter(capacity: 1 << 16)
    if let names = request.query["instruments"] {
      let list = names.split(separator: ",").map(String.init)
      guard !list.isEmpty, list.count <= 1000 else {
        return badParameter(request, "instruments", "1 to 1000 codes with commas between")
      }
      var faults: [String] = []
      writer.raw("{\"quotes\":[")
      var count = 0
      for name in list {
        switch distributor.lookUp(name) {
        case .found(let index):
          if count > 0 { writer.raw(",") }
          distributor.writeQuote(index, into: &writer)
          count += 1
        case .ambiguous: faults.append("\(name) is in several markets; write CODE.MARKET")
        case .unknown: faults.append("no instrument is called \(name)")
        }
      }
      guard faults.isEmpty else {
        return .problem(
          .notFound, "unknown-instrument", "\(faults.count) of \(list.count) instruments are not known",
          instance: request.path, errors: faults)
      }
      writer.raw("],\"next\":null}")
      return .json(writer)
    }
    return page(request, distributor, "quotes", limit: 100, into: &writer) {
      distributor.writeQuote($0, into: &$1)
    }
  }

  private func instruments(_ request: Request, _ context: LoopContext) -> Answer {
    let distributor = context.distributor
    var writer = JSONWriter(capacity: 1 << 16)
    return page(request, distributor, "instruments", limit: 100, into: &writer) {
      distributor.writeInstrument($0, into: &$1)
    }
  }

  /// A list with `q`, `limit` and `cursor`; the cursor is the full name of the last one given.
  private func page(
    _ request: Request, _ distributor: Distributor, _ name: StaticString, limit standard: Int,
    into writer: inout JSONWriter, _ write: (Int, inout JSONWriter) -> Void
  ) -> Answer {
    guard let limit = integer(request, "limit", default: standard, range: 1...10_000) else {
      return badParameter(request, "limit", "an integer from 1 to 10000")
    }
    let query = request.query["q"] ?? ""
    guard query.utf8.count <= 200 else { return badParameter(request, "q", "at most 200 bytes") }
    let found = distributor.search(query)
    var start = 0
    if let cursor = request.query["cursor"] {
      guard case .found(let last) = distributor.lookUp(cursor), let place = found.firstIndex(of: last) else {
        return badParameter(request, "cursor", "the `next` of an answer to the same request")
      }
      start = place + 1
    }
    writer.raw("{\"")
    writer.raw(name)
    writer.raw("\":[")
    let end = min(found.count, start + limit)
    for place in start..<max(start, end) {
      if place > start { writer.raw(",") }
      write(found[place], &writer)
    }
    writer.raw("],\"next\":")
    if end < found.count {
      let (market, code) = distributor.identity(of: found[end - 1])
      writer.string("\(code).\(distributor.sourceStates()[market].market)")
    } else {
      writer.raw("null")
    }
    writer.raw("}")
    return .json(writer)
  }

  private func ready(_ context: LoopContext) -> Answer {
    let states = context.distributor.sourceStates()
    var reasons: [String] = []
    if isDraining { reasons.append("the server is ending") }
    if case .outOfService(let reason) = service.position.state { reasons.append("out of service: \(reason)") }
    for state in states {
      if state.epoch.isEmpty {
        reasons.append("\(state.market): no message yet")
      } else if state.isStale {
        reasons.append("\(state.market): stale")
      }
    }
    var writer = JSONWriter(capacity: 512)
    writer.raw(reasons.isEmpty ? "{\"status\":\"ready\"" : "{\"status\":\"not_ready\"")
    writer.raw(",\"reasons\":[")
    for (index, reason) in reasons.enumerated() {
      if index > 0 { writer.raw(",") }
      writer.string(reason)
    }
    writer.raw("]}")
    return .json(writer, status: reasons.isEmpty ? .ok : .serviceUnavailable)
  }

  /// Whether an `If-None-Match` names a tag: `*`, or a list in which tags may be weak (RFC 9110, 13.1.2).
  static func matches(_ header: String, _ tag: String) -> Bool {
    header.split(separator: ",").contains {
      let entry = $0.trimmingCharacters(in: .whitespaces)
      return entry == "*" || entry == tag || entry == "W/" + tag
    }
  }
}

struct AnswerError: Error {
  var answer: Answer
  init(_ answer: Answer) { self.answer = answer }
}
