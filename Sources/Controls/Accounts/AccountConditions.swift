// What a company demands before an account is given: a document. A condition that can't be told to be met isn't met.

/// See the head of this file.
public struct AccountConditions: Sendable, Equatable {
  /// Their name.
  public var name: String
  /// Their version.
  public var version: Int
  /// Names of certificates of which the owner needs one; nil = none is needed.
  public var certificates: [String]?
  /// Days for which it must still be valid.
  public var certificateDays: Int
  /// Whether there must be somebody for bills.
  public var wantsBilling: Bool
  /// Whether there must be somebody for the budget.
  public var wantsBudget: Bool
  /// Second factors of root of which one is needed; nil = custody isn't asked for.
  public var rootFactors: [String]?
  /// Letters that a purpose has at least.
  public var purposeLength: Int
  /// Kinds of environments.
  public var environments: [String]
  /// Classes of data; nil = any.
  public var dataClasses: [String]?
  /// Domains that all addresses are of; nil = any.
  public var domains: [String]?
  /// Addresses of those who may approve; nil = anybody.
  public var approvers: [String]?
  /// Whether the owner may approve.
  public var ownerMayApprove: Bool

  /// `accounts/1`.
  public var text: String { "\(name)/\(version)" }

  /// Reads a document.
  /// - Throws: `DocumentFaults`, all of them.
  public init(_ text: String) throws(DocumentFaults) {
    self = try RecordReader.reading(text) { AccountConditions($0) }
  }

  private init(_ document: RecordReader) {
    document.only(
      "conditions", "version", "owner-certificate", "billing-contact", "budget-contact", "root-custody",
      "purpose",
      "environments", "data-classes", "mail-domains", "approver")
    name = document.text("conditions", isRequired: true, wanted: "their name") ?? ""
    version = document.number("version", 1...1_000_000) ?? 1
    let certificate = document.section("owner-certificate")
    certificate?.only("one-of", "valid-days")
    certificates = certificate?.texts("one-of")
    if let certificate, !certificate.has("one-of") {
      certificate.missing("one-of", wanted: "a list of certificates' names")
    }
    certificateDays = certificate?.number("valid-days", 0...3_650) ?? 0
    wantsBilling = document.flag("billing-contact") ?? false
    wantsBudget = document.flag("budget-contact") ?? false
    let custody = document.section("root-custody")
    custody?.only("mfa")
    rootFactors = custody?.texts("mfa") ?? (custody == nil ? nil : ["hardware", "virtual"])
    for factor in rootFactors ?? [] where !AccountRequest.factors.contains(factor) {
      custody?.wrong("mfa", factor, wanted: AccountRequest.factors.joined(separator: ", "))
    }
    let purpose = document.section("purpose")
    purpose?.only("minimum-length")
    purposeLength = purpose?.number("minimum-length", 1...10_000) ?? 1
    environments = document.texts("environments") ?? AccountRequest.environments
    for kind in environments where !AccountRequest.environments.contains(kind) {
      document.wrong("environments", kind, wanted: AccountRequest.environments.joined(separator: ", "))
    }
    dataClasses = document.texts("data-classes")
    domains = document.texts("mail-domains")
    let approver = document.section("approver")
    approver?.only("one-of", "may-be-owner")
    approvers = approver?.texts("one-of")
    ownerMayApprove = approver?.flag("may-be-owner") ?? true
  }

  /// Those that are there without any file.
  public static let standardText = """
    # What is demanded before an account is given.
    conditions: accounts
    version: 1
    owner-certificate:
      one-of: [cloud-owner]
      valid-days: 30                        # for so long it must still be valid
    billing-contact: true
    budget-contact: true
    root-custody:
      mfa: [hardware, virtual]
    purpose:
      minimum-length: 20
    environments: [gatekeeper, guardrail]
    data-classes: [public, internal, confidential, strictly-confidential]
    # mail-domains: [example.co.jp]
    approver:                               # never who asks
      may-be-owner: false
      # one-of: [governance@example.co.jp]

    """
}

/// A condition that isn't met.
public struct UnmetCondition: Sendable, Equatable, Encodable {
  /// Which one: its name in the document.
  public let condition: String
  /// What was found.
  public let found: String
  /// What was wanted.
  public let wanted: String
  /// For people.
  public let text: Bilingual

  init(_ condition: String, found: Bilingual, wanted: Bilingual) {
    (self.condition, self.found, self.wanted) = (condition, found.en, wanted.en)
    text = Bilingual(
      "\(condition): found \(found.en); wanted \(wanted.en)",
      "\(condition): 実際 \(found.ja)、必要 \(wanted.ja)")
  }

  enum CodingKeys: String, CodingKey { case condition, found, wanted }
}

extension AccountConditions {
  /// Conditions that a request doesn't meet on a day, in the order of the document.
  /// - Parameter approver: who approves, or approved; nil = nobody yet, and it isn't asked who.
  public func unmet(_ request: AccountRequest, on today: CalendarDay, approver: Person?) -> [UnmetCondition] {
    var out: [UnmetCondition] = []
    func tell(_ condition: String, _ found: Bilingual, _ wanted: Bilingual) {
      out.append(UnmetCondition(condition, found: found, wanted: wanted))
    }
    func any(_ words: [String]) -> Bilingual {
      Bilingual(words.joined(separator: " or "), words.joined(separator: " または "))
    }
    if let certificates {
      if let held = request.certificate {
        if !certificates.contains(held.name) {
          tell(
            "owner-certificate", Bilingual("the certificate \(held.name)", "資格 \(held.name)"),
            any(certificates))
        }
        if held.validUntil < today {
          tell(
            "owner-certificate",
            Bilingual(
              "\(held.name), which ran out on \(held.validUntil)", "\(held.name)(\(held.validUntil) に失効)"),
            Bilingual("a certificate that is valid on \(today)", "\(today) に有効な資格"))
        } else if held.validUntil.number - today.number < certificateDays {
          tell(
            "owner-certificate",
            Bilingual(
              "\(held.name), valid until \(held.validUntil)", "\(held.name)(\(held.validUntil) まで有効)"),
            Bilingual(
              "valid for \(certificateDays) days from \(today) at least",
              "\(today) から \(certificateDays) 日以上有効な資格"))
        }
      } else {
        tell(
          "owner-certificate",
          Bilingual("no certificate of \(request.owner.text)", "\(request.owner.text) の資格なし"),
          any(certificates))
      }
    }
    let nobody = Bilingual("nobody", "なし")
    if wantsBilling, request.billing == nil {
      tell("billing-contact", nobody, Bilingual("somebody for bills", "請求の担当者"))
    }
    if wantsBudget, request.budget == nil {
      tell("budget-contact", nobody, Bilingual("somebody for the budget", "予算の担当者"))
    }
    if let rootFactors {
      if let custody = request.custody {
        if !rootFactors.contains(custody.factor) {
          tell(
            "root-custody", Bilingual("second factor: \(custody.factor)", "多要素認証: \(custody.factor)"),
            any(rootFactors))
        }
      } else {
        tell(
          "root-custody", Bilingual("nothing of root's credentials", "ルートユーザーの認証情報の記載なし"),
          Bilingual(
            "where they are, who keeps them, and with which factor", "保管場所、保管者、多要素認証の種類"))
      }
    }
    let letters = request.purpose.count { !$0.isWhitespace }
    if letters < purposeLength {
      tell(
        "purpose", Bilingual("\(letters) letters", "\(letters) 文字"),
        Bilingual("a purpose of \(purposeLength) letters at least", "\(purposeLength) 文字以上の目的"))
    }
    func said(_ text: String) -> Bilingual {
      text.isEmpty ? Bilingual("nothing", "記載なし") : Bilingual(same: text)
    }
    if !environments.contains(request.environment) {
      tell("environments", said(request.environment), any(environments))
    }
    if let dataClasses, !dataClasses.contains(request.dataClass) {
      tell("data-classes", said(request.dataClass), any(dataClasses))
    }
    if let domains {
      let people = [
        request.requester, request.owner, request.billing, request.budget, request.custody?.keeper, approver,
      ]
      for person in people.compactMap({ $0 })
      where !domains.contains(where: { person.mail.lowercased().hasSuffix("@" + $0.lowercased()) }) {
        tell("mail-domains", Bilingual(same: person.mail), any(domains))
      }
    }
    if let approver {
      let other = Bilingual("somebody else", "別の人")
      if approver.isSame(as: request.requester) {
        tell("approver", Bilingual("\(approver.text), who asks", "\(approver.text)(申請者)"), other)
      }
      if !ownerMayApprove, approver.isSame(as: request.owner) {
        tell("approver", Bilingual("\(approver.text), who will own it", "\(approver.text)(所有者)"), other)
      }
      if let approvers, !approvers.contains(where: { PersonName.isSame($0, approver.mail) }) {
        tell("approver", Bilingual(same: approver.text), any(approvers))
      }
    }
    return out
  }
}
