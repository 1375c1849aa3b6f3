// The interface of the backbone, played the same over both buses.

import Foundation
import Testing

@testable import Backbone

@Suite struct SubjectTests {
  @Test(arguments: [
    ("px.XTKS.p1.all", "px.XTKS.p1.all", true), ("px.*.p1.all", "px.XTKS.p1.all", true),
    ("px.>", "px.XTKS.p1.i.7203", true), ("px.>", "px", false), (">", "px", true),
    ("px.*", "px.XTKS.p1", false), ("px.XTKS.*", "px.XTKS", false), ("px.XTKS", "px.XTKS.p1", false),
    ("*.*", "px.XTKS", true), ("beat.>", "beats.XTKS", false),
  ]) func wildcardsMatchWords(pattern: String, subject: String, expected: Bool) throws {
    let pattern = try SubjectPattern(pattern)
    var subject = subject
    subject.withUTF8 { bytes in #expect(pattern.matches(UnsafeRawBufferPointer(bytes)) == expected) }
  }

  @Test(arguments: ["", "a..b", ".a", "a.", "a b", "a.>.b"]) func whatIsNoSubjectIsRefused(text: String) {
    #expect(throws: BusError.self) { try SubjectPattern(text) }
  }

  @Test(arguments: [
    ("px.XTKS.p1.all", BusSystem.px), ("pxx.XTKS", .other), ("feed.XTKS.p1", .feed), ("_INBOX.n1.7", .answer),
    ("$JS.API.INFO", .keep), ("beat.XTKS.p1", .beat), ("node", .node), ("", .other),
  ]) func theFirstWordIsTheSystem(subject: String, system: BusSystem) {
    var subject = subject
    subject.withUTF8 { bytes in #expect(BusSystem(subject: UnsafeRawBufferPointer(bytes)) == system) }
  }
}

@Suite struct BusTests {
  enum Kind: String, CaseIterable { case inProcess, nats }
  static var kinds: [Kind] { MessageServer.isThere ? Kind.allCases : [.inProcess] }

  /// Two users of one bus.
  struct Pair {
    var first: any Bus
    var second: any Bus
    var server: MessageServer?

    init(_ kind: Kind) async throws {
      switch kind {
      case .inProcess:
        let bus = InProcessBus()
        (first, second) = (bus, bus.endpoint())
      case .nats:
        let server = try MessageServer()
        first = try NatsBus(server.settings(name: "n1"))
        second = try NatsBus(server.settings(name: "n2"))
        self.server = server
        let (first, second) = (first, second)
        #expect(await eventually { first.state.isConnected && second.state.isConnected })
      }
    }

    func close() {
      first.close()
      second.close()
    }
  }

  /// Subscribes, and waits until the subscription is known.
  static func hear(_ subject: String, on bus: any Bus, from other: any Bus, probe: String) async throws -> (
    Heard, any BusSubscription
  ) {
    let heard = Heard()
    let subscription = try bus.subscribe(subject, heard.handler)
    #expect(
      await eventually {
        other.say(probe, "probe")
        return heard.count > 0
      })
    return (heard, subscription)
  }

  @Test(arguments: kinds) func messagesComeOnceAndInOrder(kind: Kind) async throws {
    let pair = try await Pair(kind)
    defer { pair.close() }
    let (heard, subscription) = try await Self.hear(
      "px.*.p1.>", on: pair.second, from: pair.first, probe: "px.X.p1.z")
    for number in 0..<2_000 {
      _ = "\(number)".utf8.withContiguousStorageIfAvailable {
        pair.first.publish("px.X.p1.all", reply: nil, UnsafeRawBufferPointer($0), more: number % 10 != 9)
      }
    }
    pair.first.flush()
    #expect(await eventually { heard.all.filter { $0.hasPrefix("px.X.p1.all=") }.count == 2_000 })
    let isWhole = heard.all.filter { $0.hasPrefix("px.X.p1.all=") } == (0..<2_000).map { "px.X.p1.all=\($0)" }
    #expect(isWhole)
    withExtendedLifetime(subscription) {}
  }

  @Test(arguments: kinds) func nobodyHearsItself(kind: Kind) async throws {
    let pair = try await Pair(kind)
    defer { pair.close() }
    let own = Heard()
    let mine = try pair.first.subscribe("px.>", own.handler)
    let (heard, subscription) = try await Self.hear(
      "px.>", on: pair.second, from: pair.first, probe: "px.probe")
    pair.first.say("px.own", "1")
    #expect(await eventually { heard.all.contains("px.own=1") })
    #expect(own.all.isEmpty)
    withExtendedLifetime((mine, subscription)) {}
  }

  @Test(arguments: kinds) func aQuestionIsAnsweredToWhoAsked(kind: Kind) async throws {
    let pair = try await Pair(kind)
    defer { pair.close() }
    let (answerer, asker) = (pair.first, pair.second)
    let answering = try answerer.subscribe("ask.XTKS.p1.replay") { message in
      guard let reply = message.reply else { return }
      answerer.say(reply, "answer to " + String(decoding: message.payload, as: UTF8.self))
    }
    let heard = Heard()
    let inbox = try asker.subscribe("_INBOX.n2.*", heard.handler)
    #expect(
      await eventually {
        asker.say("ask.XTKS.p1.replay", "7", reply: "_INBOX.n2.1")
        return heard.all.contains("_INBOX.n2.1=answer to 7")
      })
    withExtendedLifetime((answering, inbox)) {}
  }

  @Test(arguments: kinds) func nothingComesAfterCancel(kind: Kind) async throws {
    let pair = try await Pair(kind)
    defer { pair.close() }
    let (heard, subscription) = try await Self.hear("px.a", on: pair.second, from: pair.first, probe: "px.a")
    let (other, still) = try await Self.hear("px.>", on: pair.second, from: pair.first, probe: "px.b")
    subscription.cancel()
    let before = heard.count
    pair.first.say("px.a", "late")
    #expect(await eventually { other.all.contains("px.a=late") })
    #expect(heard.count == before)
    withExtendedLifetime(still) {}
  }

  @Test(arguments: kinds) func aHandlerMayCancelItself(kind: Kind) async throws {
    let pair = try await Pair(kind)
    defer { pair.close() }
    let heard = Heard()
    let place = Place()
    place.subscription = try pair.second.subscribe("px.c") { message in
      heard.handler(message)
      place.subscription?.cancel()
    }
    #expect(
      await eventually {
        pair.first.say("px.c", "1")
        return heard.count > 0
      })
    let (other, still) = try await Self.hear("px.d", on: pair.second, from: pair.first, probe: "px.d")
    pair.first.say("px.c", "2")
    pair.first.say("px.d", "last")
    #expect(await eventually { other.all.contains("px.d=last") })
    #expect(heard.count == 1)
    withExtendedLifetime(still) {}
  }

  final class Place: @unchecked Sendable { var subscription: (any BusSubscription)? }

  @Test(arguments: kinds) func theAccountNamesSystems(kind: Kind) async throws {
    let pair = try await Pair(kind)
    defer { pair.close() }
    let (_, subscription) = try await Self.hear("beat.>", on: pair.second, from: pair.first, probe: "beat.x")
    let out = pair.first.account.figures.first { $0.system == "beat" }
    let into = pair.second.account.figures.first { $0.system == "beat" }
    #expect((out?.messagesOut ?? 0) > 0)
    #expect((out?.bytesOut ?? 0) == (out?.messagesOut ?? 0) * 11)
    #expect((into?.messagesIn ?? 0) > 0)
    withExtendedLifetime(subscription) {}
  }

  @Test func whatIsPublishedWhileAwayIsDroppedAndCounted() throws {
    let bus = InProcessBus()
    defer { bus.close() }
    bus.setConnected(false)
    #expect(!bus.say("px.a", "1"))
    #expect(bus.account.figures.first { $0.system == "px" }?.dropped == 1)
    bus.setConnected(true)
    #expect(bus.say("px.a", "2"))
    #expect(bus.report.reconnects == 1)
  }

  @Test func aBudgetHoldsBackAllButPrices() throws {
    let bus = InProcessBus()
    let limited = bus.endpoint(budgets: [.px: 1_000, .feed: 1_000])
    defer {
      bus.close()
      limited.close()
    }
    let text = String(repeating: "x", count: 600)
    #expect(limited.say("feed.a", text))
    #expect(!limited.say("feed.a", text))
    #expect(limited.say("px.a", text))
    #expect(limited.say("px.a", text))
    let figures = limited.account.figures
    #expect(figures.first { $0.system == "feed" }?.overBudget == 1)
    #expect(figures.first { $0.system == "px" }?.overBudget == 1)
    #expect(figures.first { $0.system == "px" }?.exceeds == true)
    #expect(figures.first { $0.system == "px" }?.messagesOut == 2)
  }
}
