// What requests say in their addresses and fields: read with the fault, in words, where it can't be.

import Distribution
import NIOCore
import NIOHTTP1

extension Router {
  func integer(_ request: Request, _ name: String, default standard: Int, range: ClosedRange<Int>) -> Int? {
    guard let text = request.query[name] else { return standard }
    guard let value = Int(text), range.contains(value) else { return nil }
    return value
  }

  func badParameter(_ request: Request, _ name: String, _ wanted: String) -> Answer {
    let found = request.query[name].map { "\"\($0.prefix(60))\"" } ?? "nothing"
    return .problem(
      .badRequest, "bad-parameter", "\(name): \(found) found, wanted \(wanted)", instance: request.path)
  }

  /// Whose request it is; nil: it doesn't say. The field of whoever stands before the gateway wins.
  static func tenant(_ request: Request) -> String? {
    request.headers.first(name: "Kabuto-Tenant") ?? request.query["tenant"]
  }

  /// Milliseconds between beats that a stream asks for with `?heartbeat=`; nil: it doesn't. The fault where it can't be.
  static func heartbeat(_ request: Request) -> (Int?, String?) {
    guard let text = request.query["heartbeat"] else { return (nil, nil) }
    let range = Distributor.heartbeatRange
    guard let value = Int(text), range.contains(value) else {
      return (
        nil,
        "heartbeat: \"\(text.prefix(60))\" found, wanted milliseconds from \(range.lowerBound) to \(range.upperBound)"
      )
    }
    return (value, nil)
  }

  /// The subscription an SSE request asks for; nil and all faults where it can't be.
  static func subscription(_ request: Request) -> (SubscriptionRequest?, [String]) {
    var faults: [String] = []
    let channel = StreamChannel(name: request.query["channel"] ?? "")
    if channel == nil {
      faults.append(
        "channel: \"\(request.query["channel"] ?? "")\" found, wanted quotes, books, trades or bars")
    }
    let names = (request.query["instruments"] ?? "").split(separator: ",").map(String.init)
    if names.isEmpty { faults.append("instruments: nothing found, wanted codes with commas between, or *") }
    var wanted = SubscriptionRequest(id: "events", channel: channel ?? .quotes, instruments: names)
    for (name, range) in [
      ("interval", 0...10_000), ("levels", 1...50),
      ("bytes_per_second", SubscriptionRequest.bytesPerSecondRange),
    ] {
      guard let text = request.query[name] else { continue }
      guard let value = Int(text), range.contains(value) else {
        faults.append(
          "\(name): \"\(text.prefix(60))\" found, wanted an integer from \(range.lowerBound) to \(range.upperBound)"
        )
        continue
      }
      switch name {
      case "interval": wanted.interval = value
      case "levels": wanted.levels = value
      default: wanted.bytesPerSecond = value
      }
    }
    if let position = request.headers.first(name: "Last-Event-ID") {
      wanted.from = position.split(separator: ",").compactMap { entry in
        let parts = entry.split(separator: ":")
        guard parts.count == 3, let sequence = UInt64(parts[2]) else { return nil }
        return ResumePosition(market: String(parts[0]), epoch: String(parts[1]), sequence: sequence)
      }
    }
    if let fault = heartbeat(request).1 { faults.append(fault) }
    return faults.isEmpty ? (wanted, []) : (nil, faults)
  }
}
