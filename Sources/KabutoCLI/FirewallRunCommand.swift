// `kabuto firewall run`: the firewall as a process of its own, in front of a backend.

import ArgumentParser
import Dispatch
import Firewall
import FirewallProxy
import Foundation
import Logging

struct FirewallRun: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Runs the firewall as a reverse proxy in front of a backend.",
    discussion: """
      Without --rules it is a proxy that inspects nothing. Modes: observe lets everything pass and logs what it would \
      have denied as alarm; stage is observe with its own mark; block denies. Of the mode and the rules' SecRuleEngine \
      the weaker wins. Requests whose framing leaves room for two readings are refused in every mode.
      SIGHUP reads the rules anew (with a fault the old ones stay) and opens the log file anew; SIGTERM and SIGINT end \
      it when what runs is done.
      Example:  kabuto firewall run --listen 127.0.0.1:8081 --backend http://127.0.0.1:9000 --rules crs-setup.conf \
      --rules rules/ --log firewall.jsonl
      """)

  @Option(help: ArgumentHelp("Where to listen (port 0 = any free one).", valueName: "host:port"))
  var listen = "127.0.0.1:8081"
  @Option(
    name: .customLong("backend"),
    help: ArgumentHelp("What to protect; may be given several times: taken in turn.", valueName: "url"))
  var backends: [String]
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Files or folders with SecLang rules, in this order.", valueName: "file|dir"),
    completion: .file())
  var rules: [String] = []
  @Option(help: "observe, stage or block.")
  var mode = "observe"
  @Option(
    help: ArgumentHelp("A JSON line for each transaction goes here.", valueName: "file"), completion: .file())
  var log: String?
  @Option(
    help: "PEM file with the certificate chain; with it, HTTP/2 and HTTP/1.1 over TLS.", completion: .file())
  var tlsCert: String?
  @Option(help: "PEM file with the private key.", completion: .file())
  var tlsKey: String?
  @Option(
    help: ArgumentHelp(
      "Where to serve GET /metrics, GET /health/live, POST /reload, POST /reopen (default: nowhere).",
      valueName: "host:port"))
  var admin: String?
  @Option(help: "Event loops (default: the number of processors).")
  var loops: Int?
  @Option(
    name: .customLong("trust"),
    help: ArgumentHelp(
      "Proxies whose X-Forwarded-For, Forwarded and X-Request-ID are believed; may be given several times.",
      valueName: "address[/bits]"))
  var trusted: [String] = []
  @Option(help: ArgumentHelp("Ask backends for this path each five seconds.", valueName: "path"))
  var healthPath: String?
  @Option(help: ArgumentHelp("The name to put into Via (default: none is put).", valueName: "name"))
  var via: String?

  func run() async throws {
    signal(SIGPIPE, SIG_IGN)
    let logger = Logger(label: "kabuto.firewall") {
      LogLines(label: $0, json: isatty(2) == 0, logLevel: .info)
    }
    let configuration = try settings()
    let adminAddress = try admin.map { try address($0, "--admin") }
    let files = RuleFiles(rules)
    let firewall = FirewallServer(
      configuration: configuration, logger: logger, loadPolicy: { try files.policy() })
    do { try await firewall.start() } catch { throw giveUp("\(error)") }
    var adminServer: FirewallAdmin?
    if let adminAddress {
      do {
        adminServer = try await FirewallAdmin.start(
          host: adminAddress.host, port: adminAddress.port, firewall: firewall)
      } catch {
        await firewall.shutdown()
        throw giveUp("\(error)")
      }
    }
    let hangUp = HangUp.source(of: firewall)
    logger.info(
      "listening",
      metadata: [
        "address": "\(configuration.tls == nil ? "http" : "https")://\(configuration.host):\(firewall.port)",
        "backends": "\(configuration.backends.map(\.description).joined(separator: ", "))",
        "mode": "\(configuration.mode.rawValue)",
        "rules": "\(rules.isEmpty ? "none" : rules.joined(separator: ", "))",
        "loops": "\(configuration.loops)", "admin": "\(adminServer.map { "port \($0.port)" } ?? "off")",
      ])
    if files.isIncomplete {
      logger.info("building pattern databases; until they are there, patterns are looked for one by one")
      Task { try? await firewall.reload() }
    }
    let reason = await Signals.wait()
    logger.info("ending", metadata: ["reason": "\(reason)"])
    hangUp.cancel()
    await adminServer?.stop()
    await firewall.shutdown()
    logger.info("ended")
  }

  /// All faults of the flags at once.
  private func settings() throws -> FirewallConfiguration {
    var faults: [String] = []
    var addresses: [BackendAddress] = []
    for text in backends {
      do throws(FirewallError) { addresses.append(try BackendAddress(text)) } catch {
        faults.append("--backend: \(error)")
      }
    }
    var configuration = FirewallConfiguration(backends: addresses)
    if let (host, port) = BackendAddress.hostAndPort(listen) {
      configuration.host = host
      configuration.port = port
    } else {
      faults.append("--listen '\(listen)': wanted HOST:PORT, as 127.0.0.1:8081")
    }
    if let mode = FirewallMode(rawValue: mode) {
      configuration.mode = mode
    } else {
      faults.append("--mode '\(mode)': wanted observe, stage or block")
    }
    switch (tlsCert, tlsKey) {
    case (nil, nil): break
    case (let certificate?, let key?): configuration.tls = FirewallTLS(certificate: certificate, key: key)
    default: faults.append("--tls-cert, --tls-key: one without the other; wanted both or neither")
    }
    configuration.loops = loops ?? ProcessInfo.processInfo.activeProcessorCount
    if configuration.loops < 1 || configuration.loops > 256 {
      faults.append("--loops \(configuration.loops): wanted 1 to 256")
    }
    for text in trusted {
      if let range = AddressRange(text) {
        configuration.trustedProxies.append(range)
      } else {
        faults.append("--trust '\(text)': wanted an address or a range, as 10.0.0.0/8")
      }
    }
    if let healthPath, !healthPath.hasPrefix("/") {
      faults.append("--health-path '\(healthPath)': wanted a path that begins with /")
    }
    configuration.healthPath = healthPath
    configuration.via = via
    configuration.logFile = log
    guard faults.isEmpty else { throw ValidationError(faults.joined(separator: "\n")) }
    return configuration
  }

  private func address(_ text: String, _ flag: String) throws -> (host: String, port: Int) {
    guard let address = BackendAddress.hostAndPort(text) else {
      throw ValidationError("\(flag) '\(text)': wanted HOST:PORT, as 127.0.0.1:9901")
    }
    return address
  }
}
