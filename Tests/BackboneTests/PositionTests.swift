// A plant's position moves with messages that change nothing, and its beats tell of a feed that hangs.

import Continuity
import Foundation
import MarketData
import Synchronization
import Testing
import TickerPlant

@testable import Backbone
@testable import FeedHandler

@Suite struct PositionTests {
  /// A publisher to whose ring a plant of one session has said how it is.
  private static func publisher(
    _ bus: any Bus, lag: @escaping @Sendable () -> UInt64 = { 0 }
  ) -> (PlantPublisher, session: String, date: CalendarDate) {
    let publisher = PlantPublisher(
      PlantPublisher.Configuration(market: "XTKS", node: "p1", configuration: 7, incarnation: 1),
      buses: [bus], lag: lag)
    var plant = TickerPlant(
      PlantConfiguration(market: "XTKS", session: "DAY1", date: CalendarDate(daysSince1970: 20_000)))
    plant.setSourceState(.live)
    plant.emitAll(announcing: 0)
    #expect(publisher.ring.write(plant.updates.bytes, tag: 0))
    return (publisher, plant.session, plant.date)
  }

  @Test func messagesWithoutEffectMoveThePosition() async throws {
    let bus = InProcessBus(rail: "a")
    defer { bus.close() }
    let (publisher, session, date) = Self.publisher(bus)
    try publisher.start()
    defer { publisher.stop() }
    publisher.states.reach(7, session: session, date: date)
    #expect(await eventually { publisher.report.position?.sequence == 7 })
    // Another epoch's number is none of this one.
    publisher.states.reach(900, session: "DAY2", date: date)
    try await Task.sleep(nanoseconds: 300_000_000)
    #expect(publisher.report.position?.sequence == 7)
  }

  @Test func aFeedThatHangsIsSaidToBeOut() async throws {
    let bus = InProcessBus(rail: "a")
    let other = bus.endpoint()
    defer {
      other.close()
      bus.close()
    }
    let lag = LateFeed()
    let (publisher, _, _) = Self.publisher(bus) { lag.nanoseconds.load(ordering: .relaxed) }
    let services = Heard()
    let subscription = try other.subscribe("beat.XTKS.p1") { message in
      guard let facts = (try? StreamFrame(decoding: message.payload))?.beat else { return }
      services.add("\(facts.service)")
    }
    try publisher.start()
    defer { publisher.stop() }
    #expect(await eventually { services.all.last == "\(ServiceState.inService.rawValue)" })
    lag.nanoseconds.store(3_000_000_000, ordering: .relaxed)
    #expect(await eventually { services.all.last == "\(ServiceState.outByHealth.rawValue)" })
    lag.nanoseconds.store(0, ordering: .relaxed)
    #expect(await eventually { services.all.last == "\(ServiceState.inService.rawValue)" })
    withExtendedLifetime(subscription) {}
  }

  private final class LateFeed: Sendable {
    let nanoseconds = Atomic<UInt64>(0)
  }
}
