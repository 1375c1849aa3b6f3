// Passwords of nodes, of the operator and of each rail's servers: a file of its own, never part of the estate.

/// See the head of this file.
public struct EstateCredentials: Sendable, Equatable {
  /// By name: nodes by theirs, `operator`, and `rail/NAME` for the servers of a rail.
  public var passwords: [String: String] = [:]

  /// The name of the one who commands nodes.
  public static let operatorName = "operator"

  /// The name of the servers of a rail among themselves.
  public static func railName(_ rail: String) -> String { "rail/\(rail)" }

  /// Nobody's passwords.
  public init() {}

  /// Names that an estate wants passwords for.
  public static func names(of estate: Estate) -> [String] {
    estate.nodes.map(\.name) + [operatorName] + estate.rails.map(railName)
  }

  /// Reads lines `NAME PASSWORD`; empty lines and those that begin with # are passed over. Faults don't repeat
  /// passwords.
  public static func read(_ text: String, for estate: Estate) -> (
    credentials: EstateCredentials, faults: [EstateFault]
  ) {
    var credentials = EstateCredentials()
    var faults: [EstateFault] = []
    let known = names(of: estate)
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let words = line.split { $0 == " " || $0 == "\t" || $0 == "\r" }
      guard let name = words.first.map(String.init), !name.hasPrefix("#") else { continue }
      let place = EstatePlace(line: number + 1, column: 1)
      guard known.contains(name) else {
        faults.append(
          EstateFault(
            .unknownNode, place, found: "\"\(ShapeReader.shortened(name))\" is no node of the estate",
            wanted: "names: \(Checking.shown(known))", nearest: NameDistance.nearest(to: name, among: known)))
        continue
      }
      guard words.count == 2, words[1].utf8.count >= 8, words[1].utf8.allSatisfy({ (33...126).contains($0) })
      else {
        faults.append(
          EstateFault(
            .badValue, place, found: "no usable password for \"\(name)\"",
            wanted:
              "wanted NAME PASSWORD, the password of at least 8 printable ASCII characters without spaces"))
        continue
      }
      if credentials.passwords.updateValue(String(words[1]), forKey: name) != nil {
        faults.append(
          EstateFault(.nameTwice, place, found: "\"\(name)\" has two passwords", wanted: "each name once"))
      }
    }
    for name in known where credentials.passwords[name] == nil {
      if faults.contains(where: { $0.code == .badValue && $0.found.contains("\"\(name)\"") }) { continue }
      faults.append(
        EstateFault(
          .missingKey, .none, found: "no password for \"\(name)\"", wanted: "a line `\(name) PASSWORD`"))
    }
    return (credentials, faults)
  }
}
