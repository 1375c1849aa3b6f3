import Distribution
import Foundation
import MarketData
import Testing

@Suite struct CommandTests {
  private func read(_ text: String) throws(CommandError) -> Command { try Command(json: Array(text.utf8)) }

  @Test func everyOperationIsRead() throws {
    #expect(try read("{\"op\":\"ping\"}") == .ping(id: nil))
    #expect(try read("{\"op\":\"ping\",\"id\":\"x\"}") == .ping(id: "x"))
    #expect(try read("{\"op\":\"ping\",\"id\":7}") == .ping(id: "7"))
    #expect(try read("{\"op\":\"unsubscribe\",\"id\":\"株\"}") == .unsubscribe(id: "株"))
    var request = SubscriptionRequest(id: "1", channel: .books, instruments: ["7203", "9984.XTKS"])
    #expect(
      try read(
        "{\"op\":\"subscribe\",\"id\":\"1\",\"channel\":\"books\",\"instruments\":[\"7203\",\"9984.XTKS\"]}")
        == .subscribe(request))
    request.interval = 0
    request.levels = 50
    request.timing = true
    request.from = [ResumePosition(market: "XTKS", epoch: "S.2026-11-24", sequence: .max)]
    #expect(
      try read(
        """
        {"op":"resume","id":"1","channel":"books","instruments":["7203","9984.XTKS"],"interval":0,"levels":50,
        "timing":true,"from":[{"market":"XTKS","epoch":"S.2026-11-24","seq":18446744073709551615}],"more":{}}
        """) == .subscribe(request))
  }

  @Test(arguments: [
    ("", "bad_json"), ("{", "bad_json"), ("[]", "bad_json"), ("7", "bad_json"), ("\"x\"", "bad_json"),
    ("null", "bad_json"),
    ("{}", "unknown_op"), ("{\"op\":7}", "unknown_op"), ("{\"op\":\"fly\"}", "unknown_op"),
    ("{\"op\":\"unsubscribe\"}", "bad_id"), ("{\"op\":\"subscribe\"}", "bad_id"),
    ("{\"op\":\"resume\",\"id\":[]}", "bad_id"),
    ("{\"op\":\"ping\",\"id\":\"\(String(repeating: "x", count: 129))\"}", "bad_id"),
    ("{\"op\":\"subscribe\",\"id\":\"1\"}", "bad_channel"),
    ("{\"op\":\"subscribe\",\"id\":\"1\",\"channel\":\"news\"}", "bad_channel"),
    ("{\"op\":\"subscribe\",\"id\":\"1\",\"channel\":\"quotes\"}", "bad_instruments"),
    ("{\"op\":\"subscribe\",\"id\":\"1\",\"channel\":\"quotes\",\"instruments\":[]}", "bad_instruments"),
    ("{\"op\":\"subscribe\",\"id\":\"1\",\"channel\":\"quotes\",\"instruments\":[7203]}", "bad_instruments"),
    (
      "{\"op\":\"subscribe\",\"id\":\"1\",\"channel\":\"quotes\",\"instruments\":[\"1\"],\"interval\":-1}",
      "bad_interval"
    ),
    (
      "{\"op\":\"subscribe\",\"id\":\"1\",\"channel\":\"quotes\",\"instruments\":[\"1\"],\"interval\":10001}",
      "bad_interval"
    ),
    (
      "{\"op\":\"subscribe\",\"id\":\"1\",\"channel\":\"quotes\",\"instruments\":[\"1\"],\"interval\":1.5}",
      "bad_interval"
    ),
    (
      "{\"op\":\"subscribe\",\"id\":\"1\",\"channel\":\"quotes\",\"instruments\":[\"1\"],\"interval\":\"50\"}",
      "bad_interval"
    ),
    (
      "{\"op\":\"subscribe\",\"id\":\"1\",\"channel\":\"books\",\"instruments\":[\"1\"],\"levels\":0}",
      "bad_levels"
    ),
    (
      "{\"op\":\"subscribe\",\"id\":\"1\",\"channel\":\"books\",\"instruments\":[\"1\"],\"levels\":51}",
      "bad_levels"
    ),
    (
      "{\"op\":\"subscribe\",\"id\":\"1\",\"channel\":\"books\",\"instruments\":[\"1\"],\"timing\":\"yes\"}",
      "bad_timing"
    ),
    ("{\"op\":\"resume\",\"id\":\"1\",\"channel\":\"books\",\"instruments\":[\"1\"]}", "bad_from"),
    (
      "{\"op\":\"resume\",\"id\":\"1\",\"channel\":\"books\",\"instruments\":[\"1\"],\"from\":[{}]}",
      "bad_from"
    ),
    (
      "{\"op\":\"resume\",\"id\":\"1\",\"channel\":\"books\",\"instruments\":[\"1\"],\"from\":[{\"market\":\"X\",\"epoch\":\"e\",\"seq\":-1}]}",
      "bad_from"
    ),
    (
      "{\"op\":\"resume\",\"id\":\"1\",\"channel\":\"books\",\"instruments\":[\"1\"],\"from\":[{\"market\":\"X\",\"epoch\":\"e\",\"seq\":1.5}]}",
      "bad_from"
    ),
  ])
  func everyFaultHasItsCodeAndSaysWhatIsWanted(text: String, code: String) {
    do throws(CommandError) {
      let command = try read(text)
      Issue.record("\(command)")
    } catch {
      #expect(error.code == code)
      #expect(!error.detail.isEmpty)
    }
    let world = World()
    let client = StreamClient(world)
    client.say(text)
    let others = client.takeOthers()
    #expect(
      others.count == 1 && others.first?["type"] as? String == "error"
        && others.first?["code"] as? String == code)
    #expect(client.faults.isEmpty)
  }

  @Test func aPingIsAnsweredWithItsId() {
    let client = StreamClient(World())
    client.say("{\"op\":\"ping\",\"id\":\"a\\\"b\\n\\u0001\"}")
    client.say("{\"op\":\"ping\"}")
    let others = client.takeOthers()
    #expect(others.first?["type"] as? String == "pong" && others.first?["id"] as? String == "a\"b\n\u{1}")
    #expect(others.last?["id"] is NSNull)
  }

  @Test func anUnknownSubscriptionCannotBeEnded() {
    let client = StreamClient(World())
    client.say("{\"op\":\"unsubscribe\",\"id\":\"none\"}")
    #expect(client.takeOthers().first?["code"] as? String == "unknown_id")
  }

  @Test(arguments: [
    (0, 0), (1, 0), (9, 0), (10, 10), (19, 10), (49, 20), (50, 50), (99, 50), (4_999, 2_000),
    (10_000, 10_000),
  ])
  func intervalsAreTakenDownToTheNextStep(asked: Int, given: Int) {
    let world = World()
    world.apply(Stock("7203").hidden(1, "10"))
    let client = StreamClient(world)
    client.subscribe("q", "quotes", ["7203"], interval: asked)
    #expect(client.takeOthers().first?["interval"] as? Int == given)
  }
}

@Suite struct CommandFuzzTests {
  private static let seeds = [
    "{\"op\":\"subscribe\",\"id\":\"1\",\"channel\":\"quotes\",\"instruments\":[\"7203\",\"*\"],\"interval\":50,\"levels\":10,\"timing\":true}",
    "{\"op\":\"subscribe\",\"id\":\"2\",\"channel\":\"books\",\"instruments\":[\"*\"]}",
    "{\"op\":\"unsubscribe\",\"id\":\"1\"}", "{\"op\":\"ping\",\"id\":1e5}",
    "{\"op\":\"resume\",\"id\":\"3\",\"channel\":\"trades\",\"instruments\":[\"7203\"],\"from\":[{\"market\":\"XTKS\",\"epoch\":\"S.2026-11-20\",\"seq\":1}]}",
    "{\"op\":\"resume\",\"id\":\"4\",\"channel\":\"bars\",\"instruments\":[\"*\"],\"from\":[{\"market\":\"XTKS\",\"epoch\":\"\",\"seq\":18446744073709551615}]}",
  ].map { Array($0.utf8) }
  private static let pieces = [
    "\"", "{", "}", "[", "]", ",", ":", "null", "true", "-1", "1e999", "\\u0000", "\\ud800", "\u{0}",
    "18446744073709551616",
    "\"op\":", "\"*\"", "\"7203.XTKS\"", "\"quotes\"", "[[[[[[[[", "株", "\u{feff}",
  ].map { Array($0.utf8) }

  private func mutated(_ random: inout SeededGenerator) -> [UInt8] {
    if random.chance(10) {
      return (0..<random.below(80)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }
    var bytes = random.pick(Self.seeds)
    for _ in 0..<random.below(5) {
      let place = random.below(bytes.count + 1)
      switch random.below(5) {
      case 0: bytes.insert(contentsOf: random.pick(Self.pieces), at: place)
      case 1: bytes.removeSubrange(place..<min(bytes.count, place + random.below(12)))
      case 2 where !bytes.isEmpty: bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next())
      case 3:
        let other = random.pick(Self.seeds)
        bytes = Array(bytes[..<place]) + Array(other[min(other.count, random.below(other.count))...])
      default: bytes.insert(UInt8(0x20 + random.below(95)), at: place)
      }
    }
    return bytes
  }

  @Test func whateverAClientSaysIsAnsweredAndNothingTraps() {
    var random = generator("commands")
    var answered = 0
    var errors = 0
    fuzz(rounds: 40) {
      let world = World()
      world.feed(0, 150)
      let client = StreamClient(world)
      for _ in 0..<30 {
        let bytes = mutated(&random)
        let frames = client.transport.frames.count
        world.distributor.receive(bytes, from: client.client, now: world.now)
        // Only a resume that is ahead of the server may wait.
        if client.transport.frames.count == frames {
          #expect(
            String(decoding: bytes, as: UTF8.self).contains("resume"),
            "\(String(decoding: bytes, as: UTF8.self))")
        } else {
          answered += 1
        }
        if random.chance(30) { world.feed(0, 3) }
        if random.chance(20) { world.wait(20) }
      }
      world.wait(6_000)
      errors += client.takeOthers().filter { $0["type"] as? String == "error" }.count
      // A client that lies about its position gets what it asked for: order isn't looked at here.
      let faults = client.faults.filter { !$0.contains(" after ") && !$0.contains("before a snapshot") }
      #expect(faults.isEmpty, "\(seedNote)")
    }
    #expect(errors > 100 && answered > errors)
  }

  /// Deep nesting and long texts: an error, in time.
  @Test func heavyMessagesAreErrors() {
    for text in [
      String(repeating: "[", count: 100_000), String(repeating: "{\"a\":", count: 50_000),
      "{\"op\":\"\(String(repeating: "x", count: 200_000))\"}",
      "{\"op\":\"subscribe\",\"id\":\"1\",\"channel\":\"\(String(repeating: "株", count: 50_000))\"}",
      "{\"op\":\"subscribe\",\"id\":\"1\",\"channel\":\"quotes\",\"instruments\":[\(String(repeating: "\"NOTHING-OF-THAT-NAME\",", count: 5_000))\"1\"]}",
    ] {
      let client = StreamClient(World())
      client.say(text)
      let others = client.takeOthers()
      #expect(others.count == 1 && others.first?["type"] as? String == "error")
      #expect(client.longestFrame < 4_000)
    }
  }
}
