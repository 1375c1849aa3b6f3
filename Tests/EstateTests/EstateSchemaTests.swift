// The schema and the reference are of the same table as the reader; that editors' validators agree is asked in
// Tests/Server/test_estate.py.

import Foundation
import TestChance
import Testing

@testable import Estate

@Suite struct EstateSchemaTests {
  @Test func theSchemaIsJSONThatNamesEveryKey() throws {
    let schema = try #require(
      try JSONSerialization.jsonObject(with: Data(EstateSchema.text.utf8)) as? [String: Any])
    #expect(schema["$schema"] as? String == "https://json-schema.org/draft/2020-12/schema")
    let properties = try #require(schema["properties"] as? [String: Any])
    #expect(Set(properties.keys) == Set(EstateShapes.estate.keys.map(\.name)))
    for (_, object) in EstateShapes.all {
      for key in object.keys {
        #expect(EstateSchema.text.contains("\"\(key.name)\": {"), "\(key.name)")
        #expect(key.what.hasSuffix("."), "\(key.name): \(key.what)")
      }
    }
  }

  @Test func theReferenceInTheDocumentIsTheTables() throws {
    let text = try String(contentsOf: repository.appendingPathComponent("docs/ESTATE.md"), encoding: .utf8)
    #expect(
      text.hasSuffix("\n## Reference\n\n" + EstateSchema.reference),
      "docs/ESTATE.md: put the output of `kabuto estate schema --reference` after its heading Reference")
  }

  @Test func whatIsWrittenUsesKnownKeysInTheirOrder() throws {
    func check(_ value: Written, _ shape: Shape) {
      switch (value, shape) {
      case (.map(let pairs), .object(let object)):
        let known = object.keys.map(\.name)
        let places = pairs.compactMap { known.firstIndex(of: $0.key) }
        #expect(places.count == pairs.count && places == places.sorted(), "\(pairs.map(\.key))")
        for (key, value) in pairs {
          if let shape = object.keys.first(where: { $0.name == key })?.shape { check(value, shape) }
        }
      case (.list(let elements), .list(let shape, _)): for element in elements { check(element, shape) }
      default: break
      }
    }
    for round in 0..<50 {
      var chance = Chance(round: round)
      check(Written(chance.estate()), .object(EstateShapes.estate))
    }
  }
}
