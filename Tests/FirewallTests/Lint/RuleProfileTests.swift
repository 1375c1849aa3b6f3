// What rules cost: counts that can be told by hand, with a clock that goes on by itself.

import Firewall
import Testing

@Suite struct RuleProfileTests {
  private let rules = #"""
    SecAction "id:1,phase:1,nolog,pass,setvar:tx.level=1"
    SecRule TX:level "@lt 1" "id:2,phase:2,nolog,pass,skipAfter:END"
    SecRule ARGS "@rx sel\wct" "id:3,phase:2,pass,msg:'m %{tx.level}',t:lowercase,tag:'paranoia-level/2',severity:2"
    SecRule ARGS|!ARGS:x "@streq one" "id:4,phase:2,pass,chain"
      SecRule REQUEST_METHOD "@streq GET"
    SecRule &ARGS "@gt 9" "id:5,phase:2,pass"
    SecRule ARGS "@rx (a)\1" "id:6,phase:2,pass"
    SecRule ARGS "@rx ^x*$" "id:7,phase:2,pass"
    SecMarker END
    """#

  private func policy(scans: Bool = true) throws -> Policy {
    let source = RuleSource(text: Array(rules.utf8), file: "r", loader: MemoryLoader(files: [:]))
    var options = PolicyOptions()
    options.scans = scans
    return try Policy.compile(source.directives, options: options)
  }

  private func run(_ uri: String, _ policy: Policy, _ profile: RuleProfile?) -> [Int] {
    var request = CapturedRequest()
    request.uri = Array(uri.utf8)
    var matches: [Int] = []
    _ = request.inspect(policy: policy, inspector: Inspector(), keepsAll: true, profile: profile) {
      matches = $0.matches.map(\.rule)
    }
    return matches
  }

  @Test func countsAreThoseOfTheWalk() throws {
    let policy = try policy()
    var now: Int64 = 0
    let profile = RuleProfile {
      now += 1
      return now * now
    }
    let plain = run("/?a=SELECT&b=select&c=one&x=one", policy, nil)
    #expect(run("/?a=SELECT&b=select&c=one&x=one", policy, profile) == plain)
    #expect(run("/?a=nothing", policy, profile) == [1])
    let costs = Dictionary(uniqueKeysWithValues: policy.listing(profile).map { ($0.id, $0.cost) })
    func counts(_ id: Int) -> [Int]? {
      costs[id].map { [$0.visited, $0.asked, $0.hits, $0.matched] }
    }
    #expect(counts(1) == [2, 2, 0, 2])
    #expect(counts(3) == [1, 2, 2, 1])
    // Its head for the one value that isn't excluded, and the second link.
    #expect(counts(4) == [1, 2, 1, 1])
    #expect(counts(5) == [2, 2, 0, 0])
    #expect(costs.values.allSatisfy { $0.nanoseconds >= 0 && ($0.visited == 0) == ($0.nanoseconds == 0) })
    let scans = policy.scans(profile)
    #expect(scans.reduce(0) { $0 + $1.nanoseconds } > 0)
    #expect(scans.first { $0.variable == "ARGS" && $0.transformations == ["lowercase"] }?.values == 5)
  }

  @Test func thePlainEvaluatorIsMeasuredToo() throws {
    let policy = try policy(scans: false)
    let profile = RuleProfile { 0 }
    _ = run("/?a=SELECT&b=x", policy, profile)
    let third = policy.listing(profile).first { $0.id == 3 }?.cost
    #expect(third == RuleProfile.RuleCost(visited: 1, asked: 2, hits: 0, matched: 1, nanoseconds: 0))
    #expect(policy.scans(profile).isEmpty)
  }

  @Test func listingSaysHowEachRuleIsTaken() throws {
    let listing = try policy().listing()
    #expect(listing.map(\.id) == [1, 2, 3, 4, 5, 6, 7])
    #expect(listing.map(\.way) == [.always, .guard, .scanned, .scanned, .always, .scanned, .scanned])
    #expect(listing.map(\.pattern) == [nil, nil, .exact, nil, nil, .prefilter, .refused])
    let third = listing[2]
    #expect(third.paranoiaLevel == 2)
    #expect(third.message == "m %{TX.level}")
    #expect(third.severity == "CRITICAL")
    #expect(third.place == Place(file: "r", line: 3))
    #expect(third.variables == ["ARGS"])
    #expect(third.transformations == ["lowercase"])
    #expect(third.operation == "@rx")
    #expect(listing[3].variables == ["ARGS", "!ARGS:x"])
    #expect(listing[3].links == 2)
    #expect(listing[4].variables == ["&ARGS"])
    #expect(listing.allSatisfy { $0.cost == RuleProfile.RuleCost() })
  }
}
