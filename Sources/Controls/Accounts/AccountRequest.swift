// Who asks for which account: a record of its own for each account. Pure: text in, text out; the hash that protects what was
// approved is made by whoever keeps the records.

import GuardRules

/// A person.
public struct Person: Sendable, Equatable {
  /// As people call them.
  public let name: String
  /// Where they are reached; it tells people apart.
  public let mail: String

  /// A person.
  public init(name: String, mail: String) { (self.name, self.mail) = (name, mail) }

  /// `Name <mail>`.
  public var text: String { "\(name) <\(mail)>" }

  /// Whether it is the same person, however the address is spelled.
  public func isSame(as other: Person) -> Bool { PersonName.isSame(mail, other.mail) }
}

/// A record of a request.
public struct AccountRequest: Sendable, Equatable {
  /// Its name, and its file's.
  public var id: String
  /// The account's number, twelve digits.
  public var account: String
  /// What the account is called.
  public var name: String
  /// `gatekeeper` or `guardrail`; empty = it isn't said.
  public var environment: String
  /// What for; empty = it isn't said.
  public var purpose: String
  /// Of the data that will be there; empty = it isn't said.
  public var dataClass: String
  /// Who asks.
  public var requester: Person
  /// Who answers for the account.
  public var owner: Person
  /// The certificate that the owner holds; nil = none is said.
  public var certificate: Certificate?
  /// Whom bills go to.
  public var billing: Person?
  /// Who watches the budget.
  public var budget: Person?
  /// Where the root user's credentials are.
  public var custody: Custody?
  /// Seconds since 1970 UTC; nil = it wasn't filed yet.
  public var requestedAt: Int64?
  /// Nil = nobody approved it.
  public var approval: Approval?

  /// A certificate of a person.
  public struct Certificate: Sendable, Equatable {
    /// Its name.
    public let name: String
    /// The last day on which it is valid.
    public let validUntil: CalendarDay
  }

  /// Root's credentials.
  public struct Custody: Sendable, Equatable {
    /// The place.
    public let place: String
    /// Who keeps them.
    public let keeper: Person
    /// `hardware`, `virtual`, `none`.
    public let factor: String
  }

  /// That somebody approved it.
  public struct Approval: Sendable, Equatable {
    /// Who.
    public let by: Person
    /// Seconds since 1970 UTC.
    public let at: Int64
    /// The conditions that were met: their name and version.
    public let conditions: String
    /// The hash of what was approved, `sha256:…`.
    public let hash: String

    /// An approval.
    public init(by: Person, at: Int64, conditions: String, hash: String) {
      (self.by, self.at, self.conditions, self.hash) = (by, at, conditions, hash)
    }
  }
}

extension AccountRequest {
  /// Kinds of environments.
  public static let environments = ["gatekeeper", "guardrail"]
  /// Kinds of second factors.
  public static let factors = ["hardware", "virtual", "none"]

  /// A form to fill in.
  public static let form = """
    id: payments-production                 # letters, digits, - and _; the record's file is called so
    account: "111122223333"
    name: payments production
    environment: guardrail                  # or gatekeeper
    purpose: Card payments of the shop, production.
    data-class: confidential
    requester: {name: , mail: }
    owner:
      name:
      mail:
      certificate: {name: cloud-owner, valid-until: 2027-03-31}
    billing-contact: {name: , mail: }
    budget-contact: {name: , mail: }
    root-custody:
      place: safe 3, Tokyo
      keeper: {name: , mail: }
      mfa: hardware                         # virtual, none

    """

  /// Reads a record.
  /// - Throws: `DocumentFaults`, all of them.
  public init(_ text: String) throws(DocumentFaults) {
    self = try RecordReader.reading(text, Self.read)
  }

  private static func read(_ document: RecordReader) -> AccountRequest? {
    document.only(
      "id", "account", "name", "environment", "purpose", "data-class", "requester", "owner",
      "billing-contact",
      "budget-contact", "root-custody", "requested-at", "approval")
    let id = document.text("id", isRequired: true, wanted: "letters, digits, - and _")
    if let id, !isName(id) { document.wrong("id", id, wanted: "1 to 64 letters, digits, - and _") }
    let account = document.text("account", isRequired: true, wanted: "twelve digits, in quotes")
    if let account, account.utf8.count != 12 || !account.utf8.allSatisfy({ (48...57).contains($0) }) {
      document.wrong("account", account, wanted: "twelve digits, in quotes")
    }
    let name = document.text("name", isRequired: true)
    let environment = document.choice("environment", of: environments) ?? ""
    let purpose = document.text("purpose") ?? ""
    let dataClass = document.text("data-class") ?? ""
    let requester = document.section("requester", isRequired: true).flatMap { person($0) }
    let holder = document.section("owner", isRequired: true)
    let owner = holder.flatMap { person($0, "certificate") }
    let certificate = holder?.section("certificate").flatMap { (section) -> Certificate? in
      section.only("name", "valid-until")
      guard let name = section.text("name", isRequired: true),
        let day = section.day("valid-until", isRequired: true)
      else { return nil }
      return Certificate(name: name, validUntil: day)
    }
    let billing = document.section("billing-contact").flatMap { person($0) }
    let budget = document.section("budget-contact").flatMap { person($0) }
    let custody = document.section("root-custody").flatMap { (section) -> Custody? in
      section.only("place", "keeper", "mfa")
      let place = section.text("place", isRequired: true)
      let keeper = section.section("keeper", isRequired: true).flatMap { person($0) }
      let factor = section.choice("mfa", of: factors, isRequired: true)
      guard let place, let keeper, let factor else { return nil }
      return Custody(place: place, keeper: keeper, factor: factor)
    }
    let requestedAt = time(document, "requested-at")
    let approval = document.section("approval").flatMap { (section) -> Approval? in
      section.only("by", "at", "conditions", "hash")
      let by = section.section("by", isRequired: true).flatMap { person($0) }
      if !section.has("at") { section.missing("at", wanted: "a time") }
      let at = time(section, "at")
      let conditions = section.text("conditions", isRequired: true)
      let hash = section.text("hash", isRequired: true)
      guard let by, let at, let conditions, let hash else { return nil }
      return Approval(by: by, at: at, conditions: conditions, hash: hash)
    }
    guard let id, let account, let name, let requester, let owner else { return nil }
    return AccountRequest(
      id: id, account: account, name: name, environment: environment, purpose: purpose, dataClass: dataClass,
      requester: requester, owner: owner, certificate: certificate, billing: billing, budget: budget,
      custody: custody, requestedAt: requestedAt, approval: approval)
  }

  /// Whether a text may be a record's name: it becomes a file's.
  public static func isName(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
      && text.utf8.allSatisfy {
        (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 45 || $0 == 95
      }
  }

  private static func person(_ section: RecordReader, _ more: String...) -> Person? {
    // The owner's section has its certificate beside the person.
    if more.isEmpty { section.only("name", "mail") } else { section.only("name", "mail", more[0]) }
    let name = section.text("name", isRequired: true, wanted: "a person's name")
    let mail = section.text("mail", isRequired: true, wanted: "an address of mail")
    if let name, !PersonName.isSomebody(name) {
      section.wrong("name", "a name that can't be seen", wanted: "a name with letters or digits")
    }
    if let mail, !isAddress(mail) { section.wrong("mail", mail, wanted: "an address of mail") }
    guard let name, let mail else { return nil }
    return Person(name: name, mail: mail)
  }

  /// Whether a text may be an address: something, one @, a domain with a dot.
  public static func isAddress(_ text: String) -> Bool {
    let halves = text.split(separator: "@", omittingEmptySubsequences: false)
    return halves.count == 2 && !halves[0].isEmpty && halves[1].contains(".") && !halves[1].hasPrefix(".")
      && !halves[1].hasSuffix(".") && !text.contains(where: \.isWhitespace)
      && halves.allSatisfy { PersonName.isSomebody(String($0)) }
  }

  private static func time(_ section: RecordReader, _ name: String) -> Int64? {
    guard let text = section.text(name, wanted: "a time, YYYY-MM-DDThh:mm:ssZ") else { return nil }
    if let time = RecordTime.seconds(text) { return time }
    section.wrong(name, text, wanted: "a time, YYYY-MM-DDThh:mm:ssZ")
    return nil
  }

  // MARK: - Writing

  /// What an approval is about: all but the approval itself, always written in the same way.
  public var approvedText: String {
    var request = self
    request.approval = nil
    return CanonicalJSON.text(request.value)
  }

  /// The record as YAML.
  public var text: String {
    var out = ""
    Self.write(value, indent: 0, &out)
    return out
  }

  private var value: Value {
    func text(_ text: String) -> Value { Value(.string(text)) }
    func map(_ members: [(String, Value)]) -> Value {
      Value(.map(Members(members.map { (name: $0.0, value: $0.1) })))
    }
    func person(_ person: Person) -> [(String, Value)] {
      [("name", text(person.name)), ("mail", text(person.mail))]
    }
    var ofOwner = person(owner)
    if let certificate {
      ofOwner.append(
        (
          "certificate",
          map([("name", text(certificate.name)), ("valid-until", text(certificate.validUntil.description))])
        ))
    }
    var all: [(String, Value)] = [("id", text(id)), ("account", text(account)), ("name", text(name))]
    for (name, said) in [("environment", environment), ("purpose", purpose), ("data-class", dataClass)]
    where !said.isEmpty {
      all.append((name, text(said)))
    }
    all += [("requester", map(person(requester))), ("owner", map(ofOwner))]
    if let billing { all.append(("billing-contact", map(person(billing)))) }
    if let budget { all.append(("budget-contact", map(person(budget)))) }
    if let custody {
      all.append(
        (
          "root-custody",
          map([
            ("place", text(custody.place)), ("keeper", map(person(custody.keeper))),
            ("mfa", text(custody.factor)),
          ])
        ))
    }
    if let requestedAt { all.append(("requested-at", text(RecordTime.text(requestedAt)))) }
    if let approval {
      all.append(
        (
          "approval",
          map([
            ("by", map(person(approval.by))), ("at", text(RecordTime.text(approval.at))),
            ("conditions", text(approval.conditions)), ("hash", text(approval.hash)),
          ])
        ))
    }
    return map(all)
  }

  private static func write(_ value: Value, indent: Int, _ out: inout String) {
    guard case .map(let members) = value.content else { return }
    let blanks = String(repeating: " ", count: indent)
    for member in members.all {
      if case .string(let text) = member.value.content {
        out += "\(blanks)\(member.name): \(CanonicalJSON.quoted(text))\n"
      } else {
        out += "\(blanks)\(member.name):\n"
        write(member.value, indent: indent + 2, &out)
      }
    }
  }
}

/// Times of records: RFC 3339 in UTC, whole seconds.
public enum RecordTime {
  /// `2026-01-02T03:04:05Z`.
  public static func text(_ seconds: Int64) -> String {
    let ofDay = (seconds % 86_400 + 86_400) % 86_400
    func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return
      "\(CalendarDay(of: seconds))T\(two(ofDay / 3_600)):\(two(ofDay / 60 % 60)):\(two(ofDay % 60))Z"
  }

  /// The seconds since 1970 UTC of such a text; nil = it is none.
  public static func seconds(_ text: String) -> Int64? {
    let bytes = Array(text.utf8)
    guard bytes.count == 20, bytes[10] == UInt8(ascii: "T"), bytes[13] == UInt8(ascii: ":"),
      bytes[16] == UInt8(ascii: ":"), bytes[19] == UInt8(ascii: "Z"),
      let day = CalendarDay(String(decoding: bytes[..<10], as: UTF8.self))
    else { return nil }
    var parts: [Int64] = []
    for start in [11, 14, 17] {
      guard (48...57).contains(bytes[start]), (48...57).contains(bytes[start + 1]) else { return nil }
      parts.append(Int64(bytes[start] - 48) * 10 + Int64(bytes[start + 1] - 48))
    }
    guard parts[0] < 24, parts[1] < 60, parts[2] < 60 else { return nil }
    return Int64(day.number) * 86_400 + parts[0] * 3_600 + parts[1] * 60 + parts[2]
  }
}
