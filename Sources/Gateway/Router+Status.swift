// `/metrics` (Prometheus text format 0.0.4) and `/v1/status` (what `kabuto top` shows).

import Distribution
import MarketData
import NIOCore
import NIOHTTP1
import PriceStore
import Synchronization
import TickerPlant

extension Router {
  /// A loop's figures at one moment.
  struct LoopFigures: Sendable {
    var clients: Int
    var counters: Distributor.Counters
    var ringFill: Int
    var ringCapacity: Int
    var workWaiting: Int
  }

  private func figures(_ context: LoopContext) -> EventLoopFuture<[LoopFigures]> {
    let loops = loops.withLock { $0 }
    let all = loops.map { loop in
      loop.eventLoop.submit {
        LoopFigures(
          clients: loop.distributor.clientCount, counters: loop.distributor.counters,
          ringFill: loop.rings.map(\.fill).max() ?? 0, ringCapacity: loop.rings.first?.capacity ?? 0,
          workWaiting: loop.share.count)
      }
    }
    return EventLoopFuture.whenAllSucceed(all, on: context.eventLoop)
  }

  func metrics(_ context: LoopContext) -> Routed {
    .later(
      figures(context).map { loops in
        var answer = Answer.text(
          self.metricsText(loops), contentType: "text/plain; version=0.0.4; charset=utf-8")
        answer.headers.add(name: "Cache-Control", value: "no-store")
        return answer
      })
  }

  private func metricsText(_ loops: [LoopFigures]) -> String {
    var text = PrometheusText()
    text.gauge("kabuto_build_info", "Version of the program", [(["version": configuration.version], 1)])
    text.gauge("kabuto_uptime_seconds", "Seconds since the gateway began", [([:], uptimeSeconds)])
    let sources = sources()
    func perSource(_ name: String, _ help: String, _ value: (SourceReport) -> Double) {
      text.counter(name, help, sources.map { (["market": $0.market], value($0)) })
    }
    perSource("kabuto_feed_messages_total", "Messages applied") { Double($0.messages) }
    perSource("kabuto_feed_malformed_total", "Messages that are not of the specification") {
      Double($0.malformed)
    }
    perSource("kabuto_feed_unknown_orders_total", "Messages about orders that are not known") {
      Double($0.unknownOrders)
    }
    perSource("kabuto_feed_duplicate_orders_total", "Orders added under a live reference") {
      Double($0.duplicateOrders)
    }
    perSource("kabuto_feed_impossible_sizes_total", "Sizes larger than the order, or zero") {
      Double($0.impossibleSizes)
    }
    perSource("kabuto_feed_unknown_trades_total", "Broken trades that name no known match") {
      Double($0.unknownTrades)
    }
    perSource("kabuto_feed_lost_total", "Messages declared lost") { Double($0.lost) }
    perSource("kabuto_feed_repeated_total", "Messages that came again") { Double($0.repeated) }
    perSource("kabuto_feed_trades_total", "Trades") { Double($0.trades) }
    perSource("kabuto_feed_ring_waits_total", "Times the feed waited for a full ring") {
      Double($0.ringWaits)
    }
    text.gauge(
      "kabuto_feed_sequence", "Last sequence number",
      sources.map { (["market": $0.market], Double($0.sequence)) })
    text.gauge(
      "kabuto_feed_live", "1 = live", sources.map { (["market": $0.market], $0.state == "live" ? 1 : 0) })
    text.gauge(
      "kabuto_feed_lag_seconds", "Behind the feed's own clock",
      sources.map { (["market": $0.market], Double($0.lagNanoseconds) / 1e9) })
    text.gauge(
      "kabuto_instruments", "Instruments", sources.map { (["market": $0.market], Double($0.instruments)) })
    text.gauge(
      "kabuto_live_orders", "Live orders", sources.map { (["market": $0.market], Double($0.liveOrders)) })
    text.lines(sources)
    text.paths(paths())
    text.rails(rails())
    text.gauge(
      "kabuto_in_service", "1 = takes new streams", [([:], refusesStreams ? 0 : 1)])
    text.gauge(
      "kabuto_feed_snapshot_seconds", "How long the feed stood still for its newest snapshot",
      sources.map { (["market": $0.market], Double($0.snapshotNanoseconds) / 1e9) })
    func perLoop(_ name: String, _ help: String, _ value: (LoopFigures) -> Double) {
      text.counter(name, help, loops.enumerated().map { (["loop": String($0.offset)], value($0.element)) })
    }
    text.gauge(
      "kabuto_clients", "Stream clients",
      loops.enumerated().map { (["loop": String($0.offset)], Double($0.element.clients)) })
    text.gauge(
      "kabuto_ring_fill_bytes", "Bytes that wait for the loop",
      loops.enumerated().map { (["loop": String($0.offset)], Double($0.element.ringFill)) })
    text.gauge(
      "kabuto_work_waiting", "Requests and messages of busy connections that wait for their turn",
      loops.enumerated().map { (["loop": String($0.offset)], Double($0.element.workWaiting)) })
    perLoop("kabuto_records_total", "Update records taken") { Double($0.counters.records) }
    perLoop("kabuto_events_encoded_total", "Events encoded, once each") { Double($0.counters.encoded) }
    perLoop("kabuto_events_delivered_total", "Events put into clients' frames") {
      Double($0.counters.delivered)
    }
    perLoop("kabuto_events_conflated_total", "Values replaced before a client took them") {
      Double($0.counters.conflated)
    }
    for counter in screen?.counters ?? [] {
      text.counter(counter.name, counter.help, [([:], Double(counter.value))])
    }
    perLoop("kabuto_frames_total", "Frames sent") { Double($0.counters.frames) }
    perLoop("kabuto_clients_stuck_total", "Clients dropped because they took nothing") {
      Double($0.counters.stuck)
    }
    let counts = ledger.counts
    text.gauge("kabuto_connections", "Open connections", [([:], Double(counts.open))])
    text.counter(
      "kabuto_connections_accepted_total", "Connections accepted", [([:], Double(counts.accepted))])
    text.counter(
      "kabuto_connections_refused_total", "Connections refused by a limit",
      ledger.refusals.map { (["reason": $0.reason.rawValue], Double($0.count)) })
    text.counter(
      "kabuto_limit_hits_total", "Requests refused and connections ended by a limit",
      limits.hits.map { (["reason": $0.reason.rawValue], Double($0.count)) })
    text.counter(
      "kabuto_websocket_closed_total", "WebSockets that the gateway closed, by close code",
      limits.closed.map { (["code": String($0.code)], Double($0.count)) })
    text.gauge(
      "kabuto_answer_bytes", "Bytes of large answers that clients have not taken",
      [([:], Double(limits.heldBytes))])
    text.counter(
      "kabuto_http_responses_total", "Answers by status",
      statusCounts.sorted { $0.key < $1.key }.map { (["status": String($0.key)], Double($0.value)) })
    if let store {
      let status = store.status
      text.gauge(
        "kabuto_store_ok", "1 = what is written is durable",
        [([:], status.state == .ok && status.damage == nil ? 1 : 0)])
      text.counter("kabuto_store_rows_written_total", "Rows written", [([:], Double(status.rowsWritten))])
      text.counter(
        "kabuto_store_rows_lost_total", "Rows that could not be written", [([:], Double(status.rowsLost))])
      text.gauge(
        "kabuto_store_rows_waiting", "Rows in memory that wait for a database that can't be written",
        [([:], Double(status.rowsWaiting))])
    }
    return text.text
  }

  var uptimeSeconds: Double { Double((NIODeadline.now() - started).nanoseconds) / 1e9 }

  func status(_ context: LoopContext) -> Routed {
    .later(
      figures(context).map { loops in
        var writer = JSONWriter(capacity: 4096)
        self.writeStatus(loops, into: &writer)
        var answer = Answer.json(writer)
        answer.headers.add(name: "Cache-Control", value: "no-store")
        return answer
      })
  }

  /// `,"node":…` and who this is in its estate, whether it is in service, where else the same is served, the paths and the
  /// rails.
  private func writeService(into writer: inout JSONWriter) {
    writer.raw(",\"node\":")
    writer.string(orNull: configuration.node)
    writer.raw(",\"zone\":")
    writer.string(orNull: configuration.zone)
    writer.raw(",\"site\":")
    writer.string(orNull: configuration.site)
    let position = service.position
    writer.raw(",\"service\":{\"state\":")
    writer.string(isDraining ? "ending" : position.state.word)
    writer.raw(",\"reason\":")
    if case .outOfService(let reason) = position.state { writer.string(reason) } else { writer.raw("null") }
    writer.raw(",\"since_ms\":")
    writer.integer(UInt64(max(0, (NIODeadline.now() - position.since).nanoseconds / 1_000_000)))
    writer.raw("},\"endpoints\":")
    writer.endpoints(configuration.endpoints)
    writer.raw(",\"paths\":[")
    for (index, path) in paths().enumerated() {
      if index > 0 { writer.raw(",") }
      writer.path(path)
    }
    writer.raw("],\"rails\":")
    writer.rails(rails())
  }

  private func writeStatus(_ loops: [LoopFigures], into writer: inout JSONWriter) {
    writer.raw("{\"version\":")
    writer.string(configuration.version)
    writer.raw(",\"uptime_ms\":")
    writer.integer(UInt64(uptimeSeconds * 1000))
    writer.raw(",\"pid\":")
    writer.integer(UInt64(ProcessStart.own.pid))
    writer.raw(",\"started\":")
    if let ticks = ProcessStart.own.ticks { writer.integer(ticks) } else { writer.raw("null") }
    writer.raw(",\"draining\":")
    writer.boolean(isDraining)
    writeService(into: &writer)
    writer.raw(",\"sources\":[")
    for (index, source) in sources().enumerated() {
      if index > 0 { writer.raw(",") }
      writer.raw("{\"market\":")
      writer.string(source.market)
      writer.raw(",\"source\":")
      writer.string(source.source)
      writer.raw(",\"epoch\":")
      writer.string(source.epoch)
      writer.raw(",\"state\":")
      writer.string(source.state)
      let figures: [(String, UInt64)] = [
        ("seq", source.sequence), ("messages", source.messages), ("malformed", source.malformed),
        ("unknown_orders", source.unknownOrders), ("duplicate_orders", source.duplicateOrders),
        ("impossible_sizes", source.impossibleSizes), ("unknown_trades", source.unknownTrades),
        ("lost", source.lost), ("repeated", source.repeated), ("trades", source.trades),
        ("instruments", UInt64(source.instruments)), ("live_orders", UInt64(source.liveOrders)),
        ("lag_ns", source.lagNanoseconds), ("ring_fill", UInt64(source.ringFill)),
        ("ring_waits", source.ringWaits), ("time_ns", source.time),
        ("snapshot_ns", source.snapshotNanoseconds),
      ]
      for (name, value) in figures {
        writer.raw(",")
        writer.string(name)
        writer.raw(":")
        writer.integer(value)
      }
      writer.raw(",\"digest\":")
      if let digest = source.digest { writer.string(digest.description) } else { writer.raw("null") }
      writer.raw(",\"digest_seq\":")
      if source.digest != nil { writer.integer(source.digestSequence) } else { writer.raw("null") }
      writer.raw(",\"progress\":")
      if let progress = source.progress {
        writer.decimal(Int64(progress * 10_000))
      } else {
        writer.raw("null")
      }
      writer.raw(",\"fault\":")
      if let fault = source.fault { writer.string(fault) } else { writer.raw("null") }
      writer.lines(source)
      writer.raw("}")
    }
    writer.raw("],\"loops\":[")
    for (index, loop) in loops.enumerated() {
      if index > 0 { writer.raw(",") }
      writer.raw("{\"clients\":")
      writer.integer(UInt64(loop.clients))
      let figures: [(String, UInt64)] = [
        ("records", loop.counters.records), ("encoded", loop.counters.encoded),
        ("delivered", loop.counters.delivered), ("conflated", loop.counters.conflated),
        ("frames", loop.counters.frames), ("stuck", loop.counters.stuck),
        ("ring_fill", UInt64(loop.ringFill)),
        ("ring_capacity", UInt64(loop.ringCapacity)), ("work_waiting", UInt64(loop.workWaiting)),
      ]
      for (name, value) in figures {
        writer.raw(",")
        writer.string(name)
        writer.raw(":")
        writer.integer(value)
      }
      writer.raw("}")
    }
    let counts = ledger.counts
    writer.raw("],\"connections\":{\"open\":")
    writer.integer(UInt64(max(0, counts.open)))
    writer.raw(",\"accepted\":")
    writer.integer(counts.accepted)
    writer.raw(",\"refused\":")
    writer.integer(counts.refused)
    writer.raw("},\"store\":")
    if let store {
      let status = store.status
      writer.raw("{\"state\":")
      writer.string(status.state == .ok && status.damage == nil ? "ok" : "degraded")
      writer.raw(",\"reason\":")
      if case .degraded(let reason, _) = status.state {
        writer.string(reason)
      } else if let damage = status.damage {
        writer.string(damage)
      } else {
        writer.raw("null")
      }
      writer.raw(",\"rows_written\":")
      writer.integer(status.rowsWritten)
      writer.raw(",\"rows_lost\":")
      writer.integer(status.rowsLost)
      writer.raw(",\"rows_waiting\":")
      writer.integer(UInt64(status.rowsWaiting))
      writer.raw(",\"ring_fill\":")
      writer.integer(UInt64(status.ringFill.reduce(0, +)))
      writer.raw("}")
    } else {
      writer.raw("null")
    }
    writer.raw("}")
  }
}

/// The Prometheus text format.
struct PrometheusText {
  private(set) var text = ""

  mutating func counter(_ name: String, _ help: String, _ samples: [([String: String], Double)]) {
    metric(name, "counter", help, samples)
  }

  mutating func gauge(_ name: String, _ help: String, _ samples: [([String: String], Double)]) {
    metric(name, "gauge", help, samples)
  }

  private mutating func metric(
    _ name: String, _ type: String, _ help: String, _ samples: [([String: String], Double)]
  ) {
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    for (labels, value) in samples {
      let pairs = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\"\(Self.escaped($0.value))\"" }
      let number = value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
      text += name + (pairs.isEmpty ? "" : "{" + pairs.joined(separator: ",") + "}") + " " + number + "\n"
    }
  }

  private static func escaped(_ value: String) -> String {
    var escaped = ""
    for character in value {
      switch character {
      case "\\": escaped += "\\\\"
      case "\"": escaped += "\\\""
      case "\n": escaped += "\\n"
      default: escaped.append(character)
      }
    }
    return escaped
  }
}
