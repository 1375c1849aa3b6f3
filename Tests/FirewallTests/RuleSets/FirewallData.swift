// Where rule sets, their tests and harmless requests lie: $KABUTO_TESTDATA/firewall (or its neighbour, where the
// variable names the market data), or ../shared/firewall from the package's root. They may be used for tests but aren't
// part of the package: tests that need them are skipped by name where they aren't there.

import Foundation
import Testing

enum FirewallData {
  static let folder: String = {
    let here = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
    let root = (0..<4).reduce(here) { url, _ in url.deletingLastPathComponent() }
    var places = [root.deletingLastPathComponent().appendingPathComponent("shared/firewall").path]
    if let given = ProcessInfo.processInfo.environment["KABUTO_TESTDATA"], !given.isEmpty {
      places = [given + "/firewall", given + "/../firewall"] + places
    }
    return places.first { FileManager.default.fileExists(atPath: $0) } ?? places[0]
  }()

  static let isThere = FileManager.default.fileExists(atPath: folder + "/crs-3.3/rules")
  static let missing: Comment = "no rule sets at ../shared/firewall or $KABUTO_TESTDATA/firewall"

  /// Debian's package modsecurity-crs.
  static let debianRules = "/usr/share/modsecurity-crs/rules"
  static let hasDebianRules = FileManager.default.fileExists(atPath: debianRules)

  static func bytes(_ path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: path.hasPrefix("/") ? path : folder + "/" + path)))
  }

  /// The files below a folder of the data, by name.
  static func files(in name: String, ending suffix: String) -> [String] {
    let top = name.hasPrefix("/") ? name : folder + "/" + name
    let all = FileManager.default.enumerator(atPath: top)?.compactMap { $0 as? String } ?? []
    return all.filter { $0.hasSuffix(suffix) }.map { top + "/" + $0 }
      .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// `crs-setup.conf.example` and all rules of a rule set of ours.
  static func ruleFiles(_ name: String) -> [String] {
    [folder + "/\(name)/crs-setup.conf.example"] + files(in: name + "/rules", ending: ".conf")
  }
}
