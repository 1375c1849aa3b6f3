// Kept databases: used where they are whole and of these patterns, built anew where they aren't; verdicts never change.

import Synchronization
import Testing

@testable import Firewall

@Suite struct DatabaseCacheTests {
  private final class Memory: DatabaseCache {
    let kept = Mutex<[String: [UInt8]]>([:])
    let stores = Mutex(0)
    func load(_ key: String) -> [UInt8]? { kept.withLock { $0[key] } }
    func store(_ key: String, _ bytes: [UInt8]) {
      kept.withLock { $0[key] = bytes }
      stores.withLock { $0 += 1 }
    }
    func change(_ body: (inout [UInt8]) -> Void) {
      kept.withLock { kept in for key in kept.keys { body(&kept[key, default: []]) } }
    }
  }

  private static let rules = """
    SecRule ARGS "@rx a[0-9]+b" "id:1,phase:1,pass"
    SecRule ARGS "@rx (?<!x)attack" "id:2,phase:1,pass"
    SecRule ARGS "@pm evil bad" "id:3,phase:1,pass"
    """
  private static let uris = ["/?a=a12b", "/?a=attack", "/?a=EVIL", "/?a=tea", "/?a=bad%20a1b%20attack"]

  private static func verdicts(_ policy: Policy) -> [[Int]] {
    var run = EngineRun(policy: policy)
    return uris.map { uri in run.outcome(of: TestRequest(id: uri, uri: uri)).matches.map(\.rule) }
  }

  private static func policy(_ cache: Memory?, _ rules: String = rules, build: Bool = true) throws -> Policy {
    var options = PolicyOptions()
    options.cache = cache
    options.databases = build ? .build : .leaveOut
    return try RuleText.policy(rules, options: options)
  }

  @Test func aKeptDatabaseIsUsed() throws {
    let cache = Memory()
    let first = try Self.policy(cache)
    #expect(first.statistics.databases > 0 && first.statistics.cachedDatabases == 0)
    let second = try Self.policy(cache)
    #expect(second.statistics.cachedDatabases == second.statistics.databases)
    #expect(Self.verdicts(first) == [[1], [2], [3], [], [1, 2, 3]])
    #expect(Self.verdicts(second) == Self.verdicts(first))
    // Used where none are built, too.
    #expect(try Self.policy(cache, build: false).statistics.missingDatabases == 0)
    #expect(try Self.policy(nil, build: false).statistics.missingDatabases == first.statistics.databases)
  }

  @Test(arguments: [
    "flipped head", "flipped label", "flipped end", "flipped middle", "cut", "cut to nothing", "longer",
    "foreign", "zeros",
  ])
  func aDamagedDatabaseIsBuiltAnew(damage: String) throws {
    let cache = Memory()
    let truth = try Self.policy(cache)
    cache.change { bytes in
      switch damage {
      case "flipped head": bytes[0] ^= 1
      case "flipped label": bytes[20] ^= 1
      case "flipped end": bytes[bytes.count - 9] ^= 1
      case "flipped middle": bytes[bytes.count * 2 / 3] ^= 0x10
      case "cut": bytes.removeLast(bytes.count / 2)
      case "cut to nothing": bytes = []
      case "longer": bytes.append(0)
      case "foreign": bytes = Array("something else altogether, and long enough to be read".utf8)
      default: bytes = [UInt8](repeating: 0, count: bytes.count)
      }
    }
    let stores = cache.stores.withLock { $0 }
    let again = try Self.policy(cache)
    #expect(again.statistics.cachedDatabases == 0)
    #expect(cache.stores.withLock { $0 } == 2 * stores)
    #expect(again.statistics.databases == truth.statistics.databases)
    #expect(Self.verdicts(again) == Self.verdicts(truth))
  }

  /// One set's databases under the names of another's: what a hash that collides would do.
  @Test func databasesOfOtherPatternsAreNotUsed() throws {
    let (cache, others) = (Memory(), Memory())
    let truth = try Self.policy(cache)
    _ = try Self.policy(others, Self.rules.replacing("attack", with: "harmless"))
    let foreign = others.kept.withLock { $0.values.first } ?? []
    cache.change { $0 = foreign }
    let again = try Self.policy(cache)
    #expect(again.statistics.cachedDatabases == 0)
    #expect(Self.verdicts(again) == Self.verdicts(truth))
  }
}
