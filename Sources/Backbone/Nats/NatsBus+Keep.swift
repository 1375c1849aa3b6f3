// What a bus has for who keeps: a way to the server that does, and errors in words.

import Foundation

extension NatsBus {
  /// Does something with the server that keeps; waits for it.
  /// - Parameter what: is kept, for people.
  /// - Throws: `BusError` where there is no connection, or the server refuses.
  func withKeep<Result>(
    _ domain: String?, _ what: String, _ body: (NatsKeep) throws(NatsError) -> Result
  ) throws(BusError) -> Result {
    guard let connection = kept else { throw BusError("\(what): rail \(rail) is \(state)") }
    do throws(NatsError) {
      return try body(try connection.keep(domain: domain, milliseconds: 3_000))
    } catch { throw BusError("\(what): rail \(rail): \(error)") }
  }
}
