// The gateway's parts that need no socket: requests, times, tags, the ledger, the text of metrics.

import Foundation
import MarketData
import NIOHTTP1
import Testing

@testable import Gateway

@Suite struct RequestTests {
  private func request(_ uri: String) -> Request? {
    Request(HTTPRequestHead(version: .http1_1, method: .GET, uri: uri))
  }

  @Test func pathAndQueryAreDecoded() throws {
    let found = try #require(
      request("/v1/quotes/%37203.XTKS?q=%E3%83%88%E3%83%A8&a+b=c+d%2Be&empty=&bare&q=second&=x"))
    #expect(found.segments == ["v1", "quotes", "7203.XTKS"])
    #expect(found.query == ["q": "トヨ", "a b": "c d+e", "empty": "", "bare": "", "": "x"])
    #expect(found.path == "/v1/quotes/%37203.XTKS")
    #expect(try #require(request("/a+b")).segments == ["a+b"], "a plus sign is itself in a path")
    #expect(try #require(request("//v1///quotes/")).segments == ["v1", "quotes"])
    #expect(try #require(request("/?a=b=c&&x")).query == ["a": "b=c", "x": ""])
    #expect(try #require(request("/a%2Fb")).segments == ["a/b"], "a coded slash divides nothing")
  }

  @Test(arguments: [
    "", "v1", "*", "http://x/v1", "/%", "/%4", "/%zz", "/%+1", "/%00", "/a?x=%00", "/%ff", "/%c3%28", "/?%=1",
    "/?a=%8",
  ])
  func whatCannotBeDecodedIsRefused(uri: String) { #expect(request(uri) == nil) }

  @Test func aPathHasABound() {
    #expect(request("/" + String(repeating: "x", count: 4095)) != nil)
    #expect(request("/" + String(repeating: "x", count: 4096)) == nil)
  }

  @Test func tagsMatchAsInTheRFC() {
    #expect(Router.matches("\"a\"", "\"a\""))
    #expect(Router.matches("W/\"a\"", "\"a\""))
    #expect(Router.matches("\"b\" , \"a\"", "\"a\""))
    #expect(Router.matches("*", "\"a\""))
    #expect(!Router.matches("\"b\"", "\"a\""))
    #expect(!Router.matches("a", "\"a\""))
    #expect(!Router.matches("", "\"a\""))
  }
}

@Suite struct TimeTests {
  private let tokyo = 9 * 3600

  @Test func datesAreMidnightAtTheExchange() {
    #expect(Router.time("1970-01-02", utcOffsetSeconds: tokyo) == 54_000_000_000_000)
    #expect(Router.time("1970-01-01", utcOffsetSeconds: 0) == 0)
  }

  @Test func timesOfRFC3339() {
    let wanted: Int64 = 1_795_478_400_000_000_000
    for text in [
      "2026-11-24T00:00:00Z", "2026-11-24t00:00:00z", "2026-11-24T09:00:00+09:00",
      "2026-11-24T09:00:00 09:00",
      "2026-11-23T19:00:00.000000000-05:00", "2026-11-24T05:30:00.0+05:30",
    ] {
      #expect(Router.time(text, utcOffsetSeconds: tokyo) == wanted, "\(text)")
    }
    #expect(Router.time("2026-11-24T00:00:00.5Z", utcOffsetSeconds: 0) == wanted + 500_000_000)
    #expect(Router.time("2026-11-24T00:00:00.123456789Z", utcOffsetSeconds: 0) == wanted + 123_456_789)
    #expect(Router.time("2026-11-23T23:59:60Z", utcOffsetSeconds: 0) == wanted)
  }

  @Test(arguments: [
    "", "now", "2026-11-24T", "2026-11-24T00:00:00", "2026-11-24 00:00:00Z", "2026-13-01", "2026-02-30",
    "2026-11-24T24:00:00Z",
    "2026-11-24T00:60:00Z", "2026-11-24T00:00:61Z", "2026-11-24T00:00:00.Z",
    "2026-11-24T00:00:00.1234567890Z",
    "2026-11-24T00:00:00+9:00", "2026-11-24T00:00:00+0900", "2026-11-24T00:00:00+24:00",
    "2026-11-24T00:00:00Zx",
    "2026-11-24T00:00:00+09:00x", "2026-11-24T00:00:00", "2026-11-24T00-00-00Z", "+026-11-24",
    "2026-11-24T+1:00:00Z",
    "2026-11-24T00:00:00.5", "２０２６-11-24",
  ])
  func whatIsNoTimeIsRefused(text: String) { #expect(Router.time(text, utcOffsetSeconds: 0) == nil) }

  /// 64 bits of nanoseconds end in 2262: a client that writes year 9999 for "always" must not end the server.
  @Test func timesBeyondWhatCanBeHeldAreTheNearestThatCan() throws {
    for text in [
      "9999-12-31T23:59:59.999999999Z", "9999-12-31", "2262-04-12T00:00:00Z", "9999-12-31T23:59:59-23:59",
    ] {
      let far = try #require(Router.time(text, utcOffsetSeconds: tokyo))
      #expect(far > 9_200_000_000_000_000_000)
    }
    for text in ["0001-01-01T00:00:00Z", "0001-01-01", "1677-09-01", "0001-01-01T00:00:00+23:59"] {
      let early = try #require(Router.time(text, utcOffsetSeconds: tokyo))
      #expect(early < -9_200_000_000_000_000_000)
    }
  }
}

@Suite struct MetricsTextTests {
  @Test func labelsAreEscaped() {
    var text = PrometheusText()
    text.gauge("a", "Help", [(["x": "q\"b\\s\nn", "b": "値"], 1.5), ([:], 2)])
    text.counter("c_total", "More", [])
    #expect(
      text.text == """
        # HELP a Help
        # TYPE a gauge
        a{b="値",x="q\\"b\\\\s\\nn"} 1.5
        a 2
        # HELP c_total More
        # TYPE c_total counter

        """)
  }

  @Test func numbersAreExact() {
    var text = PrometheusText()
    text.gauge("n", "N", [([:], 0), ([:], -1), ([:], 999_999_999_999_999), ([:], 1e300), ([:], 0.1)])
    let numbers = text.text.split(separator: "\n").dropFirst(2).map { $0.dropFirst(2) }
    #expect(numbers == ["0", "-1", "999999999999999", "1e+300", "0.1"])
  }
}
