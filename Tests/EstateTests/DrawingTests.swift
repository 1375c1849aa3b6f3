// The drawing and its page: whole, with every name on them, and safe whatever the names are.

import Foundation
import FoundationXML
import TestChance
import Testing

@testable import Estate

@Suite struct DrawingTests {
  /// Collects the text of a document; nil: it isn't well-formed.
  private final class Texts: NSObject, XMLParserDelegate {
    var texts: [String] = []
    var elements: [String] = []
    private var open = ""

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
      attributes: [String: String]
    ) {
      elements.append(name)
      open = ""
    }
    func parser(_ parser: XMLParser, foundCharacters text: String) { open += text }
    func parser(
      _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
    ) {
      if !open.isEmpty { texts.append(open) }
      open = ""
    }
  }

  private static func read(_ text: String) -> Texts? {
    let texts = Texts()
    let parser = XMLParser(data: Data(text.utf8))
    parser.delegate = texts
    return parser.parse() ? texts : nil
  }

  @Test(arguments: EstateExamples.names) func everyNameIsDrawn(name: String) throws {
    let estate = try example(name)
    let drawn = try #require(Self.read(EstateDrawing.svg(estate)))
    for wanted in estate.sites.map(\.name) + estate.zones + estate.links.map(\.name)
      + estate.nodes.map(\.name)
      + (estate.backbone?.servers ?? []).map(\.name)
    {
      #expect(drawn.texts.contains { $0 == wanted || $0.hasSuffix(" " + wanted) }, "\(wanted)")
    }
    // What fails together is written, not only coloured.
    for link in estate.links {
      for word in [link.carrier, link.location].compactMap(\.self) {
        #expect(drawn.texts.contains { $0.contains(word) }, "\(word)")
      }
    }
    for rail in estate.rails { #expect(drawn.texts.contains { $0.hasPrefix("rail \(rail)") }) }
    #expect(drawn.elements.contains("title"))
  }

  @Test func whatIsLostIsCrossedOut() throws {
    let estate = try example("two-sites")
    func crosses(_ failures: [Failure]) -> Int {
      EstateDrawing.svg(estate, without: failures).components(separatedBy: "class=\"cross\"").count - 1
    }
    #expect(crosses([]) == 0)
    #expect(crosses([Failure(.node, "gw-tky-a")]) == 1)
    // The zone, its two servers and its two nodes.
    #expect(crosses([Failure(.zone, "tky-a")]) == 5)
    let page = EstatePage.html(estate, without: [Failure(.zone, "tky-a")])
    #expect(page.contains("plant-tky-b, plant-osk-a") && page.contains("◐ goes on with one stream less"))
    #expect(page.contains("同時に失われるもの") && page.contains("id=\"ja\""))
    for word in ["<script", "javascript:", "onclick", "http://", "https://", "@import", "url("] {
      #expect(!page.replacing("http://www.w3.org/2000/svg", with: "").contains(word), "\(word)")
    }
  }

  @Test func namesCanNotBreakOut() throws {
    var estate = try example("two-sites")
    let hostile = "<script>alert(\"1\")</script>&'\u{1}\u{FFFF}"
    estate.name = hostile
    estate.sites[0].name = hostile
    estate.links[2].carrier = hostile
    estate.links[2].name = hostile
    estate.backbone?.servers[0].rail = hostile
    estate.nodes[0].name = hostile
    estate.nodes[0].address = hostile
    estate.services[0].nodes = [hostile]
    for text in [
      EstateDrawing.svg(estate), EstateDrawing.svg(estate, without: estate.failures),
      EstatePage.html(estate, without: [Failure(.node, hostile)]),
    ] {
      #expect(!text.contains("<script") && !text.contains("alert(\"") && !text.contains("\u{1}"))
    }
    #expect(Self.read(EstateDrawing.svg(estate)) != nil)
  }

  @Test func anyEstateCanBeDrawn() {
    fuzz(rounds: 60) { round in
      var chance = Chance(round: round)
      let estate = chance.estate()
      let svg = EstateDrawing.svg(estate, without: chance.some(estate.failures))
      #expect(
        Self.read(svg) != nil && !svg.contains("nan") && !svg.contains("inf\""), "\(seedNote) round \(round)")
    }
  }
}
