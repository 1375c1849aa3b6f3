// What belongs to one event loop of the server that the firewall is in: the policy in use, ids, lines of the log.
// Owner: that loop.

import Firewall
import Synchronization

/// See the head of this file.
public final class EmbeddedLoop {
  let firewall: EmbeddedFirewall
  var random: RandomBits
  let log: LogBatch?
  private(set) var policy: ActivePolicy
  private var generation: Int
  /// Heads as bytes, for the time of a call.
  var scratch: [UInt8] = []
  var fields: [Field] = []

  init(_ firewall: EmbeddedFirewall, seed: UInt64) {
    self.firewall = firewall
    random = RandomBits(seed: seed)
    log = firewall.log.map { LogBatch($0) }
    generation = firewall.generation.load(ordering: .acquiring)
    policy = ActivePolicy(firewall.snapshot, mode: firewall.settings.mode)
    scratch.reserveCapacity(4096)
  }

  /// A request came.
  public func begin(_ request: EmbeddedRequest) -> EmbeddedExchange {
    let newest = firewall.generation.load(ordering: .acquiring)
    if newest != generation {
      generation = newest
      policy = ActivePolicy(firewall.snapshot, mode: firewall.settings.mode)
    }
    firewall.tally.requests.wrappingAdd(1, ordering: .relaxed)
    return EmbeddedExchange(loop: self, policy: policy, request: request)
  }

  /// Logs a request that the server refused before it could be shown to the rules: its head is too large, too slow, or
  /// not HTTP.
  /// - Parameters:
  ///   - request: what is known of it.
  ///   - status: what the server answered.
  ///   - reason: in a few words, for the log's notes.
  public func refused(_ request: EmbeddedRequest, status: Int, reason: String) {
    EmbeddedExchange(loop: self, policy: policy, request: request).refused(by: reason, status: status)
  }

  /// Hands the lines of the log to their writer; to be called some times a second, and at the end.
  public func flush() { log?.flush() }

  /// Strings as views for the time of `body`: texts first, then the fields.
  func views<Value>(
    _ texts: [String], _ given: [(name: String, value: String)], _ body: ([ByteView], [Field]) -> Value
  ) -> Value {
    scratch.removeAll(keepingCapacity: true)
    for text in texts { scratch.append(contentsOf: text.utf8) }
    for field in given {
      scratch.append(contentsOf: field.name.utf8)
      scratch.append(contentsOf: field.value.utf8)
    }
    fields.removeAll(keepingCapacity: true)
    return scratch.withUnsafeBytes { all in
      var at = 0
      func next(_ text: String) -> ByteView {
        defer { at += text.utf8.count }
        return ByteView(UnsafeRawBufferPointer(rebasing: all[at..<at + text.utf8.count]))
      }
      let views = texts.map { next($0) }
      for field in given {
        let name = next(field.name)
        fields.append(Field(name: name, value: next(field.value)))
      }
      return body(views, fields)
    }
  }
}
