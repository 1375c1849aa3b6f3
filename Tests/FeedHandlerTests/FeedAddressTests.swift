// Feed addresses: what the grammar allows, and everything that can be wrong, said at once.

import FeedHandler
import MarketData
import Testing

@Suite("Feed addresses")
struct FeedAddressTests {
  private func faults(_ text: String) -> [String] {
    do throws(FeedAddressError) {
      let address = try FeedAddress(text)
      Issue.record("\(text) is \(address)")
      return []
    } catch {
      return error.faults
    }
  }

  @Test func simulator() throws {
    for text in ["sim:", "sim:?", "sim:seed=1&instruments=400", "sim:?seed=1"] {
      #expect(try FeedAddress(text) == .simulator(.init()))
    }
    var wanted = FeedAddress.Simulator()
    wanted.speed = .realTime
    #expect(try FeedAddress("sim:seed=1&instruments=400&speed=1") == .simulator(wanted))
    wanted.seed = .max
    wanted.instruments = 3
    wanted.speed = .max
    #expect(try FeedAddress("sim:?seed=18446744073709551615&instruments=3&speed=max") == .simulator(wanted))
  }

  @Test func files() throws {
    #expect(try FeedAddress("itch:/a/b.itch.gz") == .itch(.init(paths: ["/a/b.itch.gz"])))
    var wanted = FeedAddress.Files(paths: ["C:a,b?.pcap", "ü"])
    wanted.speed = .times(2.5)
    wanted.facts.reference = "r&s.json"
    wanted.facts.date = CalendarDate(year: 2019, month: 1, day: 30)
    wanted.facts.market = "XTKS"
    wanted.facts.zone = "Asia/Tokyo"
    let text =
      "pcap:C:a%2Cb%3F.pcap,%C3%BC?speed=2.5&reference=r%26s.json&date=2019-01-30&market=XTKS&zone=Asia/Tokyo"
    #expect(try FeedAddress(text) == .pcap(wanted))
  }

  @Test func lines() throws {
    var wanted = FeedAddress.Mold(lines: [
      FeedEndpoint(host: "233.54.12.111", port: 26_477), FeedEndpoint(host: "ff02::1", port: 1),
    ])
    wanted.request = FeedEndpoint(host: "request.example", port: 9_000)
    wanted.interface = "eth1"
    let text = "mold:233.54.12.111:26477,[ff02::1]:1?request=request.example:9000&interface=eth1"
    #expect(try FeedAddress(text) == .mold(wanted))
    #expect(wanted.lines[1].description == "[ff02::1]:1")
  }

  @Test func server() throws {
    var wanted = FeedAddress.Soup(server: FeedEndpoint(host: "glimpse", port: 15_000))
    wanted.user = "kabuto"
    wanted.password = "a&b"
    wanted.sequence = 0
    #expect(try FeedAddress("soup:glimpse:15000?user=kabuto&password=a%26b&sequence=0") == .soup(wanted))
    #expect(wanted.heartbeatMilliseconds == 1000)
    for (text, milliseconds) in [("10", UInt64(10)), ("60000", 60_000)] {
      wanted.heartbeatMilliseconds = milliseconds
      #expect(
        try FeedAddress("soup:glimpse:15000?user=kabuto&password=a%26b&sequence=0&heartbeat=\(text)")
          == .soup(wanted))
    }
    for text in ["9", "60001", "-1", "1.5", ""] {
      #expect(faults("soup:glimpse:15000?heartbeat=\(text)").first?.contains("from 10 to 60000") == true)
    }
    let unsayable = faults("soup:glimpse:15000?user=%C3%A9&password=%20a&session=a%0A")
    #expect(unsayable.count == 3 && unsayable.allSatisfy { $0.contains("printable ASCII") })
  }

  @Test func allFaultsAreNamedAtOnceWithTheNearestName() {
    let found = faults("sim:?sed=1&speed=fast&instruments=0&instruments=2&x")
    #expect(found.count == 5)
    #expect(found.contains { $0.contains("\"sed\"") && $0.contains("did you mean \"seed\"") })
    #expect(found.contains { $0.contains("\"fast\"") && $0.contains("max or a number") })
    #expect(found.contains { $0.contains("stands there twice") })
    #expect(found.contains { $0.contains("from 1 to 65535") })
    #expect(found.contains { $0.contains("\"x\"") && $0.contains("NAME=VALUE") })
    let facts = faults("itch:a,,%zz?date=2019-02-29&market=tks&zone=Asia/Tokio&speed=0&refrence=a")
    #expect(facts.count == 7)
    #expect(facts.contains { $0.contains("did you mean \"Asia/Tokyo\"") })
    #expect(facts.contains { $0.contains("did you mean \"reference\"") })
  }

  @Test func schemesAndEndpoints() {
    #expect(
      faults("ich:a") == [
        #"scheme: "ich" found; wanted one of sim, itch, pcap, mold, soup; did you mean "itch"?"#
      ])
    #expect(faults("data.itch").first?.contains("itch:data.itch") == true)
    #expect(faults("itch:") == ["file 1: nothing found; wanted a path"])
    #expect(faults("mold:a:1,b:2,c:3").count == 1)
    #expect(faults("mold:224.0.0.1,b:99999?request=x").count == 3)
    #expect(faults("soup:a:b:1").count == 1)
    #expect(faults("soup:?user=1234567").count == 2)
    #expect(faults("").count == 1)
  }

  @Test func passwordsAreNotRepeated() {
    do throws(FeedAddressError) {
      _ = try FeedAddress("soup:host:0?password=hunter2&user=a")
      Issue.record("port 0 was taken")
    } catch {
      #expect(!error.description.contains("hunter2"))
      #expect(error.address == "soup:host:0?password=…&user=a")
    }
  }

  @Test func speeds() {
    #expect(FeedSpeed("1") == .realTime && FeedSpeed("0.5") == .times(0.5) && FeedSpeed("max") == .max)
    for text in ["", "0", "-1", "nan", "inf", "1e3", "0x10", "1000001", " 1", "."] {
      #expect(FeedSpeed(text) == nil)
    }
    #expect(FeedSpeed.times(10).description == "10" && FeedSpeed.times(2.5).description == "2.5")
  }
}

@Suite("Feed addresses Fuzz")
struct FeedAddressFuzzTests {
  @Test func noTextTraps() {
    var random = generator("addresses")
    let parts = [
      "sim:", "itch:", "mold:", "soup:", "pcap:", "?", "&", "=", ",", ":", "%", "%4", "%00", "[", "]", "::1",
      "seed",
      "speed", "max", "1", "99999999999999999999", "date=2020-01-01", "zone=", "UTC", "é", "password=",
      "host:1",
    ]
    fuzz(rounds: 2_000) {
      let text = (0..<random.next() % 12).map { _ in parts[Int(random.next() % UInt64(parts.count))] }
        .joined()
      do throws(FeedAddressError) {
        _ = try FeedAddress(text)
      } catch {
        #expect(!error.faults.isEmpty)
      }
    }
  }
}
