// Collections that outlive a transaction: expiry, eviction, and that no change of another thread is lost.

import Dispatch
import Testing

@testable import Firewall

@Suite struct CollectionStoreTests {
  private static func key(_ text: String) -> [UInt8] { Array(text.utf8) }

  private static func set(
    _ store: CollectionStore, _ collection: String, _ name: String, _ value: String, now: Int64 = 100,
    timeout: Int64 = 60
  ) {
    store.update(.ip, key(collection), name: key(name), now: now, timeout: timeout) { _ in Array(value.utf8) }
  }

  private static func values(_ store: CollectionStore, _ collection: String, now: Int64) -> [String] {
    store.values(.ip, key(collection), now: now).map {
      String(decoding: $0.name, as: UTF8.self) + "=" + String(decoding: $0.value, as: UTF8.self)
    }
  }

  @Test func valuesAreKeptApartByCollectionAndKey() {
    let store = CollectionStore()
    Self.set(store, "a", "n", "1")
    Self.set(store, "b", "n", "2")
    store.update(.user, Self.key("a"), name: Self.key("n"), now: 100, timeout: 60) { _ in Self.key("3") }
    #expect(Self.values(store, "a", now: 100) == ["n=1"])
    #expect(Self.values(store, "b", now: 100) == ["n=2"])
    #expect(store.values(.user, Self.key("a"), now: 100).map(\.value) == [Self.key("3")])
  }

  @Test func aCollectionExpiresAfterItsTimeoutAndTouchingProlongs() {
    let store = CollectionStore()
    Self.set(store, "a", "n", "1")
    #expect(Self.values(store, "a", now: 159) == ["n=1"])
    #expect(Self.values(store, "a", now: 160) == [])
    Self.set(store, "a", "m", "2", now: 150)
    #expect(Self.values(store, "a", now: 209) == ["m=2", "n=1"])
    // What has expired doesn't come back with the next value.
    Self.set(store, "a", "o", "3", now: 300)
    #expect(Self.values(store, "a", now: 300) == ["o=3"])
  }

  @Test func aValueExpiresOnItsOwn() {
    let store = CollectionStore()
    Self.set(store, "a", "n", "1")
    Self.set(store, "a", "m", "2")
    store.expire(.ip, Self.key("a"), name: Self.key("n"), at: 110)
    #expect(Self.values(store, "a", now: 109) == ["m=2", "n=1"])
    #expect(Self.values(store, "a", now: 110) == ["m=2"])
    var seen: [UInt8]? = [1]
    store.update(.ip, Self.key("a"), name: Self.key("n"), now: 111, timeout: 60) { old in
      seen = old
      return Self.key("9")
    }
    #expect(seen == nil, "an expired value counts as none")
    #expect(Self.values(store, "a", now: 112) == ["m=2", "n=9"])
    // Removed.
    store.update(.ip, Self.key("a"), name: Self.key("n"), now: 111, timeout: 60) { _ in nil }
    #expect(Self.values(store, "a", now: 112) == ["m=2"])
    // Of what isn't there, nothing expires.
    store.expire(.ip, Self.key("none"), name: Self.key("n"), at: 1)
  }

  @Test func whenFullTheFirstToExpireGo() {
    let store = CollectionStore(capacity: 20)
    for number in 0..<20 { Self.set(store, "k\(number)", "n", "1", now: Int64(100 + number)) }
    Self.set(store, "new", "n", "1", now: 130)
    #expect(Self.values(store, "new", now: 130) == ["n=1"])
    #expect(
      (0..<20).map { Self.values(store, "k\($0)", now: 130).count } == [0, 0] + [Int](repeating: 1, count: 18)
    )
    // What has expired goes before what hasn't.
    Self.set(store, "late", "n", "1", now: 170)
    Self.set(store, "later", "n", "1", now: 170)
    #expect(Self.values(store, "new", now: 170) == ["n=1"])
  }

  @Test func noIncrementIsLostBetweenThreads() {
    let store = CollectionStore()
    DispatchQueue.concurrentPerform(iterations: 8) { _ in
      for _ in 0..<500 {
        store.update(.ip, Self.key("a"), name: Self.key("n"), now: 100, timeout: 60) { old in
          let number = old.flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0
          return Self.key(String(number + 1))
        }
      }
    }
    #expect(Self.values(store, "a", now: 100) == ["n=4000"])
  }

  @Test func aCounterOfAnAddressGoesOnInTheNextRequest() throws {
    let policy = try RuleText.policy(
      """
      SecAction "id:1,phase:1,pass,nolog,initcol:ip=%{REMOTE_ADDR}"
      SecAction "id:5,phase:1,pass,nolog,setvar:ip.count=+1"
      SecRule IP:count "@ge 3" "id:2,phase:1,deny"
      SecRule GLOBAL:seen "@eq 2" "id:3,phase:1,pass"
      SecAction "id:4,phase:1,pass,nolog,setvar:global.seen=+1"
      """)
    var run = EngineRun(policy: policy, isEnforcing: true)
    let statuses = ["1.1.1.1", "1.1.1.1", "2.2.2.2", "1.1.1.1"].map { address in
      var request = TestRequest(id: address)
      request.client = address
      return run.outcome(of: request)
    }
    #expect(statuses.map(\.status) == [200, 200, 200, 403])
    #expect(statuses.map { $0.logged.contains(3) } == [false, false, true, false])
  }
}
