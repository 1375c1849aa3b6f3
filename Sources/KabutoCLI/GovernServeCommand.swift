// `kabuto govern serve`: the page of findings, on the gateway's own server: its limits, its policy, its way out.

import ArgumentParser
import FirewallProxy
import Foundation
import Gateway
import Logging

struct GovernServe: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Serves the page of findings, and the same as JSON.",
    discussion: """
      Shows the history that `check` and `scan` keep with --data: what is open, its course, by account and rule, each \
      finding with what to do. It reads only, and may be started before the first run. Whoever reaches the address sees \
      all findings: on another address than loopback, put something before it that asks who it is.
      Exit status: 0 = ended by a signal, 2 = it can't be started.
      Example:  kabuto govern serve --data data --listen 127.0.0.1:8090
      """)

  @Option(help: ArgumentHelp("Folder of the history.", valueName: "dir"), completion: .directory)
  var data: String
  @Option(help: ArgumentHelp("Where to listen (port 0 = any free one).", valueName: "host:port"))
  var listen = "127.0.0.1:8090"
  @Option(help: "PEM file with the certificate chain.", completion: .file()) var tlsCertificate: String?
  @Option(help: "PEM file with the private key.", completion: .file()) var tlsKey: String?
  @Option(help: "Folder of the pages' files, where they aren't beside the program.", completion: .directory)
  var viewer: String?

  func run() async throws {
    signal(SIGPIPE, SIG_IGN)
    let log = Logger(label: "kabuto.govern") {
      LogLines(label: $0, json: isatty(2) == 0, logLevel: .info)
    }
    guard let (host, port) = BackendAddress.hostAndPort(listen) else {
      throw ValidationError("--listen '\(listen)': wanted HOST:PORT, as 127.0.0.1:8090")
    }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: data, isDirectory: &isFolder), isFolder.boolValue else {
      throw giveUp("\(data): no such folder; make it (mkdir -p), or name the one of --data of check and scan")
    }
    var configuration = GatewayConfiguration()
    (configuration.host, configuration.port) = (host, port)
    (configuration.tlsCertificate, configuration.tlsKey) = (tlsCertificate, tlsKey)
    configuration.viewerDirectory = viewer
    configuration.frontPage = "/governance.html"
    // Findings are nobody else's: no page of another origin may read them.
    configuration.allowedOrigins = []
    configuration.version = Kabuto.version
    configuration.drainMilliseconds = 500
    let gateway: GatewayServer
    do throws(GatewayError) {
      gateway = try await GatewayServer.start(
        configuration, markets: [], store: nil, log: log, governance: ServeGovernance(data), sources: { [] })
    } catch { throw giveUp(error.description) }
    log.info(
      "listening",
      metadata: [
        "address": "\(gateway.address)", "data": "\(data)",
        "viewer": "\(gateway.viewerDirectory ?? "not found: give --viewer DIR")",
      ])
    if !GatewayConfiguration.isLoopback(host) {
      log.warning(
        "whoever reaches \(gateway.address) sees all findings; put something before it that asks who it is")
    }
    if isatty(2) == 1 { say("\n  Findings   \(gateway.address)/\n  End        Ctrl-C\n") }
    let reason = await Signals.wait()
    log.info("ending", metadata: ["reason": "\(reason)"])
    await gateway.drain()
    await gateway.end()
    log.info("ended")
  }
}
