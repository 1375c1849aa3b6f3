// SIGUSR1 takes a running server out of service, SIGUSR2 brings it back: the same as the operator's commands over
// the backbone, for a server that has none. Owner: `kabuto serve`, for as long as it runs.

import Foundation
import Gateway
import Logging

/// The two signals, while this is kept.
final class ServiceSignals {
  private var sources: [any DispatchSourceSignal] = []

  /// Takes the signals from now on.
  init(_ gateway: GatewayServer, service: ServeService?, log: Logger) {
    for number in [SIGUSR1, SIGUSR2] {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        if number == SIGUSR1 {
          log.info("out of service", metadata: ["reason": "SIGUSR1"])
          let reason = "taken out of service by the operator"
          guard let service else { return gateway.leaveService(reason: reason) }
          // Other nodes change over first, then clients are moved.
          service.announceLeaving(reason: reason)
          let pause = DispatchTimeInterval.nanoseconds(Int(ServeService.leavingNanoseconds))
          DispatchQueue.global().asyncAfter(deadline: .now() + pause) {
            if service.isLeaving { gateway.leaveService(reason: reason) }
          }
        } else {
          log.info("in service", metadata: ["reason": "SIGUSR2"])
          if let service { service.announceStaying() } else { gateway.returnToService() }
        }
      }
      source.resume()
      sources.append(source)
    }
  }

  /// Gives the signals back.
  func cancel() { for source in sources { source.cancel() } }
}
