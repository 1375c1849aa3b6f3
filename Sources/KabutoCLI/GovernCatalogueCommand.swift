// `kabuto govern catalogue`: the catalogue of services, and the policies that follow from it.

import ArgumentParser
import Controls
import Foundation
import Governance

struct GovernCatalogue: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "catalogue",
    abstract:
      "The catalogue of services: what is assessed and allowed, and the policies that follow from it.",
    discussion: "The file's form: docs/GOVERN-CATALOGUE.md. An example: Catalogues/example.yaml.",
    subcommands: [
      CatalogueCheckCommand.self, CatalogueShow.self, CatalogueDecide.self, CatalogueBoundary.self,
      CatalogueSCP.self,
      CatalogueUsers.self, CatalogueSchemaCommand.self,
    ])
}

/// What every command on a catalogue is given.
struct CatalogueOption: ParsableArguments {
  @Argument(help: ArgumentHelp("The catalogue.", valueName: "file"), completion: .file())
  var file: String

  func read() throws -> Catalogue {
    do throws(GovernanceFaults) { return try CatalogueGate(file).catalogue } catch {
      throw giveUp(error.description)
    }
  }
}

/// Runs what may not fit in a policy.
func fitting<T>(_ body: () throws(PolicyRoomFault) -> T) throws -> T {
  do throws(PolicyRoomFault) { return try body() } catch {
    say("kabuto: \(error)")
    throw foundWrong
  }
}

struct CatalogueCheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Reads a catalogue, and tries whether all policies fit.",
    discussion: """
      Exit status: 0 = all is well, 1 = a policy that follows from it doesn't fit, or an assessment is too old, 2 = the file \
      has faults, which are all told.
      Example:  kabuto govern catalogue check Catalogues/example.yaml
      """)

  @OptionGroup var source: CatalogueOption
  @Flag(help: "One JSON document instead of text.")
  var json = false

  private struct Report: Encodable {
    let services: Int
    let allowed: Int
    let assessed: Int
    let groups: Int
    let users: Int
    let boundaryCharacters: Int?
    let controlPolicies: Int?
    let controlForm: String?
    let outdated: [String]
    let problems: [String]

    enum CodingKeys: String, CodingKey {
      case services, allowed, assessed, groups, users, outdated, problems
      case boundaryCharacters = "boundary_characters"
      case controlPolicies = "service_control_policies"
      case controlForm = "service_control_form"
    }
  }

  func run() async throws {
    let catalogue = try source.read()
    var problems: [String] = []
    func tried<T>(_ body: () throws(PolicyRoomFault) -> T) -> T? {
      do throws(PolicyRoomFault) { return try body() } catch {
        problems.append(error.description)
        return nil
      }
    }
    let boundary = tried { () throws(PolicyRoomFault) in try catalogue.permissionBoundary() }
    let control = tried { () throws(PolicyRoomFault) in try catalogue.serviceControlPolicies() }
    if boundary != nil { _ = tried { () throws(PolicyRoomFault) in try catalogue.narrowedUsers() } }
    let today = CalendarDay(of: Int64(Date().timeIntervalSince1970))
    let outdated = catalogue.services.compactMap { service in
      service.assessment?.until.flatMap { $0 < today ? "\(service.id) (until \($0))" : nil }
    }
    let report = Report(
      services: catalogue.services.count, allowed: catalogue.allowedServices.count,
      assessed: catalogue.services.count { $0.assessment != nil }, groups: catalogue.groups.count,
      users: catalogue.users.count, boundaryCharacters: boundary?.document.characterCount,
      controlPolicies: control?.policies.count, controlForm: control?.form.rawValue, outdated: outdated,
      problems: problems)
    if json {
      try printJSON(report)
    } else {
      print(
        "\(source.file): \(report.services) services, \(report.assessed) assessed, \(report.allowed) allowed; "
          + "\(report.groups) groups, \(report.users) users")
      if let boundary {
        print(
          "boundary: \(boundary.document.characterCount) of \(PolicyLimits.managedPolicyCharacters) characters"
        )
      }
      if let control {
        print(
          "service control policies: \(control.policies.count) (\(control.form.rawValue)), "
            + control.policies.map { "\($0.document.characterCount)" }.joined(separator: ", ")
            + " of \(PolicyLimits.serviceControlPolicyCharacters) characters")
      }
      for each in outdated { print("assessment too old: \(each)") }
    }
    for problem in problems { say("kabuto: \(problem)") }
    if !problems.isEmpty || !outdated.isEmpty { throw foundWrong }
  }
}

struct CatalogueShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Shows a catalogue: services, where they are allowed, and by which rules.",
    discussion: "Example:  kabuto govern catalogue show Catalogues/example.yaml --language ja")

  @OptionGroup var source: CatalogueOption
  @Option(help: "Language of conditions: en, ja.")
  var language: ReportLanguage = .english
  @Flag(help: "One JSON document instead of text.")
  var json = false

  private struct Service: Encodable {
    let id: String
    let name: String
    let allowed: Bool
    let assessedOn: String?
    let assessedBy: String?
    let until: String?
    let reason: String
    let actions: [String]
    let denied: [String]
    let regions: [String]?
    let types: [String]
    let rules: [String]

    enum CodingKeys: String, CodingKey {
      case id, name, allowed, until, reason, actions, denied, regions, types, rules
      case assessedOn = "assessed_on"
      case assessedBy = "assessed_by"
    }
  }
  private struct Group: Encodable {
    let id: String
    let purpose: String
    let members: [String]
    let actions: [String]
  }
  private struct Report: Encodable {
    let organisation: String
    let services: [Service]
    let groups: [Group]
  }

  func run() async throws {
    let catalogue = try source.read()
    let services = catalogue.services.map { service in
      Service(
        id: service.id, name: service.name, allowed: service.isAllowed,
        assessedOn: service.assessment?.on.description, assessedBy: service.assessment?.by,
        until: service.assessment?.until?.description, reason: service.reason,
        actions: service.actions.map(\.text),
        denied: service.denied.map(\.text), regions: service.regions, types: service.types.map(\.text),
        rules: service.rules.map { rule in
          switch rule {
          case .rule(let name): "rule \(name)"
          case .file(let name): "file \(name)"
          case .condition(let en, let ja): language == .japanese ? ja : en
          }
        })
    }
    guard !json else {
      return try printJSON(
        Report(
          organisation: catalogue.organisation, services: services,
          groups: catalogue.groups.map {
            Group(
              id: $0.id, purpose: $0.purpose, members: $0.members,
              actions: catalogue.actions(of: $0).map(\.text))
          }))
    }
    print(catalogue.organisation)
    for service in services {
      let state = service.allowed ? "allowed" : service.assessedOn == nil ? "not assessed" : "not allowed"
      let place = service.regions.map { $0.joined(separator: ", ") } ?? "global"
      print("\n\(service.id)  \(service.name)  \(state)" + (service.allowed ? "  \(place)" : ""))
      if let on = service.assessedOn, let by = service.assessedBy {
        print("  assessed \(on) by \(by)" + (service.until.map { ", until \($0)" } ?? ""))
      }
      if !service.reason.isEmpty { print("  \(service.reason)") }
      if service.allowed { print("  actions \(service.actions.joined(separator: " "))") }
      if !service.denied.isEmpty { print("  denied  \(service.denied.joined(separator: " "))") }
      for rule in service.rules { print("  - \(rule)") }
    }
    for group in catalogue.groups {
      print("\ngroup \(group.id)  \(group.purpose)\n  \(group.members.joined(separator: ", "))")
      for access in group.access {
        print("  \(access.level.rawValue)  \(access.services.joined(separator: " "))")
      }
    }
  }
}

struct CatalogueDecide: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decide", abstract: "Says whether actions are allowed in a region, and why not.",
    discussion: """
      Exit status: 0 = all are allowed, 1 = one isn't.
      Example:  kabuto govern catalogue decide Catalogues/example.yaml --region ap-northeast-1 s3:GetObject ec2:RunInstances
      """)

  @OptionGroup var source: CatalogueOption
  @Argument(help: ArgumentHelp("Actions.", valueName: "prefix:action"))
  var actions: [String]
  @Option(help: ArgumentHelp("Where the calls are made.", valueName: "region"))
  var region: String
  @Flag(help: "One JSON document instead of text.")
  var json = false

  private struct Decision: Encodable {
    let action: String
    let allowed: Bool
    let why: String
  }

  func run() async throws {
    let catalogue = try source.read()
    let decisions = actions.map { action in
      switch catalogue.decision(action, region: region) {
      case .allowed(let service): Decision(action: action, allowed: true, why: service)
      case .denied(let why): Decision(action: action, allowed: false, why: why)
      }
    }
    if json {
      try printJSON(decisions)
    } else {
      for each in decisions { print("\(each.allowed ? "allowed" : "denied ")  \(each.action)  \(each.why)") }
    }
    if decisions.contains(where: { !$0.allowed }) { throw foundWrong }
  }
}

struct CatalogueBoundary: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "boundary",
    abstract: "Writes the boundary of permissions: IAM's policy beyond which nobody can go.",
    discussion: """
      The policy stands on standard output as IAM takes it. Exit status: 1 = it doesn't fit in 6,144 characters.
      Example:  kabuto govern catalogue boundary Catalogues/example.yaml > boundary.json
      """)

  @OptionGroup var source: CatalogueOption

  func run() async throws {
    let catalogue = try source.read()
    let policy = try fitting { () throws(PolicyRoomFault) in try catalogue.permissionBoundary() }
    print(policy.document.text)
    say("\(policy.document.characterCount) of \(PolicyLimits.managedPolicyCharacters) characters")
  }
}

struct CatalogueSCP: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scp", abstract: "Writes the organisation's service control policies.",
    discussion: """
      Form deny: policies to attach beside FullAWSAccess. Form allow: policies to attach in its stead at the same target \
      (FullAWSAccess stays at the targets above). Without --form: deny where that fits, else allow. One JSON document with \
      all policies, or with --out a file each; files that an earlier run wrote there and this one doesn't are removed, \
      nothing else is. Exit status: 1 = they don't fit.
      Example:  kabuto govern catalogue scp Catalogues/example.yaml --out policies/
      """)

  @OptionGroup var source: CatalogueOption
  @Option(help: "deny or allow.")
  var form: ControlPolicyForm?
  @Option(help: ArgumentHelp("A folder for a file each.", valueName: "dir"), completion: .directory)
  var out: String?

  private struct Policy: Encodable {
    let name: String
    let characters: Int
    let document: String
  }
  private struct Report: Encodable {
    let form: String
    let policies: [Policy]
  }

  func run() async throws {
    let catalogue = try source.read()
    let made = try fitting { () throws(PolicyRoomFault) in try catalogue.serviceControlPolicies(form) }
    if let out {
      let written: PolicyFiles.Written
      do throws(GovernanceFaults) { written = try PolicyFiles(out).write(made.policies) } catch {
        throw giveUp(error.description)
      }
      for path in written.paths { print(path) }
      for path in written.removed { say("\(path): removed; an earlier run wrote it") }
      for word in written.kept { say("kabuto: \(word)") }
    } else {
      try printJSON(
        Report(
          form: made.form.rawValue,
          policies: made.policies.map {
            Policy(name: $0.name, characters: $0.document.characterCount, document: $0.document.text)
          }))
    }
    say(
      made.form == .deny
        ? "attach all of them beside FullAWSAccess"
        : "attach all of them to one target, then detach FullAWSAccess there, and leave it attached above")
  }
}

struct CatalogueUsers: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "users",
    abstract: "Writes users, groups and their policies as they follow from the catalogue.",
    discussion:
      "Nothing is asked of an account; for that: kabuto govern users. Exit status: 1 = a policy doesn't fit.")

  @OptionGroup var source: CatalogueOption

  private struct Policy: Encodable {
    let name: String
    let document: String
  }
  private struct Group: Encodable {
    let name: String
    let policies: [Policy]
  }
  private struct User: Encodable {
    let name: String
    let groups: [String]
  }
  private struct Report: Encodable {
    let boundary: Policy
    let groups: [Group]
    let users: [User]
  }

  func run() async throws {
    let catalogue = try source.read()
    let made = try fitting { () throws(PolicyRoomFault) in try catalogue.narrowedUsers() }
    func policy(_ policy: GeneratedPolicy) -> Policy {
      Policy(name: policy.name, document: policy.document.text)
    }
    try printJSON(
      Report(
        boundary: policy(made.boundary),
        groups: made.groups.map { Group(name: $0.name, policies: $0.policies.map(policy)) },
        users: made.users.map { User(name: $0.name, groups: $0.groups) }))
  }
}

struct CatalogueSchemaCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schema", abstract: "Prints the JSON Schema of a catalogue, for editors.")

  func run() async throws { print(Catalogue.schema, terminator: "") }
}
