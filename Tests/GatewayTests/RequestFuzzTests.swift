// Everything that is read from a request's line and fields, without a socket: URIs, times, cursors, tags, positions.

import Distribution
import Foundation
import MarketData
import NIOHTTP1
import PriceStore
import Testing

@testable import Gateway

@Suite("Requests Fuzz") struct RequestFuzzTests {
  private static let pieces = [
    "/", "/v1/", "quotes", "%", "%2", "%25", "%ff", "%00", "%E6%A0%AA", "株", "?", "&", "=", "+", "#", "..",
    ":", ",",
    "18446744073709551615", "18446744073709551616", "-1", "9999-12-31", "2026-11-24", "T09:00:00", "Z",
    "+09:00", ".5",
    "interval", "channel=quotes", "instruments=*", "levels=", "\u{0}", "\u{301}",
    "\u{1F468}\u{200D}\u{1F469}", " ",
    "\"a\"", "W/", "*", "XTKS:2026-11-24:4711",
  ]

  private func text(_ random: inout SeededGenerator, upTo count: Int = 10) -> String {
    (0..<random.below(count)).map { _ in random.pick(Self.pieces) }.joined()
  }

  private func head(_ uri: String, _ headers: HTTPHeaders = [:]) -> HTTPRequestHead {
    HTTPRequestHead(version: .http1_1, method: .GET, uri: uri, headers: headers)
  }

  /// A decoded request encodes to one that decodes to the same.
  @Test func whatIsReadOfAURIIsWhatItSays() async {
    var random = generator("uri")
    var read = 0
    await fuzz(rounds: 20_000) { _ in
      let uri = (random.chance(80) ? "/" : "") + text(&random)
      guard let request = Request(head(uri)) else { return }
      read += 1
      var allowed = CharacterSet.alphanumerics
      allowed.formIntersection(CharacterSet(charactersIn: "\u{0}"..."\u{7f}"))
      func coded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: allowed) ?? ""
      }
      let again =
        "/" + request.segments.map(coded).joined(separator: "/") + "?"
        + request.query.map { coded($0.key) + "=" + coded($0.value) }.joined(separator: "&")
      guard again.utf8.count < 4096 else { return }
      let found = Request(head(again))
      #expect(found?.segments == request.segments, "\(uri) \(seedNote)")
      // No query and an empty name aren't told apart: "?" has one pair with nothing in it.
      #expect(
        found?.query.filter { $0 != ("", "") } == request.query.filter { $0 != ("", "") },
        "\(uri) \(seedNote)")
    }
    #expect(read > 1_000)
  }

  @Test func timesAreInTheirRangeOrRefused() async {
    var random = generator("times")
    let digits = Array("0123456789-:TZz+. ")
    await fuzz(rounds: 20_000) { _ in
      var text = "2026-11-24T09:00:00.123+09:00"
      if random.chance(50) { text = self.text(&random, upTo: 5) }
      var characters = Array(text)
      for _ in 0..<random.below(4) where !characters.isEmpty {
        characters[random.below(characters.count)] = random.pick(digits)
      }
      text = String(characters)
      let offset = random.below(86_400) - 43_200
      guard let time = Router.time(text, utcOffsetSeconds: offset) else { return }
      // Read with another zone, a time with a zone of its own is the same.
      if text.contains("T") || text.contains("t") {
        #expect(Router.time(text, utcOffsetSeconds: 0) == time, "\(text) \(seedNote)")
      }
    }
  }

  @Test func cursorsThatAreReadAreWrittenTheSame() async {
    var random = generator("cursors")
    var read = 0
    await fuzz(rounds: 20_000) { _ in
      let parts = [
        "0", "1", "-1", "+1", "007", "2026-11-24", "2026-02-30", "9223372036854775807",
        "18446744073709551615", "x", "",
        "é", "99",
      ]
      let text =
        "\(random.chance(70) ? "2026-11-24" : random.pick(parts)).\(random.pick(parts)).\(random.pick(parts))"
        + (random.chance(10) ? random.pick(parts) : "")
      guard let cursor = TradeCursor(text) else { return }
      read += 1
      #expect(TradeCursor(cursor.description) == cursor, "\(text) \(seedNote)")
    }
    #expect(read > 1_000)
  }

  @Test func positionsAndTagsNeverTrap() async {
    var random = generator("positions")
    var accepted = 0
    await fuzz(rounds: 10_000) { _ in
      var headers = HTTPHeaders()
      let position = text(&random)
      headers.add(name: "Last-Event-ID", value: position)
      let uri =
        "/v1/events?channel=\(random.pick(["quotes", "books", "x", ""]))&instruments=\(random.pick(["*", "7203,6758", ""]))"
        + "&interval=\(random.pick(["0", "50", "-1", "99999", "x"]))&levels=\(random.pick(["1", "50", "51", ""]))"
      guard let request = Request(head(uri, headers)) else { return }
      let (wanted, faults) = Router.subscription(request)
      #expect((wanted == nil) == !faults.isEmpty)
      if let wanted {
        accepted += 1
        #expect((0...10_000).contains(wanted.interval) && (1...50).contains(wanted.levels))
        #expect(wanted.from?.count ?? 0 <= position.split(separator: ",").count)
      }
      let tag = "\"\(random.below(3))\""
      #expect(Router.matches(text(&random) + "," + tag, tag))
    }
    #expect(accepted > 100)
  }
}
