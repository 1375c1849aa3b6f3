// Collections that outlive a transaction: IP, GLOBAL, SESSION, USER, RESOURCE (ModSecurity reference manual, `initcol`).
//
// Shared by all threads of a policy, behind one lock: rules come here only after `initcol` and only when they read or write
// such a variable. Bounded: when full, what expires first goes.

internal import Synchronization

/// Persistent collections; see the head of this file.
public final class CollectionStore: Sendable {
  struct Key: Hashable {
    let variable: UInt8
    let key: [UInt8]
  }
  struct Stored {
    var value: [UInt8]
    /// Seconds since 1970; nil: with its collection.
    var expires: Int64?
  }
  struct Collection {
    var values: [[UInt8]: Stored] = [:]
    var expires: Int64
  }
  private let collections = Mutex<[Key: Collection]>([:])
  let capacity: Int

  /// - Parameter capacity: collections kept at most.
  public init(capacity: Int = 100_000) { self.capacity = capacity }

  /// All values of a collection that haven't expired, by name.
  func values(_ variable: Variable, _ key: [UInt8], now: Int64) -> [(name: [UInt8], value: [UInt8])] {
    collections.withLock { collections in
      guard let found = collections[Key(variable: variable.rawValue, key: key)], found.expires > now else {
        return []
      }
      return found.values.filter { ($0.value.expires ?? .max) > now }.map { ($0.key, $0.value.value) }
        .sorted { $0.name.lexicographicallyPrecedes($1.name) }
    }
  }

  /// Changes a value as a whole: no other thread's change is lost between reading and writing.
  func update(
    _ variable: Variable, _ key: [UInt8], name: [UInt8], now: Int64, timeout: Int64,
    _ change: ([UInt8]?) -> [UInt8]?
  ) {
    collections.withLock { collections in
      let place = Key(variable: variable.rawValue, key: key)
      if collections[place] == nil, collections.count >= capacity { evict(&collections, now: now) }
      Self.change(
        &collections[place, default: Collection(expires: now &+ timeout)], name, now, timeout, change)
    }
  }

  private static func change(
    _ collection: inout Collection, _ name: [UInt8], _ now: Int64, _ timeout: Int64,
    _ change: ([UInt8]?) -> [UInt8]?
  ) {
    if collection.expires <= now { collection.values = [:] }
    collection.expires = now &+ timeout
    let old = collection.values[name].flatMap { ($0.expires ?? .max) > now ? $0 : nil }
    guard let new = change(old?.value) else {
      collection.values[name] = nil
      return
    }
    if old == nil, collection.values.count >= valuesPerCollection {
      collection.values = collection.values.filter { ($0.value.expires ?? .max) > now }
      // Full of what lives: the new one isn't kept.
      guard collection.values.count < valuesPerCollection else { return }
    }
    collection.values[name] = Stored(value: Array(new.prefix(valueBytes)), expires: old?.expires)
  }

  /// A client may choose names: so many values a collection has at most, and so long they are.
  static let valuesPerCollection = 1000
  static let valueBytes = 4096

  func expire(_ variable: Variable, _ key: [UInt8], name: [UInt8], at: Int64) {
    collections.withLock { collections in
      collections[Key(variable: variable.rawValue, key: key)]?.values[name]?.expires = at
    }
  }

  private func evict(_ collections: inout [Key: Collection], now: Int64) {
    collections = collections.filter { $0.value.expires > now }
    // Still full: a tenth of what would expire first goes, so that this isn't done for each new one.
    guard collections.count >= capacity else { return }
    let oldest = collections.sorted { $0.value.expires < $1.value.expires }.prefix(max(1, capacity / 10))
    for entry in oldest { collections[entry.key] = nil }
  }
}
