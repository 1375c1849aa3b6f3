// Whether this gateway is in service. Leaving is planned: who comes is told where else to go, who is here is told to
// move and has the time for it, and all of it can be taken back. Owner: the router; any thread may ask.

import Distribution
import NIOCore
import Synchronization

/// How a gateway stands towards clients.
public enum ServiceState: Sendable, Equatable {
  /// Takes new streams.
  case inService
  /// Refuses new streams, for a reason that people read.
  case outOfService(reason: String)

  /// The word that `/v1/status` shows.
  public var word: String {
    switch self {
    case .inService: "in"
    case .outOfService: "out"
    }
  }
}

/// The state, and since when.
final class ServiceSwitch: Sendable {
  struct Position: Sendable {
    var state = ServiceState.inService
    /// Of going out or coming in; another reason for being out doesn't change it.
    var since = NIODeadline.now()
  }

  private let held = Mutex(Position())
  private let isOutFlag = Atomic<Bool>(false)

  var isOut: Bool { isOutFlag.load(ordering: .relaxed) }
  var position: Position { held.withLock { $0 } }

  /// Sets the state; since when, or nil where it was out or in already.
  func set(_ state: ServiceState) -> NIODeadline? {
    held.withLock { position in
      let isChange = position.state.word != state.word
      position.state = state
      guard isChange else { return nil }
      position.since = NIODeadline.now()
      isOutFlag.store(state != .inService, ordering: .relaxed)
      return position.since
    }
  }
}

extension GatewayServer {
  /// In service, or out of it and why.
  public var service: ServiceState { router.service.position.state }

  /// Takes this gateway out of service: `/health/ready` says 503 with the reason, new streams are refused with the
  /// other endpoints named, and clients get `move`; those that are still here after `drainMilliseconds` are closed
  /// with 1001. REST goes on. `returnToService` takes it back, also before that.
  public func leaveService(reason: String) {
    // A new reason alone moves nobody again.
    guard let since = router.service.set(.outOfService(reason: reason)) else { return }
    let wait = router.configuration.drainMilliseconds
    let others = router.otherEndpoints
    for loop in loops {
      loop.eventLoop.execute {
        loop.distributor.announceMove(
          inMilliseconds: wait, reason: reason, endpoints: others, now: LoopContext.now())
      }
      let service = router.service
      loop.eventLoop.scheduleTask(in: .milliseconds(Int64(wait))) {
        // Out, in and out again has a deadline of its own.
        guard service.isOut, service.position.since == since else { return }
        loop.distributor.closeAll(code: 1001, reason: "out of service; connect elsewhere and resume")
      }
    }
  }

  /// Takes new streams again.
  public func returnToService() { _ = router.service.set(.inService) }
}
