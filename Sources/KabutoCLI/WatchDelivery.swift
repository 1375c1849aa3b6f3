// Messages of a watch: sent while there are some, and once more at the end.

import Foundation
import Governance
import Synchronization

final class WatchDelivery: Sendable {
  private let delivery: NotificationDelivery
  private let isEnding = Mutex(false)

  /// How long what changed last is tried at the end, in seconds; then it waits in the history.
  private static let lastSeconds = 30

  init(_ delivery: NotificationDelivery) { self.delivery = delivery }

  /// Goes on until `end`; what came before that is sent.
  func run() async {
    var told: [String] = []
    while true {
      let isLast = isEnding.withLock { $0 }
      var faults: [String] = []
      do { faults = try await delivery.run().faults } catch { faults = ["\(error)"] }
      // What stays as it is is told once.
      for fault in faults where !told.contains(fault) { say("kabuto: \(fault)") }
      told = faults
      if isLast { return }
      for _ in 0..<20 where !isEnding.withLock({ $0 }) { try? await Task.sleep(for: .milliseconds(100)) }
    }
  }

  /// Lets `run` come to its end.
  /// - Parameter running: the task that runs it.
  func end(_ running: Task<Void, Never>) async {
    isEnding.withLock { $0 = true }
    let late = Task {
      do { try await Task.sleep(for: .seconds(Self.lastSeconds)) } catch { return }
      running.cancel()
    }
    await running.value
    late.cancel()
  }
}
