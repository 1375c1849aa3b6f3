// Databases from the cache, or built. What is kept carries the patterns it was built from, and is used only where they are
// the same, so that a damaged or foreign cache can make a start slower and never wrong.

internal import Synchronization

struct DatabaseBuilding {
  let options: PolicyOptions
  let specifications: [PlanBuilder.DatabaseSpecification]

  struct Built: Sendable {
    var database: PatternDatabase?
    var refused: [Int] = []
    /// Patterns whose hits may be wrong.
    var prefiltered: [Int] = []
    var isCached = false
    /// Not in the cache, and not to be built now.
    var isPutOff = false
  }

  func run() -> [Built] {
    let results = Mutex([Built](repeating: Built(), count: specifications.count))
    // The largest first, so that the last hands aren't idle.
    let order = specifications.indices.sorted { weight($0) > weight($1) }
    let (specifications, options) = (self.specifications, self.options)
    options.concurrently(order.count) { number in
      let index = order[number]
      let built = Self.build(specifications[index], options)
      results.withLock { $0[index] = built }
    }
    return results.withLock { $0 }
  }

  private func weight(_ index: Int) -> Int {
    specifications[index].patterns.reduce(0) { $0 + $1.expression.count }
  }

  private static func build(
    _ specification: PlanBuilder.DatabaseSpecification, _ options: PolicyOptions
  ) -> Built {
    let label = label(specification, options)
    let key = key(label)
    if let cache = options.cache, let kept = cache.load(key), let found = unpack(kept, label: label) {
      return found
    }
    guard options.databases == .build else {
      return Built(refused: Array(specification.patterns.indices), isPutOff: true)
    }
    let made = PatternDatabase.build(
      specification.patterns, ids: specification.owners, prefilter: specification.prefilter,
      multiline: options.regex.multiline)
    if let cache = options.cache, let bytes = made.database?.serialized {
      cache.store(key, pack(label, made.refused, made.prefiltered, bytes))
    }
    return Built(database: made.database, refused: made.refused, prefiltered: made.prefiltered)
  }

  /// All that decides what a database is.
  private static func label(_ specification: PlanBuilder.DatabaseSpecification, _ options: PolicyOptions)
    -> [UInt8]
  {
    var label = Array("3\n\(PatternDatabase.version)\nmultiline=\(options.regex.multiline)\n".utf8)
    for (index, pattern) in specification.patterns.enumerated() {
      let kind =
        pattern.isLiteral ? "literal" : specification.prefilter.contains(index) ? "prefilter" : "exact"
      label +=
        Array("\(specification.owners[index]) \(kind) \(pattern.expression.count) ".utf8) + pattern.expression
    }
    return label
  }

  /// FNV-1a, 64 bits, twice: a name for a file, nothing that has to withstand an attack (the label is compared too).
  private static func key(_ label: [UInt8]) -> String {
    func hash(_ start: UInt64) -> String {
      var hash = start
      for byte in label { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
      let text = String(hash, radix: 16)
      return String(repeating: "0", count: 16 - text.count) + text
    }
    return hash(0xcbf2_9ce4_8422_2325) + hash(0x9ae1_6a3b_2f90_404f)
  }

  private static func pack(
    _ label: [UInt8], _ refused: [Int], _ prefiltered: [Int], _ database: [UInt8]
  ) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(label.count + database.count + 64)
    func append(_ number: Int) { withUnsafeBytes(of: UInt64(number).littleEndian) { bytes += $0 } }
    append(label.count)
    bytes += label
    for list in [refused, prefiltered] {
      append(list.count)
      for index in list { append(index) }
    }
    append(database.count)
    bytes += database
    withUnsafeBytes(of: checksum(bytes[...]).littleEndian) { bytes += $0 }
    return bytes
  }

  /// Against damage, not against anyone who may write there: Vectorscan runs what it is given. FNV-1a by words of eight
  /// bytes.
  private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.withUnsafeBytes { raw in
      var hash = 0xcbf2_9ce4_8422_2325 ^ UInt64(raw.count)
      var at = 0
      while at + 8 <= raw.count {
        hash =
          (hash ^ UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: at, as: UInt64.self)))
          &* 0x100_0000_01b3
        // The multiplication alone carries nothing downwards.
        hash ^= hash >> 29
        at += 8
      }
      while at < raw.count {
        hash = (hash ^ UInt64(raw[at])) &* 0x100_0000_01b3
        at += 1
      }
      return hash
    }
  }

  private static func unpack(_ bytes: [UInt8], label: [UInt8]) -> Built? {
    var at = 0
    func word() -> UInt64? {
      guard bytes.count - at >= 8 else { return nil }
      var value: UInt64 = 0
      for offset in (0..<8).reversed() { value = value << 8 | UInt64(bytes[at + offset]) }
      at += 8
      return value
    }
    func number() -> Int? { word().flatMap { Int(exactly: $0) } }
    guard let labelCount = number(), labelCount == label.count, bytes.count - at >= labelCount,
      Array(bytes[at..<at + labelCount]) == label
    else { return nil }
    at += labelCount
    func list() -> [Int]? {
      guard let count = number(), count <= bytes.count else { return nil }
      var result: [Int] = []
      for _ in 0..<count {
        guard let index = number() else { return nil }
        result.append(index)
      }
      return result
    }
    guard let refused = list(), let prefiltered = list() else { return nil }
    guard let count = number(), count > 0, count == bytes.count - at - 8 else { return nil }
    let end = at + count
    at = end
    guard let sum = word(), sum == checksum(bytes[..<end]),
      let database = PatternDatabase(serialized: Array(bytes[end - count..<end]))
    else { return nil }
    return Built(database: database, refused: refused, prefiltered: prefiltered, isCached: true)
  }
}
