// How deep a run goes: KABUTO_FULL=1 takes all of what the default run only samples (`make test-full`).

import Foundation

enum Depth {
  static let isFull = ProcessInfo.processInfo.environment["KABUTO_FULL"] == "1"
}
