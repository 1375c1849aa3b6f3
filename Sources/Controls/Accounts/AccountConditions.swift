// What a company demands before an account is given: a document. A condition that can't be told to be met isn't met.

public import GuardRules

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
    let faults = FaultList()
    do throws(DocumentFault) {
      let document = RecordReader(try Value.reading(yaml: text), path: "", faults)
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
    } catch { throw DocumentFaults([error]) }
    guard faults.all.isEmpty else { throw DocumentFaults(faults.all) }
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
public struct UnmetCondition: Sendable, Equatable, Codable {
  /// Which one: its name in the document.
  public let condition: String
  /// What was found.
  public let found: String
  /// What was wanted.
  public let wanted: String

  /// For people.
  public var text: String { "\(condition): found \(found); wanted \(wanted)" }
}

extension AccountConditions {
  /// Conditions that a request doesn't meet on a day, in the order of the document.
  /// - Parameter approver: who approves, or approved; nil = nobody yet, and it isn't asked who.
  public func unmet(_ request: AccountRequest, on today: CalendarDay, approver: Person?) -> [UnmetCondition] {
    var out: [UnmetCondition] = []
    func tell(_ condition: String, _ found: String, _ wanted: String) {
      out.append(UnmetCondition(condition: condition, found: found, wanted: wanted))
    }
    if let certificates {
      let names = certificates.joined(separator: " or ")
      if let held = request.certificate {
        if !certificates.contains(held.name) {
          tell("owner-certificate", "the certificate \(held.name)", names)
        }
        if held.validUntil < today {
          tell(
            "owner-certificate", "\(held.name), which ran out on \(held.validUntil)",
            "a certificate that is valid on \(today)")
        } else if held.validUntil.number - today.number < certificateDays {
          tell(
            "owner-certificate", "\(held.name), valid until \(held.validUntil)",
            "valid for \(certificateDays) days from \(today) at least")
        }
      } else {
        tell("owner-certificate", "no certificate of \(request.owner.text)", names)
      }
    }
    if wantsBilling, request.billing == nil { tell("billing-contact", "nobody", "somebody for bills") }
    if wantsBudget, request.budget == nil { tell("budget-contact", "nobody", "somebody for the budget") }
    if let rootFactors {
      if let custody = request.custody {
        if !rootFactors.contains(custody.factor) {
          tell("root-custody", "second factor: \(custody.factor)", rootFactors.joined(separator: " or "))
        }
      } else {
        tell(
          "root-custody", "nothing of root's credentials",
          "where they are, who keeps them, and with which factor")
      }
    }
    let letters = request.purpose.count { !$0.isWhitespace }
    if letters < purposeLength {
      tell("purpose", "\(letters) letters", "a purpose of \(purposeLength) letters at least")
    }
    if !environments.contains(request.environment) {
      tell("environments", request.environment, environments.joined(separator: " or "))
    }
    if let dataClasses, !dataClasses.contains(request.dataClass) {
      tell("data-classes", request.dataClass, dataClasses.joined(separator: " or "))
    }
    if let domains {
      let people = [
        request.requester, request.owner, request.billing, request.budget, request.custody?.keeper, approver,
      ]
      for person in people.compactMap({ $0 })
      where !domains.contains(where: { person.mail.lowercased().hasSuffix("@" + $0.lowercased()) }) {
        tell("mail-domains", person.mail, domains.joined(separator: " or "))
      }
    }
    if let approver {
      if approver.isSame(as: request.requester) {
        tell("approver", "\(approver.text), who asks", "somebody else")
      }
      if !ownerMayApprove, approver.isSame(as: request.owner) {
        tell("approver", "\(approver.text), who will own it", "somebody else")
      }
      if let approvers, !approvers.contains(where: { $0.lowercased() == approver.mail.lowercased() }) {
        tell("approver", approver.text, approvers.joined(separator: " or "))
      }
    }
    return out
  }
}
