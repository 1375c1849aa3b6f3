// A transaction as one line of JSON. Written by hand: it is on the path of every request.

import Firewall

/// What the log tells of a request and its response.
protocol LoggedExchange {
  var transaction: (any InspectedTransaction)? { get }
  /// An id that came with the request; else `id` holds.
  var givenID: [UInt8]? { get }
  var id: RequestID { get }
  var loggedClient: String { get }
  /// Method and target, and where the method ends.
  var requestText: [UInt8] { get }
  var methodCount: Int { get }
  var status: Int { get }
  var isEnforced: Bool { get }
  var refused: Refusal? { get }
  var mode: FirewallMode { get }
  var startedAt: Int64 { get }
  var lastBackend: BackendAddress? { get }
  /// WebSocket frames that were relayed.
  var relayedFrames: (fromClient: UInt64, fromBackend: UInt64)? { get }
  var remarks: [String] { get }
}

extension Exchange: LoggedExchange {
  var loggedClient: String { clientAddress ?? front.client.facts.clientAddress }
  var mode: FirewallMode { loop.configuration.mode }
  var relayedFrames: (fromClient: UInt64, fromBackend: UInt64)? {
    hadRelay ? (fromClient.frames, fromBackend.frames) : nil
  }
}

enum LogLine {
  /// Values longer than this are cut, and say so.
  static let valueBytes = 1024
  /// Targets longer than this are cut.
  static let uriBytes = 8192

  static func write(
    _ exchange: some LoggedExchange, end: Int64, wall: Int64, dates: inout TimeText, to out: inout [UInt8]
  ) {
    let transaction = exchange.transaction
    out += "{\"time\":\"".utf8
    dates.write(wall, to: &out)
    out += "\",\"request_id\":\"".utf8
    if let given = exchange.givenID {
      JSON.escape(given, to: &out)
    } else {
      let at = out.count
      out.append(contentsOf: repeatElement(0, count: 32))
      out.withUnsafeMutableBytes {
        exchange.id.write(to: UnsafeMutableRawBufferPointer(rebasing: $0[at..<at + 32]))
      }
    }
    out += "\",\"client\":\"".utf8
    JSON.escape(exchange.loggedClient, to: &out)
    out += "\",\"method\":\"".utf8
    exchange.requestText.withUnsafeBytes { text in
      let method = min(exchange.methodCount, text.count)
      JSON.escape(UnsafeRawBufferPointer(rebasing: text[..<method]), to: &out)
      out += "\",\"uri\":\"".utf8
      Secrets.escape(UnsafeRawBufferPointer(rebasing: text[method...].prefix(uriBytes)), to: &out)
    }
    out += "\",\"status\":".utf8
    JSON.number(exchange.status, to: &out)
    out += ",\"action\":\"".utf8
    out += action(exchange).utf8
    out += "\",\"score\":".utf8
    JSON.number(transaction?.score ?? 0, to: &out)
    if let outbound = transaction?.outboundScore, outbound > 0 {
      out += ",\"outbound_score\":".utf8
      JSON.number(outbound, to: &out)
    }
    out += ",\"matches\":[".utf8
    if let transaction {
      var isFirst = true
      for match in transaction.matches where match.logged {
        if !isFirst { out.append(UInt8(ascii: ",")) }
        isFirst = false
        write(match, to: &out)
      }
    }
    out += "],\"mode\":\"".utf8
    out += exchange.mode.rawValue.utf8
    out += "\",\"duration_us\":".utf8
    JSON.number(Int(end - exchange.startedAt) / 1000, to: &out)
    if let refused = exchange.refused {
      out += ",\"refused\":\"".utf8
      JSON.escape(refused.rawValue, to: &out)
      out.append(UInt8(ascii: "\""))
    }
    if let backend = exchange.lastBackend {
      out += ",\"backend\":\"".utf8
      JSON.escape(backend.authority, to: &out)
      out.append(UInt8(ascii: "\""))
    }
    if let frames = exchange.relayedFrames {
      out += ",\"frames_in\":".utf8
      JSON.number(Int(clamping: frames.fromClient), to: &out)
      out += ",\"frames_out\":".utf8
      JSON.number(Int(clamping: frames.fromBackend), to: &out)
    }
    let notes = exchange.remarks + (transaction?.notes ?? [])
    if !notes.isEmpty { strings("notes", notes, to: &out) }
    out += "}\n".utf8
  }

  /// What is refused was not served, whatever the mode. Of a body that streamed a part may have reached the backend
  /// before its framing broke or it came too slowly; a note says so.
  private static func action(_ exchange: some LoggedExchange) -> StaticString {
    if exchange.isEnforced || exchange.refused != nil { return "block" }
    return exchange.transaction?.wouldBlock != nil ? "alarm" : "pass"
  }

  private static func strings(_ name: StaticString, _ values: [String], to out: inout [UInt8]) {
    out += ",\"".utf8
    out += UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
    out += "\":[".utf8
    for (index, value) in values.enumerated() {
      if index > 0 { out.append(UInt8(ascii: ",")) }
      out.append(UInt8(ascii: "\""))
      JSON.escape(value, to: &out)
      out.append(UInt8(ascii: "\""))
    }
    out.append(UInt8(ascii: "]"))
  }

  private static func write(_ match: RuleMatch, to out: inout [UInt8]) {
    out += "{\"id\":".utf8
    JSON.number(match.rule, to: &out)
    out += ",\"phase\":".utf8
    JSON.number(match.phase, to: &out)
    out += ",\"message\":\"".utf8
    JSON.escape(match.message, to: &out)
    out += "\",\"severity\":\"".utf8
    JSON.escape(match.severity, to: &out)
    out += "\",\"variable\":\"".utf8
    JSON.escape(match.variable, to: &out)
    out += "\",\"value\":\"".utf8
    if Secrets.isSecret(variable: match.variable) {
      out += "***\",\"masked\":true".utf8
    } else {
      match.value.withUnsafeBytes {
        let value = UnsafeRawBufferPointer(rebasing: $0.prefix(valueBytes))
        // A whole request, body or target holds names and values of its own.
        if match.variable.utf8.contains(UInt8(ascii: ":")) {
          JSON.escape(value, to: &out)
        } else {
          Secrets.escape(value, to: &out)
        }
      }
      out.append(UInt8(ascii: "\""))
      if match.value.count > valueBytes {
        out += ",\"cut\":true,\"value_bytes\":".utf8
        JSON.number(match.value.count, to: &out)
      }
    }
    strings("tags", match.tags, to: &out)
    out += ",\"offset\":".utf8
    JSON.number(match.offset, to: &out)
    out += ",\"length\":".utf8
    JSON.number(match.length, to: &out)
    strings("transformations", match.transformations, to: &out)
    out.append(UInt8(ascii: "}"))
  }
}
