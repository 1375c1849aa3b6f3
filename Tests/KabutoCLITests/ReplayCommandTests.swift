// What outsiders rely on: exit status, faults and summary of replay. What it sends is tested with FeedPublisher.

import Foundation
import Testing

@Suite struct ReplayCommandTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func file() throws -> String {
    var messages = Messages()
    messages.system("O")
    messages.directory(1, "TEST")
    for number in 1...50 { messages.order(1, UInt64(number), "B", 100, "TEST", 100_000) }
    return try folder.file("small.itch", messages.bytes)
  }

  /// A socket for datagrams on a free port of loopback.
  private func listener() throws -> (descriptor: Int32, port: UInt16) {
    let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
      }
    }
    try #require(status == 0)
    return (descriptor, address.sin_port.bigEndian)
  }

  /// A port of loopback that nobody has.
  private func freePort() throws -> UInt16 {
    let (descriptor, port) = try listener()
    close(descriptor)
    return port
  }

  @Test func theSummaryCountsWhatWasPublished() throws {
    let (a, b) = (try freePort(), try freePort())
    let run = try Program.run(
      "replay", try file(), "--to", "mold:127.0.0.1:\(a),127.0.0.1:\(b)?request=127.0.0.1:\(try freePort())",
      "--speed", "max", "--linger", "0", "--session", "TEST", "--gap", "10-12", "--loss", "1", "--json")
    #expect(run.status == 0, "\(run.complaints)")
    let report = try run.json()
    #expect(report["messages"] as? Int == 49 && report["missing"] as? Int == 3 && report["bad"] as? Int == 0)
    #expect(report["interrupted"] as? Bool == false)
    let session = try #require((report["sessions"] as? [[String: Any]])?.first)
    #expect(session["name"] as? String == "TEST" && session["next"] as? Int == 53)
    let lines = try #require(report["lines"] as? [[String: Any]])
    #expect(lines.map { $0["line"] as? String } == ["A", "B"])
    for line in lines {
      #expect(line["packets"] as? Int == 0 && line["messages"] as? Int == 0)
      #expect(line["dropped"] as? Int ?? 0 > 0 && line["errors"] as? Int == 0)
    }
    #expect((report["requests"] as? [String: Any])?["answered"] as? Int == 0)
    let plain = try Program.run(
      "replay", try file(), "--to", "mold:127.0.0.1:\(a)", "--rate", "10000", "--linger", "0")
    #expect(plain.status == 0 && plain.text.contains("messages      52") && plain.text.contains("line A"))
  }

  @Test func aBadMessageIsToldByTheStatus() throws {
    var messages = Messages()
    messages.system("O")
    messages.order(1, 1, "Q", 100, "TEST", 100_000)
    messages.order(1, 2, "B", 100, "TEST", 100_000)
    let path = try folder.file("bad.itch", messages.bytes)
    let run = try Program.run(
      "replay", path, "--to", "mold:127.0.0.1:\(try freePort())", "--speed", "max", "--linger", "0", "--json")
    #expect(run.status == 1 && run.complaints.contains("offset"))
    #expect(try run.json()["messages"] as? Int == 3 && (try run.json()["bad"] as? Int) == 1)
  }

  @Test func allFaultsOfTheArgumentsAreToldAtOnce() throws {
    let run = try Program.run(
      "replay", "x", "--to", "soup:host?session=A&password=hunter2", "--speed", "fast", "--rate", "0",
      "--loss", "2",
      "--seed", "x1", "--gap", "9-3", "--gap", "1-2", "--session", "elevenchars", "--heartbeat", "9",
      "--linger", "x")
    #expect(run.status == 64)
    for word in [
      "\"host\"", "--speed and --rate", "--speed: \"fast\"", "--rate: \"0\"", "--loss: \"2\"",
      "--seed: \"x1\"",
      "--gap: \"9-3\"", "--session: \"elevenchars\"", "--heartbeat: \"9\"", "--linger: \"x\"", "wanted",
    ] { #expect(run.complaints.contains(word), "\(word) is missing in \(run.complaints)") }
    #expect(!run.complaints.contains("hunter2") && !run.complaints.contains("1-2"))
    let soup = try Program.run(
      "replay", "x", "--to", "soup:127.0.0.1:1", "--loss", "0.1", "--request-loss", "0.1")
    #expect(
      soup.status == 64 && soup.complaints.contains("--loss: TCP")
        && soup.complaints.contains("--request-loss"))
    let sim = try Program.run("replay", "x", "--to", "sim:")
    #expect(sim.status == 64 && sim.complaints.contains("nothing can be published there"))
  }

  @Test func whatCannotBeDoneIsStatusTwo() throws {
    let missing = try Program.run(
      "replay", folder.path + "/none", "--to", "mold:127.0.0.1:\(try freePort())?interface=lo", "--speed",
      "max")
    #expect(missing.status == 2 && missing.complaints.contains("none"))
    // 192.0.2.0/24 is nobody's: no server can listen there.
    let address = try Program.run("replay", try file(), "--to", "soup:192.0.2.77:4000")
    #expect(address.status == 2 && address.complaints.contains("can't listen"))
  }

  @Test func aSignalEndsItWithItsSummary() throws {
    for number in [SIGINT, SIGTERM] {
      let (descriptor, port) = try listener()
      defer { close(descriptor) }
      let process = Process()
      process.executableURL = URL(fileURLWithPath: try #require(Program.path))
      process.arguments = [
        "replay", try file(), "--to", "mold:127.0.0.1:\(port)", "--rate", "0.1", "--json",
      ]
      let out = folder.path + "/signal-\(number)"
      _ = FileManager.default.createFile(atPath: out, contents: nil)
      process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: out))
      process.standardError = FileHandle.nullDevice
      try process.run()
      // Once it sends, it listens to signals, or will in a moment: what came too early is said again.
      var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      #expect(poll(&waiting, 1, 60_000) == 1)
      for _ in 0..<10 where process.isRunning {
        usleep(100_000)
        kill(process.processIdentifier, number)
        let end = Date().addingTimeInterval(6)
        while process.isRunning, Date() < end { usleep(5_000) }
      }
      process.waitUntilExit()
      #expect(process.terminationStatus == 0 && process.terminationReason == .exit)
      let json = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: out)))
      let report = try #require(json as? [String: Any])
      #expect(report["interrupted"] as? Bool == true && report["messages"] as? Int ?? 99 < 52)
    }
  }
}
