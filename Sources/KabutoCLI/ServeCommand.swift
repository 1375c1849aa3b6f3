// `kabuto serve`: wires sources, store and gateway, and takes them down in order.

import ArgumentParser
import Backbone
import Distribution
import Estate
import FeedHandler
import FirewallProxy
import Foundation
import Gateway
import Logging
import MarketData
import PriceStore
import TickerPlant

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Serves prices: feeds to order books to REST, WebSocket, SSE and the viewer.",
    discussion: """
      SOURCE is one of
        sim:[seed=1&instruments=400&speed=1]     a simulated exchange (the default); without speed it keeps Tokyo's \
      hours, and outside of them plays a day in about a quarter of an hour
        itch:FILE[,FILE…][?speed=60&reference=FILE&date=YYYY-MM-DD&market=XNAS&zone=America/New_York]
        pcap:FILE[,FILE…][?the same]             packet captures (pcap, pcapng) of MoldUDP64
        mold:GROUP:PORT[,GROUP:PORT][?request=HOST:PORT&interface=NAME&heartbeat=MS&wait=MS&requests=N&the same]   \
      live MoldUDP64 lines A and B
        soup:HOST:PORT[?user=NAME&password=WORD&session=NAME&sequence=N&heartbeat=MS&date=…&reference=…]    a \
      SoupBinTCP server
      speed is a factor or max. Settings come from flags, else from the environment (KABUTO_LISTEN, KABUTO_DATA, …), \
      else from the file of --config (YAML: listen, data, feeds, tls_certificate, tls_key, loops, connections, …).
      Every request passes the web application firewall first, by default with the OWASP Core Rule Set of this system \
      (Debian: modsecurity-crs) in mode block. SIGHUP reads its rules anew (with a fault the old ones stay) and opens \
      its log anew. SIGUSR1 takes the server out of service (clients are moved, new streams refused), SIGUSR2 brings it \
      back.
      """)

  @Option(
    help: ArgumentHelp(
      "A file that describes all sites and nodes, or the name of one that the program carries (default embedded: one process does it all).",
      valueName: "file"),
    completion: .file())
  var estate: String?
  @Option(help: ArgumentHelp("Which node of the estate this is.", valueName: "name"))
  var node: String?
  @Option(
    name: .customLong("feed"),
    help: ArgumentHelp("What to read; may be given several times.", valueName: "source"))
  var feeds: [String] = []
  @Option(
    help: ArgumentHelp(
      "Where to listen (default 127.0.0.1:8080; port 0 = any free one).", valueName: "host:port"))
  var listen: String?
  @Option(
    help: ArgumentHelp("Folder of the price database; without it nothing is kept.", valueName: "dir"),
    completion: .directory)
  var data: String?
  @Option(help: ArgumentHelp("A YAML file with settings.", valueName: "file"), completion: .file())
  var config: String?
  @Option(help: "PEM file with the certificate chain.", completion: .file())
  var tlsCertificate: String?
  @Option(help: "PEM file with the private key.", completion: .file())
  var tlsKey: String?
  @Option(help: "Event loops (default 1).")
  var loops: String?
  @Option(help: "Origins browsers may call from, with commas between (default *).")
  var origins: String?
  @Option(
    help: ArgumentHelp(
      "Where the same is served, this server included, nearest first, with commas between (URL#node=NAME&zone=NAME&site=NAME).",
      valueName: "url,…"))
  var endpoints: String?
  @Option(help: "trace, debug, info, notice, warning, error or critical (default info).")
  var logLevel: String?
  @Option(help: "json, text, or auto: text on a terminal.")
  var logFormat: String?
  @Option(help: "Folder of the viewer's files, where they aren't beside the program.", completion: .directory)
  var viewer: String?
  @Option(
    help: ArgumentHelp(
      "The firewall before the gateway: observe, stage, block or off (default block; off where no rules are installed).",
      valueName: "mode"))
  var firewall: String?
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Files or folders with the firewall's rules (default: recommended settings, then the installed Core Rule Set).",
      valueName: "file|dir"),
    completion: .file())
  var firewallRules: [String] = []
  @Option(
    help: ArgumentHelp(
      "The firewall's log, a JSON line a request (default: firewall.jsonl in the folder of --data).",
      valueName: "file"),
    completion: .file())
  var firewallLog: String?
  @OptionGroup(title: "Limits") var limits: ServeLimits

  func run() async throws {
    var flags: [String: String] = [:]
    for (name, value) in [
      ("listen", listen), ("data", data), ("tls_certificate", tlsCertificate), ("tls_key", tlsKey),
      ("loops", loops), ("origins", origins), ("endpoints", endpoints), ("log_level", logLevel),
      ("log_format", logFormat),
      ("viewer", viewer), ("firewall", firewall), ("firewall_log", firewallLog),
      ("estate", estate), ("node", node),
    ] + limits.settings where value != nil { flags[name] = value }
    let configuration: ServeConfiguration
    switch ServeConfiguration.resolve(
      file: config, environment: ProcessInfo.processInfo.environment, flags: flags, feeds: feeds,
      rules: firewallRules)
    {
    case .success(let resolved): configuration = resolved
    case .failure(let error): throw giveUp(error.faults.joined(separator: "\nkabuto: "))
    }
    try await ServeRun(configuration).run()
  }
}

/// One life of a server.
struct ServeRun {
  let configuration: ServeConfiguration
  let log: Logger

  init(_ configuration: ServeConfiguration) {
    self.configuration = configuration
    let json = configuration.logFormat == "json" || (configuration.logFormat == "auto" && isatty(2) == 0)
    var log = Logger(label: "kabuto") { LogLines(label: $0, json: json, logLevel: configuration.logLevel) }
    log.logLevel = configuration.logLevel
    self.log = log
  }

  func run() async throws {
    signal(SIGPIPE, SIG_IGN)
    if let place = configuration.place, place.node.roles == [.firewall] {
      return try await ServeFirewallNode(configuration: configuration, place: place, log: log).run()
    }
    let begin = Date()
    let firewall: ServeFirewall?
    do throws(FirewallError) {
      firewall = try ServeFirewall.wanted(configuration.firewall, data: configuration.data, log: log)
    } catch { throw giveUp(error.description) }
    // While the rest is being made ready; nothing is served before it is there.
    let policy = firewall?.load()
    let feeds = try prepareFeeds()
    let backbone: ServeBackbone?
    do throws(BusError) {
      if let place = configuration.place {
        backbone = try ServeBackbone(place, log: log)
      } else {
        backbone = nil
      }
    } catch { throw giveUp(error.description) }
    // What comes by request has holes: nothing is kept of it.
    let isSelective = configuration.place?.isSelective ?? false
    let store = isSelective ? nil : try openStore(feeds)
    var gatewayConfiguration = configuration.gateway
    gatewayConfiguration.host = configuration.listenHost
    gatewayConfiguration.port = configuration.listenPort
    gatewayConfiguration.version = Kabuto.version
    let markets = feeds.map {
      var market = MarketDescription(
        market: $0.market, timeZone: $0.timeZone, reference: $0.reference,
        utcOffsetSeconds: $0.utcOffsetSeconds)
      market.isSelective = isSelective
      return market
    }
    let running = RunningFeeds(feeds)
    var screen: EmbeddedFirewall?
    if let firewall, let policy {
      do {
        screen = try firewall.start(
          await policy.value,
          logFile: configuration.firewall.log ?? configuration.data.map { $0 + "/firewall.jsonl" })
      } catch { throw giveUp("\(error)\nkabuto: --firewall off serves without it") }
    }
    var estate: (@Sendable () async -> EstateView)?
    if let view = configuration.place.map(ServeEstateView.init) {
      estate = { view.view(await running.service?.knowledge() ?? { $0 }) }
    }
    let keep = backbone.flatMap { ServeKeep($0, log: log) }
    let ownReport = configuration.place.map {
      ServeKeep.report(.unknown("no message server keeps anything"), $0)
    }
    let gateway: GatewayServer
    do throws(GatewayError) {
      gateway = try await GatewayServer.start(
        gatewayConfiguration, markets: markets, store: store, log: log,
        screen: screen.map(FirewallScreen.init), paths: { running.paths },
        rails: { [backbone] in backbone?.rails ?? [] }, estate: estate,
        // Prices may be anybody's, findings aren't: elsewhere `kabuto govern serve` shows them.
        governance: configuration.data.flatMap {
          GatewayConfiguration.isLoopback(configuration.listenHost) ? ServeGovernance($0) : nil
        },
        configured: { keep?.configuration ?? ownReport },
        sources: { running.reports })
    } catch { throw giveUp(error.description) }

    var threads: [FeedThread] = []
    var publishers: [PlantPublisher] = []
    var lines: [FeedLine] = []
    var receivers: [StreamReceiver] = []
    var keepers: [TickKeeper] = []
    var catchUps: [StoreCatchUp] = []
    for (index, feed) in feeds.enumerated() {
      if let backbone, !backbone.place.has(.plant) {
        var rings = gateway.rings(market: index)
        if let ring = store?.ring(market: index) {
          let catchUp =
            configuration.data == nil
            ? nil : backbone.catchUp(market: feed.market, ring: ring, tag: UInt32(index))
          rings.append(catchUp?.ring ?? ring)
          if let catchUp { catchUps.append(catchUp) }
        }
        receivers.append(backbone.receiver(market: feed.market, rings: rings, tag: UInt32(index)))
        continue
      }
      var outlets = FeedThread.Outlets(
        rings: gateway.rings(market: index) + (store.map { [$0.ring(market: index)] } ?? []),
        archive: store?.ring(market: index),
        tag: UInt32(index),
        snapshotSeconds: configuration.snapshotSeconds,
        log: { [log] level, text in
          switch level {
          case .info: log.info("\(text)")
          case .warning: log.warning("\(text)")
          case .error: log.error("\(text)")
          }
        })
      if let store, configuration.data != nil {
        outlets.save = { store.save(snapshot: $0, market: index, epoch: $1, date: $2, sequence: $3) }
      }
      if let backbone {
        let line = backbone.feedLine(market: feed.market)
        let publisher = backbone.publisher(market: feed.market, relay: line.relay) {
          running.lag(market: feed.market)
        }
        outlets.rings.append(publisher.ring)
        outlets.states = publisher.states
        let own = backbone.keepers(market: feed.market)
        outlets.rings += own.map(\.ring)
        keepers += own
        publishers.append(publisher)
        outlets.relay = line.relay
        lines.append(line)
      }
      let thread = FeedThread(feed, outlets: outlets)
      if let store, configuration.data != nil { restore(thread, feed, index, store) }
      threads.append(thread)
    }
    running.set(threads, receivers)
    if isSelective { gateway.observeInterest { [receivers] in receivers[$0].setWanted($1) } }
    do throws(BusError) {
      for publisher in publishers { try publisher.start() }
      for line in lines { try line.start() }
      for keeper in keepers {
        try keeper.start()
        if let place = configuration.place, place.has(.store) { keeper.makeStream(domain: keeper.rail) }
      }
      for catchUp in catchUps { catchUp.start() }
      for receiver in receivers { try receiver.start() }
      if let backbone {
        let service = ServeService(
          backbone, gateway: gateway, feeds: running, publishers: publishers, log: log)
        running.set(service)
        try service.start()
      }
      try keep?.start(gateway)
    } catch { throw giveUp(error.description) }
    for thread in threads { thread.start() }
    announce(gateway, feeds, begin)
    var hangUp: (any DispatchSourceSignal)?
    if let firewall, let screen {
      hangUp = firewall.onHangUp(screen)
      firewall.complete(screen)
    }

    let serviceSignals = ServiceSignals(gateway, service: running.service, log: log)
    let reason = await Signals.wait()
    serviceSignals.cancel()
    hangUp?.cancel()
    log.info("ending", metadata: ["reason": "\(reason)"])
    if let service = running.service {
      // Nodes that take this one's streams change over before frames cease.
      service.announceLeaving(reason: "the server is ending (\(reason))")
      try? await Task.sleep(nanoseconds: ServeService.leavingNanoseconds)
    }
    // Prices go on until the last client has gone elsewhere.
    await gateway.drain()
    await keep?.stop(gateway)
    if let service = running.service { await Task.detached { service.stop() }.value }
    for receiver in receivers { await Task.detached { receiver.stop() }.value }
    for catchUp in catchUps { await Task.detached { catchUp.stop() }.value }
    for thread in threads { await Task.detached { thread.stop() }.value }
    for keeper in keepers { await Task.detached { keeper.stop() }.value }
    for line in lines { await Task.detached { line.stop() }.value }
    for publisher in publishers { await Task.detached { publisher.stop() }.value }
    await gateway.end()
    screen?.close()
    store?.close()
    backbone?.close()
    log.info("ended")
  }

  private func prepareFeeds() throws -> [PreparedFeed] {
    let texts = configuration.feeds.isEmpty ? ["sim:"] : configuration.feeds
    var feeds: [PreparedFeed] = []
    var faults: [String] = []
    for text in texts {
      do {
        let feed = try PreparedFeed(FeedAddress(text), text: text, keepsState: configuration.data != nil)
        if let other = feeds.first(where: { $0.market == feed.market }) {
          faults.append(
            "\(text): market \(feed.market) is already read from \(other.source); give one of them another with ?market="
          )
        }
        feeds.append(feed)
      } catch { faults.append("\(error)") }
    }
    guard faults.isEmpty else { throw giveUp(faults.joined(separator: "\nkabuto: ")) }
    return feeds
  }

  private func openStore(_ feeds: [PreparedFeed]) throws -> PriceStore? {
    var store = StoreConfiguration(
      directory: configuration.data, markets: feeds.map(\.market),
      utcOffsetSeconds: feeds.map(\.utcOffsetSeconds))
    store.retention.tickDays = configuration.tickDays
    store.retention.minuteBarDays = configuration.minuteBarDays
    store.retention.dailyBarDays = configuration.dailyBarDays
    store.retention.snapshots = configuration.snapshots
    store.keepsQuotes = configuration.keepsQuotes && configuration.data != nil
    do throws(StoreError) {
      return try PriceStore(store) { [log] message in
        switch message.severity {
        case .notice: log.info("store: \(message.text)")
        case .warning: log.warning("store: \(message.text)")
        case .error: log.error("store: \(message.text)")
        }
      }
    } catch { throw giveUp(error.description) }
  }

  /// Goes on from the newest snapshot that is whole.
  private func restore(_ thread: FeedThread, _ feed: PreparedFeed, _ market: Int, _ store: PriceStore) {
    do {
      for snapshot in try store.snapshots(market: market) {
        do {
          try thread.restore(try store.load(snapshot))
          log.info(
            "restored",
            metadata: [
              "market": "\(feed.market)", "epoch": "\(snapshot.epoch)", "seq": "\(snapshot.sequence)",
            ])
          return
        } catch {
          store.setAside(snapshot: snapshot, reason: "\(error)")
        }
      }
    } catch {
      log.error("snapshots can't be read: \(error); starting without", metadata: ["market": "\(feed.market)"])
    }
  }

  private func announce(_ gateway: GatewayServer, _ feeds: [PreparedFeed], _ begin: Date) {
    for feed in feeds {
      log.info(
        "feed",
        metadata: [
          "source": "\(feed.source)", "market": "\(feed.market)", "date": "\(feed.date) (\(feed.dateOrigin))",
          "zone": "\(feed.timeZone)", "simulated": "\(feed.reference?.simulated ?? false)",
        ])
    }
    log.info(
      "listening",
      metadata: [
        "address": "\(gateway.address)", "data": "\(configuration.data ?? "in memory, nothing is kept")",
        "viewer": "\(gateway.viewerDirectory ?? "not found: give --viewer DIR")",
        "start_ms": "\(Int(Date().timeIntervalSince(begin) * 1000))",
      ])
    if isatty(2) == 1 {
      say(
        "\n  Viewer   \(gateway.address)/\n  REST     \(gateway.address)/v1/quotes   \(gateway.address)/openapi.json\n  End      Ctrl-C\n"
      )
      if feeds.contains(where: { $0.reference?.simulated ?? false }) {
        say("  The market is simulated: no price here is real.\n")
      }
    }
  }
}
