// The firewall of `kabuto serve`: which rules, loaded while the rest starts; kept, completed and exchanged while it runs.

import Dispatch
import Firewall
import FirewallProxy
import Foundation
import Gateway
import Logging
import Synchronization

/// What `serve` was told of its firewall.
struct FirewallOptions: Sendable {
  enum Mode: Sendable, Equatable {
    /// `block` where rules are found, else off.
    case automatic
    case off
    case screening(FirewallMode)

    init?(_ text: String) {
      if text == "off" {
        self = .off
      } else if let mode = FirewallMode(rawValue: text) {
        self = .screening(mode)
      } else {
        return nil
      }
    }
  }
  var mode = Mode.automatic
  /// Files and folders; none: the installed rule set after settings of our own.
  var rules: [String] = []
  /// The log; nil: in the data folder, where there is one.
  var log: String?
}

/// One life of the firewall.
final class ServeFirewall: Sendable {
  /// Where Debian's modsecurity-crs puts its parts, in the order they are read.
  static let installedRules = [
    "/etc/modsecurity/crs/crs-setup.conf",
    "/etc/modsecurity/crs/REQUEST-900-EXCLUSION-RULES-BEFORE-CRS.conf",
    "/usr/share/modsecurity-crs/rules",
    "/etc/modsecurity/crs/RESPONSE-999-EXCLUSION-RULES-AFTER-CRS.conf",
  ]
  private static let rulesFolder = "/usr/share/modsecurity-crs/rules"

  let mode: FirewallMode
  let files: RuleFiles
  private let rulesText: String
  private let log: Logger

  /// - Returns: nil where there is to be none; why, is in the log.
  /// - Throws: where rules are wanted and there are none.
  static func wanted(_ options: FirewallOptions, data: String?, log: Logger) throws(FirewallError)
    -> ServeFirewall?
  {
    var mode = FirewallMode.block
    switch options.mode {
    case .off:
      log.info("firewall off")
      return nil
    case .screening(let wanted): mode = wanted
    case .automatic: break
    }
    let cache = PolicyLoader.defaultCacheFolder ?? data.map { $0 + "/patterns" }
    if !options.rules.isEmpty {
      return ServeFirewall(
        mode: mode, loader: PolicyLoader(paths: options.rules, cacheFolder: cache),
        rulesText: options.rules.joined(separator: ", "), log: log)
    }
    let found = installedRules.filter { FileManager.default.fileExists(atPath: $0) }
    guard found.contains(rulesFolder) else {
      let remedy =
        "install the Core Rule Set (apt-get install modsecurity-crs) or give --firewall-rules FILE|DIR…"
      if options.mode == .automatic {
        log.warning("firewall off: no rules are installed; \(remedy)")
        return nil
      }
      throw FirewallError("--firewall \(mode.rawValue): no rules are installed; \(remedy)")
    }
    var loader = PolicyLoader(paths: found, cacheFolder: cache)
    loader.preamble = RecommendedSettings.text
    return ServeFirewall(
      mode: mode, loader: loader, rulesText: "OWASP Core Rule Set of this system", log: log)
  }

  private init(mode: FirewallMode, loader: PolicyLoader, rulesText: String, log: Logger) {
    self.mode = mode
    self.rulesText = rulesText
    self.log = log
    files = RuleFiles(loader, isQuiet: true)
  }

  /// Begins to load the rules on a thread of its own.
  func load() -> Task<Policy, any Error> {
    let files = files
    return Task.detached {
      try await withCheckedThrowingContinuation { continuation in
        DispatchQueue.global(qos: .userInitiated).async {
          continuation.resume(with: Result { try files.policy() })
        }
      }
    }
  }

  /// With its first policy.
  func start(_ policy: Policy, logFile: String?) throws(FirewallError) -> EmbeddedFirewall {
    var settings = EmbeddedSettings()
    settings.mode = mode
    settings.logFile = logFile
    let files = files
    let firewall = try EmbeddedFirewall(
      settings: settings, policy: policy, logger: log, loadPolicy: { try Self.quietly { try files.policy() } }
    )
    log.info(
      "firewall",
      metadata: [
        "mode": "\(mode.rawValue)", "rules": "\(rulesText)", "count": "\(policy.statistics.rules)",
        "log": "\(logFile ?? "none: give --firewall-log FILE")",
      ])
    switch policy.engine {
    case .on: break
    case .detectionOnly where mode != .block: break
    case .detectionOnly: log.warning("firewall: the rules say SecRuleEngine DetectionOnly: nothing is denied")
    case .off: log.warning("firewall: the rules don't say SecRuleEngine On: nothing is inspected")
    }
    return firewall
  }

  /// On a thread whose turn comes after that of prices; building pattern databases takes seconds.
  private static func quietly(_ load: @escaping @Sendable () throws -> Policy) throws -> Policy {
    let result = Mutex<Result<Policy, any Error>?>(nil)
    let done = DispatchSemaphore(value: 0)
    let thread = Thread {
      // Of this thread alone.
      setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
      let loaded = Result { try load() }
      result.withLock { $0 = loaded }
      done.signal()
    }
    thread.stackSize = 8 << 20
    thread.start()
    done.wait()
    return try result.withLock { $0 }.map { try $0.get() } ?? load()
  }

  /// Builds what the first, quick load left out.
  func complete(_ firewall: EmbeddedFirewall) {
    guard files.isIncomplete else { return }
    log.info("firewall: building pattern databases; until they are there, patterns are looked for one by one")
    Task { try? await firewall.reload() }
  }

  /// SIGHUP: rules and log file anew.
  func onHangUp(_ firewall: EmbeddedFirewall) -> any DispatchSourceSignal {
    HangUp.source {
      firewall.reopenLog()
      // What went wrong is in the log of the process; the old rules stay.
      Task { try? await firewall.reload() }
    }
  }
}
