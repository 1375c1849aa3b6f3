// `kabuto govern account`: who asks for which account, and that the company's conditions are met.

import ArgumentParser
import Controls
import Foundation
import Governance

struct GovernAccount: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "account",
    abstract: "Keeps requests for accounts, and approves those that meet the conditions.",
    discussion: """
      A request is a file of its own in a folder: who asks, who will own the account and with which certificate, whom \
      bills and budget go to, where root's credentials are kept. It is approved only if it meets all conditions; one that \
      was changed afterwards counts as not approved. `kabuto govern provision --requests` refuses accounts without one.
      Example:  kabuto govern account form > payments.yaml
                kabuto govern account request payments.yaml --requests requests/
                kabuto govern account approve payments-production --by "A. Sato <sato@example.co.jp>" --requests requests/
      """,
    subcommands: [Form.self, Request.self, Approve.self, List.self, Show.self, Conditions.self])

  struct Folder: ParsableArguments {
    @Option(help: ArgumentHelp("The folder with the requests.", valueName: "dir"), completion: .directory)
    var requests: String
    @Option(
      help: ArgumentHelp("What is demanded; without it, what `conditions` shows.", valueName: "file"),
      completion: .file())
    var conditions: String?
    @Option(help: "Language of text: en, ja.")
    var language: ReportLanguage = .english
    @Flag(help: "One JSON document instead of text.")
    var json = false

    var folder: RequestFolder { RequestFolder(requests) }
    func demanded() throws -> AccountConditions { try GovernAccount.conditions(conditions) }
  }

  static var today: CalendarDay { CalendarDay(of: Int64(Date().timeIntervalSince1970)) }

  /// The conditions of a file, or those that are there without.
  static func conditions(_ path: String?) throws -> AccountConditions {
    var text = AccountConditions.standardText
    if let path {
      guard let data = FileManager.default.contents(atPath: path) else {
        throw giveUp("\(path): can't be read")
      }
      text = String(decoding: data, as: UTF8.self)
    }
    do throws(DocumentFaults) { return try AccountConditions(text) } catch {
      throw giveUp(error.all.map { "\(path ?? "conditions"):\($0)" }.joined(separator: "\n"))
    }
  }

  struct Form: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Prints a form to fill in.")

    func run() { print(AccountRequest.form, terminator: "") }
  }

  struct Conditions: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Prints the conditions that hold without any file.")

    func run() { print(AccountConditions.standardText, terminator: "") }
  }

  struct Request: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Files a request; says which conditions it doesn't meet yet.",
      discussion:
        "Exit status: 0 = filed, and all conditions are met, 1 = filed, and some aren't, 2 = not filed.")

    @Argument(help: ArgumentHelp("A filled form.", valueName: "file"), completion: .file())
    var form: String
    @OptionGroup var options: Folder

    func run() throws {
      let demanded = try options.demanded()
      let request: AccountRequest
      do throws(GovernanceFaults) {
        request = try options.folder.add(
          try RequestFolder.form(form), now: Int64(Date().timeIntervalSince1970))
      } catch { throw giveUp(error.description) }
      try GovernAccount.tell(request, demanded, options)
    }
  }

  struct Approve: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Approves a request that meets all conditions.",
      discussion: """
        Exit status: 0 = approved, 1 = not approved: a condition isn't met, 2 = it can't be done.
        """)

    @Argument(help: "The request's name.")
    var id: String
    @Option(help: ArgumentHelp("Who approves.", valueName: "name <mail>"))
    var by: String
    @OptionGroup var options: Folder

    func validate() throws {
      guard person != nil else { throw ValidationError("--by \(by): wanted NAME <MAIL>") }
    }

    private var person: Person? {
      guard let open = by.firstIndex(of: "<"), by.hasSuffix(">") else { return nil }
      let name = by[..<open].trimmingCharacters(in: .whitespaces)
      let mail = String(by[by.index(after: open)...].dropLast())
      guard PersonName.isSomebody(name), AccountRequest.isAddress(mail) else { return nil }
      return Person(name: name, mail: mail)
    }

    func run() throws {
      let demanded = try options.demanded()
      guard let person else { throw couldNot }
      let result: RequestFolder.Approving
      do throws(GovernanceFaults) {
        result = try options.folder.approve(
          id, by: person, demanded, now: Int64(Date().timeIntervalSince1970))
      } catch { throw giveUp(error.description) }
      switch result {
      case .approved(let request): try GovernAccount.tell(request, demanded, options)
      case .refused(let unmet):
        if options.json {
          try printJSON(Refusal(id: id, state: "refused", unmet: unmet))
        } else {
          print("\(id): \(Bilingual("not approved", "承認できません").text(options.language))")
          for condition in unmet { print("  \(condition.text.text(options.language))".visible()) }
        }
        throw foundWrong
      }
    }

    private struct Refusal: Encodable {
      let id: String
      let state: String
      let unmet: [UnmetCondition]
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lists requests and how they stand.",
      discussion:
        "Exit status: 0 = all are approved or open, 1 = one was changed, lapsed or outdated, 2 = a file can't be read."
    )

    @OptionGroup var options: Folder

    func run() throws {
      let demanded = try options.demanded()
      let found: (requests: [AccountRequest], faults: [String])
      do throws(GovernanceFaults) { found = try options.folder.all() } catch {
        throw giveUp(error.description)
      }
      let rows = found.requests.map {
        Row($0, RequestFolder.standing($0, demanded, today: GovernAccount.today))
      }
      if options.json {
        try printJSON(rows)
      } else {
        for row in rows {
          let state = row.words.text(options.language)
          print("\(row.id)  \(row.account)  \(state)  \(row.owner)  \(row.name)".visible())
        }
        if rows.isEmpty { say(Bilingual("no requests", "申請はありません").text(options.language)) }
      }
      for fault in found.faults { say("kabuto: \(fault)") }
      if !found.faults.isEmpty { throw couldNot }
      if rows.contains(where: { $0.state != "open" && $0.state != "approved" }) { throw foundWrong }
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows a request, how it stands, and which conditions it doesn't meet.",
      discussion:
        "Exit status: 0 = all conditions are met, 1 = some aren't, or it was changed, 2 = it can't be read.")

    @Argument(help: "The request's name.")
    var id: String
    @OptionGroup var options: Folder

    func run() throws {
      let demanded = try options.demanded()
      let request: AccountRequest
      do throws(GovernanceFaults) { request = try options.folder.request(id) } catch {
        throw giveUp(error.description)
      }
      if !options.json { print(request.text, terminator: "") }
      try GovernAccount.tell(request, demanded, options)
    }
  }

  private struct Row: Encodable {
    let id: String
    let account: String
    let name: String
    let environment: String
    let requester: String
    let owner: String
    let requestedAt: String?
    let approvedBy: String?
    let approvedAt: String?
    let state: String
    let unmet: [UnmetCondition]
    let words: Bilingual

    enum CodingKeys: String, CodingKey {
      case id, account, name, environment, requester, owner, requestedAt, approvedBy, approvedAt, state, unmet
    }

    init(_ request: AccountRequest, _ standing: RequestFolder.Standing) {
      (id, account, name, environment) = (request.id, request.account, request.name, request.environment)
      (requester, owner) = (request.requester.text, request.owner.text)
      requestedAt = request.requestedAt.map { RecordTime.text($0) }
      approvedBy = request.approval?.by.text
      approvedAt = request.approval.map { RecordTime.text($0.at) }
      (state, unmet, words) = (standing.state.rawValue, standing.unmet, standing.state.words)
    }
  }

  /// How a request stands; fails where it doesn't stand well.
  private static func tell(
    _ request: AccountRequest, _ conditions: AccountConditions, _ options: Folder
  ) throws {
    let row = Row(request, RequestFolder.standing(request, conditions, today: today))
    let language = options.language
    if options.json {
      try printJSON(row)
    } else {
      let account = Bilingual("account", "アカウント").text(language)
      print("\(row.id): \(account) \(row.account): \(row.words.text(language))")
      for condition in row.unmet { print("  \(condition.text.text(language))".visible()) }
    }
    if !row.unmet.isEmpty || row.state == "changed" || row.state == "outdated" { throw foundWrong }
  }
}
