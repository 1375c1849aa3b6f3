// Where to publish: what the grammar allows, and what is refused.

import FeedHandler
import Testing

@Suite("Publish targets")
struct PublishTargetTests {
  private func faults(_ text: String) -> [String] {
    do throws(FeedAddressError) {
      Issue.record("\(text) is \(try FeedPublisher.Target(text))")
      return []
    } catch { return error.faults }
  }

  @Test func linesAndServers() throws {
    var mold = FeedAddress.Mold(lines: [.init(host: "239.1.1.1", port: 1), .init(host: "239.1.1.2", port: 2)])
    mold.request = .init(host: "127.0.0.1", port: 3)
    mold.interface = "lo"
    #expect(
      try FeedPublisher.Target("mold:239.1.1.1:1,239.1.1.2:2?request=127.0.0.1:3&interface=lo") == .mold(mold)
    )
    var soup = FeedAddress.Soup(server: .init(host: "127.0.0.1", port: 4))
    soup.user = "u"
    soup.password = "p"
    #expect(try FeedPublisher.Target("soup:127.0.0.1:4?user=u&password=p") == .soup(soup))
  }

  @Test func whatMeansNothingHereIsRefusedByName() {
    #expect(faults("itch:a").count == 1)
    #expect(faults("mold:a:1?date=2020-01-01&market=XTKS").count == 2)
    let soup = faults("soup:a:1?session=S&sequence=3&heartbeat=50&zone=Asia/Tokyo")
    #expect(soup.count == 4 && soup.allSatisfy { $0.contains("remove it") })
  }

  @Test func gaps() {
    #expect(FeedPublisher.Options.gap("5-5") == 5...5)
    #expect(FeedPublisher.Options.gap("100-120") == 100...120)
    for text in ["", "5", "5-", "-5", "0-3", "6-5", "a-b", "1-2-3", "1-18446744073709551615"] {
      #expect(FeedPublisher.Options.gap(text) == nil)
    }
  }
}
