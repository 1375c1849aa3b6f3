// What is wrong with an estate: a stable code, the place, what was found, what is wanted, how to mend it. All faults
// of a file are told at once; an estate with an error is not used, one with warnings is.

/// A line and a column of a file, both from 1; (0, 0) where there is no file.
public struct EstatePlace: Sendable, Equatable, Comparable, Hashable {
  /// From 1.
  public var line: Int
  /// From 1, in characters.
  public var column: Int

  /// A place.
  public init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }

  /// Nowhere: the estate did not come from a file.
  public static let none = EstatePlace(line: 0, column: 0)

  /// Earlier in the file.
  public static func < (a: EstatePlace, b: EstatePlace) -> Bool {
    (a.line, a.column) < (b.line, b.column)
  }
}

/// See the head of this file.
public struct EstateFault: Sendable, Equatable, Error {
  /// How bad it is.
  public enum Severity: String, Sendable {
    /// The estate can't be used.
    case error
    /// It can, but more is lost with one thing than people may expect.
    case warning
  }

  /// Which kind of fault; never given another meaning.
  public var code: EstateFaultCode
  /// Where it stands.
  public var place: EstatePlace
  /// What was found.
  public var found: String
  /// What is wanted instead.
  public var wanted: String
  /// The nearest name that there is; nil: none is near.
  public var nearest: String?

  /// A fault.
  public init(
    _ code: EstateFaultCode, _ place: EstatePlace, found: String, wanted: String, nearest: String? = nil
  ) {
    self.code = code
    self.place = place
    self.found = found
    self.wanted = wanted
    self.nearest = nearest
  }

  /// An error, or a warning.
  public var severity: Severity { code.severity }

  /// How to mend it.
  public var remedy: String { nearest.map { "did you mean \"\($0)\"?" } ?? code.remedy }

  /// As compilers say it, in two lines; `file` is the name that people gave.
  public func text(file: String) -> String {
    let position = place == .none ? file : "\(file):\(place.line):\(place.column)"
    return "\(position): \(severity.rawValue) \(code.rawValue): \(found)\n  \(wanted); \(remedy)"
  }
}

/// The kinds of faults: K01.. text and values, K02.. names, K03.. what can't work, K04.. what fails together.
public enum EstateFaultCode: String, Sendable, CaseIterable {
  // Each is explained by its remedy; docs/ESTATE.md lists them.
  case notText = "K0101"
  case notYAML = "K0102"
  case tooMuch = "K0103"
  case keyTwice = "K0104"
  case unknownKey = "K0105"
  case wrongType = "K0106"
  case missingKey = "K0107"
  case badValue = "K0108"
  case secret = "K0109"
  case nameTwice = "K0201"
  case unknownZone = "K0202"
  case linkZone = "K0203"
  case unknownNode = "K0204"
  case unknownMarket = "K0205"
  case unknownNeed = "K0206"
  case needCycle = "K0207"
  case listedTwice = "K0208"
  case linkToItself = "K0301"
  case zoneApart = "K0302"
  case addressTwice = "K0303"
  case noPlant = "K0304"
  case plantOutOfReach = "K0305"
  case oneStream = "K0306"
  case budgetTooLarge = "K0307"
  case noBackend = "K0308"
  case noBackbone = "K0309"
  case nodesAtLocation = "K0310"
  case uselessKey = "K0311"
  case halfTLS = "K0312"
  case twoKeepers = "K0313"
  case zoneElsewhere = "K0314"
  case railsTogether = "K0401"
  case standbyAlone = "K0402"
  case carrierTogether = "K0403"
  case locationTogether = "K0404"
  case oneRail = "K0405"
  case railMissesSite = "K0406"
  case onePlant = "K0407"
  case nobodyAsked = "K0408"

  /// Whether the estate can be used all the same.
  public var severity: EstateFault.Severity { rawValue.hasPrefix("K04") ? .warning : .error }

  /// How such a fault is mended.
  public var remedy: String {
    switch self {
    case .notText: "save it as UTF-8, at most 1 MB"
    case .notYAML: "mend the text there; only the first such place is told, since what follows depends on it"
    case .tooMuch: "write values out where they are used, or put a text that begins with & * or ! in quotes"
    case .keyTwice: "keep one of them"
    case .unknownKey: "remove it, or see docs/ESTATE.md"
    case .wrongType: "change the value; quotes make a text of a number or a word such as yes"
    case .missingKey: "add it"
    case .badValue: "change the value"
    case .secret:
      "take it out and change it, since others may have read it; secrets belong into the credentials file"
    case .nameTwice: "give one of them another name"
    case .unknownZone, .linkZone, .unknownNode, .unknownMarket, .unknownNeed:
      "write a name that there is, or describe what is missing"
    case .needCycle: "remove one of these needs: none of them could ever start"
    case .listedTwice: "keep one of them"
    case .linkToItself: "name two zones, or remove it: within a zone no link is needed"
    case .zoneApart: "add a link to that zone"
    case .addressTwice: "give one of them another address or port"
    case .noPlant: "give a node the role plant for it, or remove the market"
    case .plantOutOfReach: "add a link, or a server of a rail that reaches both"
    case .oneStream: "add a second plant for the market, or set streams: 1"
    case .budgetTooLarge: "lower the budgets, or correct bandwidth_mbps"
    case .noBackend: "add backends: [\"http://HOST:PORT\"], or the role gateway"
    case .noBackbone: "add a backbone with a server, or put the roles on one node"
    case .nodesAtLocation: "move it to a zone of a datacenter or cloud"
    case .uselessKey: "remove it, or add the role"
    case .halfTLS: "give all of ca, certificate and key, or no tls"
    case .twoKeepers: "let one server of each rail keep streams: every rail keeps a copy"
    case .zoneElsewhere: "give the site kind: cloud, or add the region to aws.regions"
    case .railsTogether: "put the servers of one rail into another zone"
    case .standbyAlone: "make it active, or add the active link that it stands by for"
    case .carrierTogether: "let one of them be run by another carrier"
    case .locationTogether: "hand one of them over at another location"
    case .oneRail: "add the servers of a second rail"
    case .railMissesSite: "add a server of the rail there"
    case .onePlant: "add a second plant for it in another zone"
    case .nobodyAsked: "add credentials: FILE to the backbone"
    }
  }
}

/// How far two names are apart, for faults that offer the one that may be meant.
enum NameDistance {
  /// Levenshtein's distance, ASCII case aside; of long names only the beginning counts.
  static func between(_ name: String, _ known: String) -> Int {
    let (a, b) = (Array(name.lowercased().utf8.prefix(64)), Array(known.lowercased().utf8.prefix(64)))
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, y) in b.enumerated() {
        let above = row[j + 1]
        row[j + 1] = x == y ? diagonal : min(diagonal, above, row[j]) + 1
        diagonal = above
      }
    }
    return row[b.count]
  }

  /// The nearest of `known`, where one is near enough to be meant.
  static func nearest(to name: String, among known: [String]) -> String? {
    var best: (name: String, distance: Int)?
    for candidate in known {
      let distance = between(name, candidate)
      if distance < best?.distance ?? max(2, name.utf8.count / 3) + 1 { best = (candidate, distance) }
    }
    return best?.name
  }
}
