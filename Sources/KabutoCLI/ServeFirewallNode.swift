// A node whose only role is `firewall`: the reverse proxy before the gateways that its estate names.

import Backbone
import Distribution
import Estate
import FirewallProxy
import Foundation
import Gateway
import Logging

/// See the head of this file.
struct ServeFirewallNode {
  let configuration: ServeConfiguration
  let place: ServeNode
  let log: Logger

  /// What requests are sent to: what the node names, else the gateways, nearest first.
  private func backends() throws(FirewallError) -> [BackendAddress] {
    let texts = place.node.backends.isEmpty ? place.endpoints.map(\.url) : place.node.backends
    guard !texts.isEmpty else {
      throw FirewallError(
        "node \(place.node.name): the estate has no gateway and the node no backends; give it `backends: [http://HOST:PORT]`"
      )
    }
    var backends: [BackendAddress] = []
    for text in texts { backends.append(try BackendAddress(text)) }
    return backends
  }

  func run() async throws {
    var settings: FirewallConfiguration
    do throws(FirewallError) { settings = FirewallConfiguration(backends: try backends()) } catch {
      throw giveUp(error.description)
    }
    settings.host = configuration.listenHost
    settings.port = configuration.listenPort
    settings.loops = configuration.gateway.loops
    settings.healthPath = "/health/ready"
    settings.logFile = configuration.firewall.log ?? configuration.data.map { $0 + "/firewall.jsonl" }
    if let certificate = configuration.gateway.tlsCertificate, let key = configuration.gateway.tlsKey {
      settings.tls = FirewallTLS(certificate: certificate, key: key)
    }
    let firewall: ServeFirewall?
    do throws(FirewallError) {
      firewall = try ServeFirewall.wanted(configuration.firewall, data: configuration.data, log: log)
    } catch { throw giveUp(error.description) }
    let rules: RuleFiles
    if let firewall {
      settings.mode = firewall.mode
      rules = firewall.files
    } else {
      rules = RuleFiles([])
    }
    let server = FirewallServer(
      configuration: settings, logger: log, loadPolicy: { try rules.policy() })
    do { try await server.start() } catch { throw giveUp("\(error)") }
    let hangUp = HangUp.source(of: server)
    log.info(
      "listening",
      metadata: [
        "node": "\(place.node.name)",
        "address": "\(settings.tls == nil ? "http" : "https")://\(settings.host):\(server.port)",
        "backends": "\(settings.backends.map(\.description).joined(separator: ", "))",
        "mode": "\(firewall == nil ? "no rules" : settings.mode.rawValue)",
      ])
    if rules.isIncomplete { Task { try? await server.reload() } }
    let reason = await Signals.wait()
    log.info("ending", metadata: ["reason": "\(reason)"])
    hangUp.cancel()
    await server.shutdown()
    log.info("ended")
  }
}
