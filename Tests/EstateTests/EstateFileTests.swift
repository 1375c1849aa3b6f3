// Text to estate and back: what is written is read as the same, whatever the values are; whatever the text is, it is
// read or refused with places, within bounds.

import Foundation
import TestChance
import Testing

@testable import Estate

@Suite struct EstateFileTests {
  /// The estate that a text describes, also where the checks don't like it.
  private static func built(_ text: String) -> (estate: Estate?, faults: [EstateFault]) {
    let tree = YAMLTree(text)
    guard let root = tree.root else { return (nil, tree.faults) }
    var reader = ShapeReader(passingOver: tree.passedOver)
    let item = reader.read(root, as: .object(EstateShapes.estate), at: "")
    return (item.map(EstateBuilder.estate), tree.faults + reader.faults)
  }

  @Test func anyEstateIsReadAsItWasWritten() {
    fuzz(rounds: 120) { round in
      var chance = Chance(round: round)
      let estate = chance.estate()
      let text = EstateText.write(estate)
      let (again, faults) = Self.built(text)
      let note: Comment = "\(seedNote) round \(round)\n\(text)"
      #expect(faults == [], note)
      #expect(again == estate, note)
      #expect(again.map(EstateText.write) == text, note)
      #expect(again?.configurationHash == estate.configurationHash, note)
    }
  }

  @Test func theHashIsOfTheValuesAndNotOfTheirLayout() throws {
    let text = try #require(EstateExamples.text(named: "two-sites"))
    let estate = try example("two-sites")
    #expect(EstateFile.read("# another\n" + text.replacing("\n\n", with: "\n# c\n\n")).estate == estate)
    #expect(
      try #require(EstateFile.read(EstateText.write(estate)).estate).configurationHash
        == estate.configurationHash)
    // A fixed number: another program, and another version of this one, must find the same.
    #expect(try example("embedded").configurationHash == 0x243a_9d23)
    var changes: [(inout Estate) -> Void] = []
    changes.append { $0.name += "x" }
    changes.append { $0.version += 1 }
    changes.append { $0.markets[0].feed += "x" }
    changes.append { $0.sites[0].zoneLatencyMicroseconds += 1 }
    changes.append { $0.sites.swapAt(0, 1) }
    changes.append { $0.links[0].role = .standby }
    changes.append { $0.links[2].budgets["prices"] = 401 }
    changes.append { $0.links[3].carrier = "north" }
    changes.append { $0.backbone?.servers[0].keepsStreams = true }
    changes.append { $0.backbone?.betweenSites = .leafnodes }
    changes.append { $0.nodes[0].roles = [.plant] }
    changes.append { $0.nodes[4].streams = 1 }
    changes.append { $0.nodes[4].interest = .clients }
    changes.append { $0.services[1].needs = [] }
    changes.append { $0.tenants[1].entitlement = .realtime }
    changes.append { $0.databases[0].zones.removeLast() }
    var hashes: Set<UInt32> = [estate.configurationHash]
    for change in changes {
      var other = estate
      change(&other)
      hashes.insert(other.configurationHash)
    }
    #expect(hashes.count == changes.count + 1)
  }

  @Test("Fuzz: no text brings it down, and every fault has a place in the text") func anyTextIsReadOrRefused()
    throws
  {
    let texts = try EstateExamples.names.map { Array(try #require(EstateExamples.text(named: $0)).utf8) }
    let pieces = [
      "&a ", "*a", "- ", "\n", ": ", "{", "}", "[", "]", "'", "\"", "#", "~", "!!binary ", "? ", "|\n", ">\n",
      "\t",
      "\u{0}", "株", "<<: ", "---\n", "...\n", "%YAML 1.2\n", "name: x\n", "zones: [tky-a]\n", "  ",
    ].map { Array($0.utf8) }
    var (taken, refused) = (0, 0)
    fuzz(rounds: 400) { round in
      var chance = Chance(round: round)
      var bytes = chance.pick(texts)
      for _ in 0..<(1 + chance.below(6)) {
        let place = chance.below(bytes.count)
        switch chance.below(5) {
        case 0: bytes[place] = UInt8(truncatingIfNeeded: chance.next())
        case 1: bytes.removeSubrange(place..<min(bytes.count, place + 1 + chance.below(30)))
        case 2: bytes.insert(contentsOf: chance.pick(pieces), at: place)
        case 3: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + chance.below(60))], at: place)
        default: bytes = Array(bytes.prefix(place + 1))
        }
        if bytes.isEmpty { bytes = [32] }
      }
      let (estate, faults) = EstateFile.read(bytes: bytes)
      let note: Comment = "\(seedNote) round \(round)"
      #expect((estate == nil) == faults.contains { $0.severity == .error }, note)
      let lines = bytes.count { $0 == 10 } + bytes.count { $0 == 13 } + 2
      for fault in faults {
        #expect(
          fault.place.line >= 1 && fault.place.line <= lines && fault.place.column >= 1, "\(note): \(fault)")
        #expect(!fault.found.isEmpty && !fault.wanted.isEmpty && !fault.remedy.isEmpty, note)
        #expect(!fault.text(file: "f").contains("\u{0}"), note)
      }
      if estate == nil { refused += 1 } else { taken += 1 }
    }
    #expect(refused > 60 && taken > 5, "\(taken) taken, \(refused) refused")
  }

  @Test func bombsAreRefusedBeforeTheyGoOff() {
    var bomb = "estate: x\na0: &a0 [1, 1]\n"
    for level in 1...60 { bomb += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
    var keys = "? &k0 [1]\n: 1\n"
    for level in 1...11 { keys += "? &k\(level) [*k\(level - 1), *k\(level - 1)]\n: 1\n" }
    let texts = [
      bomb, keys, "estate: &x y\n", "estate: x\nsites: *nothing\n", String(repeating: "[", count: 40),
      String(repeating: "- ", count: 500),
      "a: " + String(repeating: "{b: ", count: 40) + "1" + String(repeating: "}", count: 40),
      String(repeating: "[", count: 500_000), "estate: " + String(repeating: "x", count: 2_000_000),
      "markets: " + String(repeating: "[", count: 33) + String(repeating: "]", count: 33),
    ]
    for text in texts {
      let (estate, faults) = EstateFile.read(text)
      #expect(estate == nil && !faults.isEmpty, "\(text.prefix(40))")
    }
    #expect(EstateFile.read(bomb).faults.map(\.code) == [.tooMuch])
    #expect(EstateFile.read("estate: &x y\n").faults.map(\.code) == [.tooMuch])
    #expect(
      EstateFile.read("e: " + String(repeating: "x", count: 1_048_576)).faults.map(\.code) == [.notText])
    #expect(EstateFile.read(bytes: [0x65, 0x0A, 0xFF]).faults.map(\.place.line) == [2])
    #expect(EstateFile.read("").faults.map(\.code) == [.missingKey])
  }

  @Test func millisecondsAreExact() {
    #expect(
      Shape.microseconds("1.25") == 1_250 && Shape.microseconds("0.001") == 1
        && Shape.microseconds("7") == 7_000)
    for text in ["1.2345", "-1", "+1", ".5", "1.", "1e3", "01", "", "1 ", "0x1", "٣", "99999999999999999999"]
    {
      #expect(Shape.microseconds(text) == nil, "\(text)")
    }
    for microseconds in [0, 1, 10, 100, 999, 1_000, 1_001, 1_250, 2_010, 123_456_789] {
      #expect(Shape.microseconds(Shape.milliseconds(microseconds)) == microseconds)
    }
  }

  @Test func addressesAreAddresses() {
    for good in [
      "10.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "1:2:3:4:5:6:7:8", "::ffff:10.0.0.1", "host",
      "a-1.example.com",
    ] {
      #expect(TextForms.isAddress(good), "\(good)")
    }
    for bad in [
      "10.0.0", "10.0.0.256", "10.0.0.01", "1.2.3.4.5", "1::2::3", "1:2:3:4:5:6:7", "12345::", ":::", "-a",
      "a-", "a..b", "", "a b", "a:1", "http://a",
    ] {
      #expect(!TextForms.isAddress(bad), "\(bad)")
    }
  }
}
