// Reading a feed address. All faults of an address are gathered; each says what was found, what is wanted, and
// which name is near.

import Foundation
import MarketData

extension FeedAddress {
  static let schemes = ["sim", "itch", "pcap", "mold", "soup"]

  /// Reads an address.
  /// - Throws: `FeedAddressError` with all faults.
  public init(_ text: String) throws(FeedAddressError) {
    var parser = FeedAddressParser()
    let address = parser.parse(text)
    guard parser.faults.isEmpty, let address else {
      throw FeedAddressError(address: FeedAddressParser.withoutPassword(text), faults: parser.faults)
    }
    self = address
  }
}

struct FeedAddressParser {
  var faults: [String] = []
  private var options: [(name: String, value: String)] = []

  private static let factNames = ["reference", "date", "market", "zone"]

  mutating func parse(_ text: String) -> FeedAddress? {
    guard let colon = text.firstIndex(of: ":") else {
      let near = Self.nearest(text, in: FeedAddress.schemes).map { "; did you mean \"\($0):\"?" }
      faults.append(
        "scheme: none found; wanted sim:, itch:FILE, pcap:FILE, mold:… or soup:…"
          + (near ?? "; a file of messages is itch:\(text)"))
      return nil
    }
    let scheme = String(text[..<colon])
    let rest = text[text.index(after: colon)...]
    let question = rest.firstIndex(of: "?")
    let body = question.map { rest[..<$0] } ?? rest
    let query = question.map { rest[rest.index(after: $0)...] } ?? ""
    switch scheme {
    case "sim": return simulator(body, query)
    case "itch": return files(body, query).map { .itch($0) }
    case "pcap": return files(body, query).map { .pcap($0) }
    case "mold": return mold(body, query)
    case "soup": return soup(body, query)
    default:
      faults.append(
        "scheme: \"\(scheme)\" found; wanted one of \(FeedAddress.schemes.joined(separator: ", "))"
          + Self.hint(scheme, in: FeedAddress.schemes))
      return nil
    }
  }

  // MARK: - Sources

  private mutating func simulator(_ body: Substring, _ query: Substring) -> FeedAddress? {
    let names = ["seed", "instruments", "speed"]
    readOptions(body, known: names)
    readOptions(query, known: names)
    var simulator = FeedAddress.Simulator()
    if let seed = number("seed", in: 0...UInt64.max) { simulator.seed = seed }
    if let count = number("instruments", in: 1...65_535) { simulator.instruments = Int(count) }
    if let speed = speed() { simulator.speed = speed }
    return .simulator(simulator)
  }

  private mutating func files(_ body: Substring, _ query: Substring) -> FeedAddress.Files? {
    readOptions(query, known: ["speed"] + Self.factNames)
    var paths: [String] = []
    for (index, part) in body.split(separator: ",", omittingEmptySubsequences: false).enumerated() {
      if part.isEmpty {
        faults.append("file \(index + 1): nothing found; wanted a path")
      } else if let path = decoded(part, place: "file \(index + 1)") {
        paths.append(path)
      }
    }
    var files = FeedAddress.Files(paths: paths)
    if let speed = speed() { files.speed = speed }
    files.facts = facts()
    return files
  }

  private mutating func mold(_ body: Substring, _ query: Substring) -> FeedAddress? {
    readOptions(query, known: ["request", "interface", "heartbeat", "wait", "requests"] + Self.factNames)
    let parts = body.split(separator: ",", omittingEmptySubsequences: false)
    if parts.count > 2 {
      faults.append("lines: \(parts.count) found; wanted line A, or line A and line B")
    }
    var lines: [FeedEndpoint] = []
    for (part, name) in zip(parts, ["line A", "line B"]) {
      if let line = endpoint(part, place: name, wanted: "GROUP:PORT") { lines.append(line) }
    }
    var mold = FeedAddress.Mold(lines: lines)
    if let request = value("request") {
      mold.request = endpoint(Substring(request), place: "option request", wanted: "HOST:PORT")
    }
    mold.interface = text("interface", limit: 255)
    if let value = number("heartbeat", in: 10...60_000) { mold.heartbeatMilliseconds = value }
    if let value = number("wait", in: 10...60_000) { mold.waitMilliseconds = value }
    if let value = number("requests", in: 1...1_000_000) { mold.requestsPerSecond = Int(value) }
    mold.facts = facts()
    return .mold(mold)
  }

  private mutating func soup(_ body: Substring, _ query: Substring) -> FeedAddress? {
    readOptions(query, known: ["user", "password", "session", "sequence", "heartbeat"] + Self.factNames)
    let server = endpoint(body, place: "server", wanted: "HOST:PORT")
    let user = field("user", limit: 6)
    let password = field("password", limit: 10)
    let session = field("session", limit: 10)
    let sequence = number("sequence", in: 0...UInt64.max)
    let heartbeat = number("heartbeat", in: 10...60_000)
    let facts = facts()
    guard let server else { return nil }
    var soup = FeedAddress.Soup(server: server)
    soup.user = user
    soup.password = password
    soup.session = session
    soup.sequence = sequence
    if let heartbeat { soup.heartbeatMilliseconds = heartbeat }
    soup.facts = facts
    return .soup(soup)
  }

  // MARK: - Options

  private mutating func readOptions(_ query: Substring, known: [String]) {
    guard !query.isEmpty else { return }
    for part in query.split(separator: "&", omittingEmptySubsequences: false) {
      guard let equals = part.firstIndex(of: "="), equals > part.startIndex else {
        faults.append("option \"\(Self.shortened(part))\": wanted NAME=VALUE, names: \(Self.list(known))")
        continue
      }
      let name = String(part[..<equals])
      guard known.contains(name) else {
        faults.append("option \"\(name)\": unknown; names: \(Self.list(known))" + Self.hint(name, in: known))
        continue
      }
      guard !options.contains(where: { $0.name == name }) else {
        faults.append("option \(name): stands there twice; remove one")
        continue
      }
      guard let value = decoded(part[part.index(after: equals)...], place: "option \(name)") else {
        continue
      }
      options.append((name, value))
    }
  }

  private func value(_ name: String) -> String? { options.first { $0.name == name }?.value }

  private mutating func number(_ name: String, in range: ClosedRange<UInt64>) -> UInt64? {
    guard let text = value(name) else { return nil }
    let isPlain = !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    guard isPlain, let number = UInt64(text), range.contains(number) else {
      faults.append(
        "option \(name): \"\(text)\" found; wanted a whole number from \(range.lowerBound)"
          + " to \(range.upperBound)")
      return nil
    }
    return number
  }

  private mutating func speed() -> FeedSpeed? {
    guard let text = value("speed") else { return nil }
    if let speed = FeedSpeed(text) { return speed }
    faults.append(
      "option speed: \"\(text)\" found; wanted max or a number from 0.001 to 1000000 (1 = as it happened)")
    return nil
  }

  private mutating func text(_ name: String, limit: Int) -> String? {
    guard let text = value(name) else { return nil }
    guard !text.isEmpty, text.utf8.count <= limit else {
      faults.append("option \(name): \(text.utf8.count) characters found; wanted 1 to \(limit)")
      return nil
    }
    return text
  }

  /// A text as SoupBinTCP's fields can say it. What was found isn't repeated: it may be a password.
  private mutating func field(_ name: String, limit: Int) -> String? {
    guard let text = text(name, limit: limit) else { return nil }
    let isSayable =
      text.utf8.allSatisfy { (0x20...0x7e).contains($0) } && text.first != " " && text.last != " "
    guard isSayable else {
      faults.append("option \(name): wanted printable ASCII characters without spaces around them")
      return nil
    }
    return text
  }

  private mutating func facts() -> FeedFacts {
    var facts = FeedFacts()
    if let path = value("reference") {
      if path.isEmpty { faults.append("option reference: nothing found; wanted a path") }
      facts.reference = path
    }
    if let text = value("date") {
      facts.date = CalendarDate(text)
      if facts.date == nil {
        faults.append("option date: \"\(text)\" found; wanted a day that exists, as YYYY-MM-DD")
      }
    }
    if let text = value("market") {
      facts.market = text
      let isCode =
        text.utf8.count == 4
        && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) }
      if !isCode {
        faults.append(
          "option market: \"\(text)\" found; wanted a market identifier code of four capitals, such as XTKS")
      }
    }
    if let text = value("zone") {
      facts.zone = text
      if TradingDayResolver.zone(named: text) == nil {
        let near = Self.hint(text, in: TimeZone.knownTimeZoneIdentifiers)
        faults.append("option zone: \"\(text)\" found; wanted a name such as Asia/Tokyo" + near)
      }
    }
    return facts
  }

  // MARK: - Parts

  private mutating func endpoint(_ text: Substring, place: String, wanted: String) -> FeedEndpoint? {
    guard let colon = text.lastIndex(of: ":"), colon > text.startIndex else {
      faults.append("\(place): \"\(text)\" found; wanted \(wanted)")
      return nil
    }
    var host = text[..<colon]
    let port = text[text.index(after: colon)...]
    let isBracketed = host.first == "[" && host.last == "]" && host.count > 2
    if isBracketed { host = host.dropFirst().dropLast() }
    var isGood = true
    if host.contains(where: { $0 == ":" && !isBracketed || "[]/ ".contains($0) }) {
      faults.append("\(place): host \"\(host)\" found; wanted a name or an address (IPv6 in brackets)")
      isGood = false
    }
    guard port.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt16(port), number > 0 else {
      faults.append("\(place): port \"\(port)\" found; wanted a number from 1 to 65535")
      return nil
    }
    return isGood ? FeedEndpoint(host: String(host), port: number) : nil
  }

  private mutating func decoded(_ text: some StringProtocol, place: String) -> String? {
    if let decoded = String(text).removingPercentEncoding, !decoded.utf8.contains(0) { return decoded }
    faults.append(
      "\(place): \"\(Self.shortened(text))\" found; wanted % followed by two hexadecimal digits (a % itself is %25)"
    )
    return nil
  }

  // MARK: - Words

  private static func list(_ names: [String]) -> String { names.joined(separator: ", ") }

  private static func shortened(_ text: some StringProtocol) -> String {
    text.count > 60 ? String(text.prefix(60)) + "…" : String(text)
  }

  private static func hint(_ word: String, in names: [String]) -> String {
    nearest(word, in: names).map { "; did you mean \"\($0)\"?" } ?? ""
  }

  /// The name that needs the fewest changes, at most a third of its letters (and at least two).
  static func nearest(_ word: String, in names: [String]) -> String? {
    guard word.utf8.count <= 64 else { return nil }
    let scored = names.map { (name: $0, distance: distance(word.lowercased(), $0.lowercased())) }
    guard let best = scored.min(by: { $0.distance < $1.distance }) else { return nil }
    return best.distance <= max(2, best.name.utf8.count / 3) ? best.name : nil
  }

  private static func distance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a.utf8), Array(b.utf8))
    var row = Array(0...b.count)
    for i in a.indices {
      var diagonal = row[0]
      row[0] = i + 1
      for j in b.indices {
        let change = diagonal + (a[i] == b[j] ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(change, row[j] + 1, row[j + 1] + 1)
      }
    }
    return row[b.count]
  }

  /// The address with its password replaced, for people's eyes and logs.
  static func withoutPassword(_ text: String) -> String {
    guard let start = text.range(of: "password=") else { return text }
    let end = text[start.upperBound...].firstIndex(of: "&") ?? text.endIndex
    return text.replacingCharacters(in: start.upperBound..<end, with: "…")
  }
}
