// Every kind of fault: its place, what it says, and that nothing else is said of it. Each case changes one line of an
// example.

import Foundation
import Testing

@testable import Estate

@Suite struct EstateFaultsTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var estate = "two-sites"
    var old: String
    var new: String
    /// `CODE line:column` of all faults.
    var faults: [String]
    var says: String
    var testDescription: String { "\(faults.first ?? "") \(new.prefix(40))" }
  }

  static let cases: [Case] = [
    // Text and values.
    Case(old: "version: 1\n", new: "version: [1\n", faults: ["K0102 8:8"], says: "YAML"),
    Case(old: "version: 1\n", new: "version: &v 1\n", faults: ["K0103 6:10"], says: "an anchor"),
    Case(
      old: "version: 1\n", new: "version: 1\nversion: 2\n", faults: ["K0104 6:1"],
      says: "\"version\" occurs again"),
    Case(
      old: "    carrier: north", new: "    carier: north", faults: ["K0105 39:5"],
      says: "did you mean \"carrier\"?"),
    Case(old: "version: 1\n", new: "version: \"1\"\n", faults: ["K0106 6:10"], says: "found the text \"1\""),
    Case(old: "estate: two-sites", new: "estate: 2", faults: ["K0106 5:9"], says: "found 2"),
    Case(old: "estate: two-sites", new: "estate: no", faults: ["K0106 5:9"], says: "found no"),
    Case(old: "estate: two-sites", new: "estate:", faults: ["K0106 5:8"], says: "found nothing"),
    Case(old: "zones: [osk-a, osk-b]", new: "zones: osk-a", faults: ["K0106 18:12"], says: "wanted a list"),
    Case(old: "version: 1\n", new: "", faults: ["K0107 5:1"], says: "no \"version\""),
    Case(
      old: "latency_ms: 1.75\n    bandwidth_mbps: 1000\n    carrier: north",
      new: "carrier: north\n    bandwidth_mbps: 1000", faults: ["K0107 35:5"], says: "no \"latency_ms\""),
    Case(old: "version: 1\n", new: "version: 0\n", faults: ["K0108 6:10"], says: "wanted an integer from 1"),
    Case(old: "10.1.1.21", new: "10.1.1.256", faults: ["K0108 81:14"], says: "IP address"),
    Case(
      old: "entitlement: delayed", new: "entitlement: delay", faults: ["K0108 133:18"],
      says: "did you mean \"delayed\"?"),
    Case(
      old: "[plant, store]\n    data: data/plant-tky-a", new: "[plnt, store]", faults: ["K0108 82:13"],
      says: "did you mean \"plant\"?"),
    Case(
      old: "latency_ms: 1.25\n    bandwidth_mbps: 10000\n  - name: osk-ab",
      new: "latency_ms: 1.2345\n  - name: osk-ab", faults: ["K0108 29:17"], says: "three decimals"),
    Case(
      old: "feed: \"mold:", new: "feed: \"mould:", faults: ["K0108 10:11"], says: "did you mean \"mold:239"),
    Case(
      old: "code: XTKS", new: "code: xtks", faults: ["K0108 9:11", "K0205 130:15", "K0205 132:15"],
      says: "capitals"),
    Case(
      old: "between: [tky-a, dx-1]", new: "between: [tky-a]", faults: ["K0108 36:14"],
      says: "found 1 elements"),
    Case(
      old: "  credentials: two-sites.credentials", new: "  password: hunter2",
      faults: ["K0408 67:3", "K0109 76:3"], says: "without secrets"),
    Case(
      old: "feed: \"mold:239.1.0.1:26400,239.1.0.2:26400\"", new: "feed: \"soup:h:1?user=a&password=b\"",
      faults: ["K0109 10:11"], says: "a password stands in the file"),
    Case(
      old: "    streams: 2\n  - name: gw-tky-b",
      new: "    streams: 2\n    backends: [\"http://u:p@h:1\"]\n  - name: gw-tky-b", faults: ["K0109 104:16"],
      says: "password"),
    // Names.
    Case(old: "name: line-2", new: "name: line-1", faults: ["K0201 42:11"], says: "twice (line 35)"),
    Case(
      old: "zones: [osk-a, osk-b]", new: "zones: [osk-a, osk-b, tky-a]", faults: ["K0201 18:27"],
      says: "zone \"tky-a\" is there twice"),
    Case(
      old: "zone: tky-a\n    address: 10.1.1.31", new: "zone: tky-x\n    address: 10.1.1.31",
      faults: ["K0202 100:11"], says: "did you mean \"tky-a\"?"),
    Case(
      old: "between: [tky-a, tky-b]", new: "between: [tky-a, tky-d]", faults: ["K0203 28:22"],
      says:
        "link \"tky-ab\" ends in zone \"tky-d\", which no site has\n  zones: tky-a, tky-b, osk-a, osk-b, dx-1, dx-2; did you mean \"tky-a\"?"
    ),
    Case(
      old: "nodes: [gw-tky-a,", new: "nodes: [gw-tky-c,", faults: ["K0204 124:13"],
      says: "did you mean \"gw-tky-a\"?"),
    Case(
      old: "markets: [XTKS]\n    entitlement", new: "markets: [XTSK]\n    entitlement",
      faults: ["K0205 132:15"], says: "did you mean \"XTKS\"?"),
    Case(
      old: "needs: [prices]", new: "needs: [histroy]", faults: ["K0206 125:13"],
      says: "did you mean \"history\"?"),
    Case(old: "needs: [prices]", new: "needs: [quotes]", faults: ["K0207 125:12"], says: "needs itself"),
    Case(
      old: "roles: [gateway, firewall]\n    streams: 2\n  - name: gw-tky-b",
      new: "roles: [gateway, gateway]\n    streams: 2\n  - name: gw-tky-b", faults: ["K0208 102:22"],
      says: "lists \"gateway\" twice"),
    // What can't work.
    Case(
      old: "between: [tky-a, tky-b]", new: "between: [tky-a, tky-a]", faults: ["K0301 28:14"],
      says: "begins and ends in zone \"tky-a\""),
    Case(
      estate: "two-zones", old: "between: [tky-a, tky-b]", new: "between: [tky-a, tky-a]",
      faults: ["K0302 13:20", "K0301 17:14"], says: "no link leads to zone \"tky-b\" from tky-a"),
    Case(
      old: "address: 10.2.2.31", new: "address: 10.2.1.31", faults: ["K0303 116:14"],
      says: "as node \"gw-osk-a\" (port) does"),
    Case(
      estate: "two-zones", old: "address: 127.0.2.31", new: "address: 127.0.2.10\n    port: 4222",
      faults: ["K0303 24:7"], says: "listens at 127.0.2.10:4222"),
    Case(
      estate: "embedded", old: "roles: [plant, store, gateway, firewall]",
      new: "roles: [store, gateway, firewall]", faults: ["K0304 6:11"], says: "has no plant"),
    Case(
      estate: "embedded", old: "services:", new: "    streams: 2\nservices:", faults: ["K0306 20:14"],
      says: "which has one plant, \"kabuto\""),
    Case(
      old: "budgets: {prices: 400, history: 200}\n  - name: line-2",
      new: "budgets: {prices: 900, history: 200}\n  - name: line-2", faults: ["K0307 41:14"],
      says: "1100 Mbit/s together, more than its 1000"),
    Case(
      old: "roles: [gateway, firewall]\n    streams: 2\n  - name: gw-tky-b",
      new: "roles: [firewall]\n  - name: gw-tky-b", faults: ["K0308 102:12"], says: "without backends"),
    Case(
      old: "zone: tky-a\n    address: 10.1.1.31", new: "zone: dx-1\n    address: 10.1.1.31",
      faults: ["K0310 100:11"], says: "only handed over"),
    Case(old: "data: data/plant-tky-a", new: "streams: 2", faults: ["K0311 83:14"], says: "is no gateway"),
    Case(
      old: "data: data/plant-tky-a", new: "backends: [\"http://h:1\"]", faults: ["K0311 83:15"],
      says: "is no firewall"),
    Case(
      old: "rail: a, address: 10.1.1.10}", new: "rail: a, address: 10.1.1.10, keeps_streams: true}",
      faults: ["K0313 69:5"], says: "keep streams"),
    Case(
      old: "zones: [plant-tky-a, plant-tky-b, plant-osk-a, plant-osk-b]",
      new:
        "zones: [plant-tky-a, plant-tky-b, plant-osk-a, plant-osk-b]\naws:\n  zones: {tky-a: ap-northeast-1a}",
      faults: ["K0314 140:11"], says: "its site \"tokyo\" is no cloud"),
    Case(
      old: "zones: [plant-tky-a, plant-tky-b, plant-osk-a, plant-osk-b]",
      new:
        "zones: [plant-tky-a, plant-tky-b, plant-osk-a, plant-osk-b]\naws:\n  accounts: [\"1\"]\n  regions: [eu-west-1]\n  zones: {osk-a: ap-northeast-3a, osk-b: ap-northeast-3a}",
      faults: ["K0108 140:14", "K0314 142:11", "K0208 142:35", "K0314 142:35"], says: "twelve digits"),
    // What fails together.
    Case(
      old: "zone: tky-b, rail: b", new: "zone: tky-a, rail: b", faults: ["K0401 70:32"],
      says: "stand only in zone \"tky-a\""),
    Case(
      old: "    location: dx-1\n    budgets: {prices: 400, history: 200}",
      new: "    location: dx-1\n    role: standby", faults: ["K0402 41:11", "K0402 48:11"],
      says: "no active way leads from \"tky-a\" to \"dx-1\""),
    Case(
      old: "carrier: south", new: "carrier: north", faults: ["K0403 46:14"],
      says: "line-1, line-2 share carrier \"north\": without it site \"tokyo\" doesn't reach site \"osaka\""),
    Case(
      old: "    location: dx-2\n    role: standby\n    budgets",
      new: "    location: dx-1\n    role: standby\n    budgets", faults: ["K0404 54:15"],
      says: "share location \"dx-1\""),
    Case(
      estate: "two-zones", old: "zone: tky-b, rail: b, address: 127.0.2.10, keeps_streams: true",
      new: "zone: tky-b, rail: a, address: 127.0.2.10", faults: ["K0405 23:5"], says: "one rail, \"a\""),
    Case(
      old: "zone: osk-b, rail: b, address: 10.2.2.10", new: "zone: tky-b, rail: b, address: 10.2.2.10",
      faults: ["K0406 69:5"], says: "no server in site \"osaka\""),
    Case(
      estate: "two-zones", old: "name: plant-tky-b\n    zone: tky-b",
      new: "name: plant-tky-b\n    zone: tky-a", faults: ["K0407 7:11"],
      says: "all plants of market \"XTKS\" stand in zone \"tky-a\""),
    Case(
      old: "  credentials: two-sites.credentials\n", new: "", faults: ["K0408 67:3"], says: "no credentials"),
  ]

  @Test(arguments: cases) func aFaultIsToldWithItsPlace(_ example: Case) throws {
    let text = try #require(EstateExamples.text(named: example.estate))
    let found = try #require(text.range(of: example.old), "the example has changed: \(example.old)")
    let changed = text.replacingCharacters(in: found, with: example.new)
    let (estate, faults) = EstateFile.read(changed)
    #expect(
      faults.map { "\($0.code.rawValue) \($0.place.line):\($0.place.column)" } == example.faults,
      "\(faults.map { $0.text(file: "estate.yaml") }.joined(separator: "\n"))")
    #expect(
      faults.contains { $0.text(file: "estate.yaml").contains(example.says) },
      "\(faults.map { $0.text(file: "estate.yaml") }.joined(separator: "\n"))")
    #expect((estate == nil) == faults.contains { $0.severity == .error })
  }

  @Test func everyCodeHasACase() {
    let here = Set(Self.cases.flatMap(\.faults).map { String($0.prefix(5)) })
    // These are made otherwise, below and in EstateFileTests.
    let others = ["K0101", "K0305", "K0309", "K0312"]
    #expect(Set(EstateFaultCode.allCases.map(\.rawValue)) == here.union(others))
    #expect(Set(EstateFaultCode.allCases.map(\.remedy)).count >= EstateFaultCode.allCases.count - 5)
  }

  @Test func severalNodesNeedABackboneThatReachesThem() throws {
    var estate = try example("two-zones")
    estate.backbone = nil
    #expect(EstateCheck.faults(of: estate).map(\.code) == [.noBackbone])
    estate = try example("two-zones")
    estate.links = []
    estate.nodes[1].roles = [.store]
    let codes = EstateCheck.faults(of: estate).map(\.code)
    #expect(codes.contains(.zoneApart) && codes.contains(.plantOutOfReach))
    estate = try example("two-zones")
    estate.backbone?.certificate = "c"
    #expect(EstateCheck.faults(of: estate).map(\.code) == [.halfTLS])
    #expect(EstateCheck.faults(of: estate)[0].text(file: "e").hasPrefix("e: error K0312: "))
  }

  @Test func allFaultsOfAFileAreToldInItsOrder() {
    let text = """
      estate: x
      version: 01
      versoin: 3
      sites:
        - {name: tokyo, zones: [tky-a, tky-b]}
      links:
        - {name: dx-2, between: [tky-a, tky-d], latency_ms: 1.2345}
        - {name: l, between: [tky-a, tky-a], latency_ms: yes, password: hunter2}
        - name: k
          name: q
      nodes:
        - {name: gw, zone: tky-c, address: 10.0.0.256, roles: [gatway], port: "80"}
      """
    #expect(
      EstateFile.read(text).faults.map { "\($0.code.rawValue) \($0.place.line):\($0.place.column)" } == [
        "K0108 2:10", "K0105 3:1", "K0203 7:35", "K0108 7:55", "K0301 8:24", "K0108 8:52", "K0109 8:57",
        "K0104 9:5",
        "K0107 9:5", "K0107 9:5", "K0202 12:22", "K0108 12:38", "K0108 12:58", "K0106 12:73",
      ])
  }
}
