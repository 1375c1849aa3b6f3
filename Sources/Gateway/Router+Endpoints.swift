// Where else the same is served (`GET /v1/endpoints`), and what follows from it: refusals name the others, pages may
// connect to them and to nothing else, and pages that came from them may ask here.

import Distribution
import NIOCore
import NIOHTTP1

extension Router {
  /// True while new streams are sent elsewhere.
  var refusesStreams: Bool { isDraining || service.isOut }

  /// The endpoints but this one, nearest first.
  var otherEndpoints: [GatewayEndpoint] { configuration.endpoints.filter { !isOwn($0) } }

  private func isOwn(_ endpoint: GatewayEndpoint) -> Bool {
    if let own = configuration.node, let node = endpoint.node { return own == node }
    return endpoint.url == configuration.ownURL
  }

  func endpoints() -> Answer {
    var writer = JSONWriter(capacity: 1024)
    writer.raw("{\"endpoints\":[")
    for (order, endpoint) in configuration.endpoints.enumerated() {
      if order > 0 { writer.raw(",") }
      let nearness = endpoint.nearness(zone: configuration.zone, site: configuration.site)
      let own = isOwn(endpoint)
      endpoint.write(into: &writer) {
        $0.raw(",\"order\":")
        $0.integer(UInt64(order))
        $0.raw(",\"nearness\":")
        $0.string(orNull: nearness?.rawValue)
        $0.raw(",\"self\":")
        $0.boolean(own)
      }
    }
    writer.raw("]}")
    var answer = Answer.json(writer)
    answer.headers.add(name: "Cache-Control", value: "no-cache")
    return answer
  }

  /// What a new stream is told while this server ends, or is out of service.
  func streamRefusal(_ request: Request) -> Answer {
    let detail: String
    if isDraining {
      detail = "this server is ending; connect elsewhere, or here again in a moment"
    } else if case .outOfService(let reason) = service.position.state {
      detail = "out of service: \(reason); connect elsewhere, or here again in a moment"
    } else {
      detail = "connect again"
    }
    var answer = Answer.problem(
      .serviceUnavailable, isDraining ? "draining" : "out-of-service", detail, instance: request.path
    ) {
      $0.raw(",\"endpoints\":")
      $0.endpoints(otherEndpoints)
    }
    answer.headers.add(name: "Retry-After", value: "2")
    return answer
  }

  /// Scripts and styles from here alone; REST and the stream of this origin and of the other endpoints.
  static func contentSecurityPolicy(_ endpoints: [GatewayEndpoint]) -> String {
    let others = endpoints.map { " \($0.url) \($0.webSocketOrigin)" }.joined()
    return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
      + "connect-src 'self'\(others); manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
  }
}
