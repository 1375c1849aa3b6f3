// SIGHUP means two things: read everything anew, and that the terminal is gone.

import Dispatch
import FirewallProxy
import Foundation

enum HangUp {
  /// Calls `reload` for each SIGHUP while the returned source lives; where the process's own terminal has hung up, ends it
  /// as SIGTERM does.
  static func source(_ reload: @escaping @Sendable () -> Void) -> any DispatchSourceSignal {
    signal(SIGHUP, SIG_IGN)
    let hadTerminal = isatty(STDERR_FILENO) == 1
    let source = DispatchSource.makeSignalSource(signal: SIGHUP, queue: .global())
    source.setEventHandler {
      // Who started this by hand has left.
      if hadTerminal, isatty(STDERR_FILENO) == 0 {
        kill(getpid(), SIGTERM)
        return
      }
      reload()
    }
    source.resume()
    return source
  }

  /// The same for a firewall: its log is opened and its rules are read anew.
  static func source(of firewall: FirewallServer) -> any DispatchSourceSignal {
    source {
      firewall.reopenLog()
      // What went wrong is in the log of the process; the old rules stay.
      Task { try? await firewall.reload() }
    }
  }
}
