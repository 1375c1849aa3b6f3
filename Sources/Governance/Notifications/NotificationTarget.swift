// Who is told of changes: an address, a form, a language, from which severity on. Read from a YAML file, all faults told.
// Secrets are named by a file or a variable of the environment and are read when a message is signed; addresses of webhooks
// are secrets too, and are told by the target's name only.

import Foundation
public import GuardRules

/// The languages of reports and messages.
public enum ReportLanguage: String, Sendable, CaseIterable, Codable {
  /// English.
  case english = "en"
  /// Japanese.
  case japanese = "ja"
}

/// See the head of this file.
public struct NotificationTarget: Sendable, Equatable {
  /// Where to.
  public enum Destination: Sendable, Equatable {
    /// An address that takes a POST.
    case webhook(String)
    /// A file to which a line is added.
    case file(String)
    /// A topic of SNS.
    case topic(TopicARN)
  }

  /// In which form.
  public enum Form: String, Sendable, CaseIterable {
    /// All of it.
    case json
    /// `{"text":"…"}`, as the webhooks of Slack, Teams, Mattermost and Google Chat take it.
    case text
  }

  /// Where the secret is.
  public enum Secret: Sendable, Equatable {
    /// In a file; white space at its end isn't part of it.
    case file(String)
    /// In a variable.
    case environment(String)
  }

  /// What it is called in the outbox and in messages; once a list.
  public var name: String
  /// Where to.
  public var destination: Destination
  /// In which form.
  public var form = Form.json
  /// What messages to a webhook are signed with; nil = they aren't.
  public var secret: Secret?
  /// Where SNS is asked for a topic; nil = where all services are, else at AWS's own address.
  public var endpoint: String?
  /// In which language.
  public var language = ReportLanguage.english
  /// New failures from this severity on are told.
  public var severity = Severity.high
  /// Ends of exceptions are told this many days before.
  public var exceptionDays = 14

  /// A target with the usual settings.
  public init(name: String, destination: Destination) {
    self.name = name
    self.destination = destination
  }

  /// By a word: `https://…`, `http://…`, `sns:ARN` or `file:PATH`; nil = it is none of these.
  public init?(word: String) {
    if Self.looksLikeAddress(word) {
      guard let host = Self.host(ofWebhook: word) else { return nil }
      // Several webhooks of one host are told apart without telling what they are.
      self.init(name: "\(host)#\(HexText.hash(word).prefix(6))", destination: .webhook(word))
    } else if word.hasPrefix("file:"), word.utf8.count > 5 {
      self.init(name: word, destination: .file(String(word.dropFirst(5))))
    } else if word.hasPrefix("sns:"), let topic = TopicARN(String(word.dropFirst(4))) {
      self.init(name: word, destination: .topic(topic))
    } else {
      return nil
    }
  }

  /// Whether a word is meant as an address; its text may be a secret, however it is written.
  static func looksLikeAddress(_ word: String) -> Bool {
    let small = word.lowercased()
    return small.hasPrefix("http") || small.contains("://") || small.contains(":/http")
  }

  /// Whether a word that is no file is meant as an address without its scheme: `hooks.example.com/services/…`.
  static func looksLikeHost(_ word: String) -> Bool {
    if word.hasPrefix("//") { return true }
    guard let slash = word.firstIndex(of: "/"), word[..<slash].dropFirst().contains("."),
      !word.hasPrefix("."), !FileManager.default.fileExists(atPath: word)
    else { return false }
    return !["yaml", "yml", "json"].contains((word as NSString).pathExtension.lowercased())
  }

  /// The host of an address that takes messages; nil = it is none. What isn't enciphered doesn't leave the machine.
  static func host(ofWebhook url: String) -> String? {
    guard let parts = URL(string: url), let host = parts.host(), !host.isEmpty else { return nil }
    switch parts.scheme?.lowercased() {
    case "https": return host
    case "http":
      let name = host.lowercased().trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
      let octets = name.split(separator: ".", omittingEmptySubsequences: false)
      let isOwn = octets.count == 4 && octets[0] == "127" && octets.allSatisfy { UInt8($0) != nil }
      return isOwn || ["localhost", "::1"].contains(name) ? host : nil
    default: return nil
    }
  }

  /// Reads words and files of targets: what isn't a word is a file.
  /// - Throws: `GovernanceFaults` with all faults.
  public static func read(_ words: [String]) throws(GovernanceFaults) -> [NotificationTarget] {
    var targets: [NotificationTarget] = []
    var faults: [String] = []
    for word in words {
      if let target = NotificationTarget(word: word) {
        targets.append(target)
      } else if Self.looksLikeAddress(word) || (!word.hasPrefix("sns:") && Self.looksLikeHost(word)) {
        faults.append(
          "an address that can't be used (it isn't shown, since it may be a secret); wanted https://HOST/…, or http:// to this machine only"
        )
      } else if word.hasPrefix("sns:") {
        faults.append("\(word): no topic; wanted sns:\(TopicARN.wanted)")
      } else {
        do throws(GovernanceFaults) { targets += try read(file: word) } catch { faults += error.all }
      }
    }
    var names: Set<String> = []
    for target in targets where !names.insert(target.name).inserted {
      faults.append("target \(target.name) is there twice; wanted a name once")
    }
    guard faults.isEmpty else { throw GovernanceFaults(faults) }
    return targets
  }

  private static func read(file: String) throws(GovernanceFaults) -> [NotificationTarget] {
    let document: Value
    do { document = try Value.reading(yaml: try FileList.text(file)) } catch let fault as DocumentFault {
      throw GovernanceFaults(["\(file):\(fault)"])
    } catch { throw GovernanceFaults(["\(error)"]) }
    var reader = TargetReader(file: file)
    let targets = reader.targets(document)
    guard reader.faults.isEmpty else { throw GovernanceFaults(reader.faults) }
    return targets
  }
}

/// Reads `targets:` of a file.
struct TargetReader {
  let file: String
  private(set) var faults: [String] = []

  init(file: String) { self.file = file }

  private static let keys = [
    "name", "url", "file", "sns", "endpoint", "format", "secret_file", "secret_environment", "language",
    "severity",
    "exception_days",
  ]

  /// - Parameter found: isn't shown where an address stands in it: that may be a secret.
  private mutating func fault(_ value: Value, _ found: String, _ wanted: String) {
    let found = NotificationTarget.looksLikeAddress(found) ? "an address that isn't shown" : found
    faults.append("\(file):\(value.place): found \(found); wanted \(wanted)")
  }

  mutating func targets(_ document: Value) -> [NotificationTarget] {
    guard case .map(let outer) = document.content, let list = outer["targets"],
      case .list(let items) = list.content, !items.isEmpty
    else {
      fault(document, document.kind, "targets: a list of at least one target")
      return []
    }
    for member in outer.all where member.name != "targets" {
      fault(member.value, member.name, "targets and nothing else")
    }
    return items.compactMap { target($0) }
  }

  private mutating func target(_ item: Value) -> NotificationTarget? {
    guard case .map(let members) = item.content else {
      fault(item, item.kind, "a target: " + Self.keys.joined(separator: ", "))
      return nil
    }
    let before = faults.count
    for member in members.all where !Self.keys.contains(member.name) {
      fault(member.value, member.name, Self.keys.joined(separator: ", "))
    }
    let name = text(members, "name") ?? ""
    if name.isEmpty { fault(item, "a target without a name", "name") }
    var destination = NotificationTarget.Destination.file("")
    switch (text(members, "url"), text(members, "file"), text(members, "sns")) {
    case (let url?, nil, nil):
      if NotificationTarget.host(ofWebhook: url) == nil {
        fault(members["url"] ?? item, "url", "https://HOST/…, or http:// to this machine only")
      }
      destination = .webhook(url)
    case (nil, let path?, nil): destination = .file(path)
    case (nil, nil, let arn?):
      if let topic = TopicARN(arn) {
        destination = .topic(topic)
      } else {
        let found = arn.hasPrefix("arn:") ? arn : "a text that is no ARN"
        fault(members["sns"] ?? item, "sns: \(found)", "sns: \(TopicARN.wanted)")
      }
    default: fault(item, "target \(name)", "one of url, file and sns")
    }
    var target = NotificationTarget(name: name, destination: destination)
    readTopicOnly(members, item, &target)
    if let form = choice(members, "format", NotificationTarget.Form.allCases) { target.form = form }
    if let language = choice(members, "language", ReportLanguage.allCases) { target.language = language }
    if let severity = choice(members, "severity", Severity.allCases) { target.severity = severity }
    switch (text(members, "secret_file"), text(members, "secret_environment")) {
    case (let path?, nil): target.secret = .file(path)
    case (nil, let variable?): target.secret = .environment(variable)
    case (nil, nil): break
    default: fault(item, "both secret_file and secret_environment", "one of them")
    }
    if let days = members["exception_days"] {
      if case .int(let number) = days.content, (0...365).contains(number) {
        target.exceptionDays = Int(number)
      } else {
        fault(days, days.text, "exception_days: 0 to 365")
      }
    }
    return faults.count == before ? target : nil
  }

  /// What only topics have, and what they don't.
  private mutating func readTopicOnly(
    _ members: Members, _ item: Value, _ target: inout NotificationTarget
  ) {
    if let address = text(members, "endpoint") {
      if NotificationTarget.host(ofWebhook: address) == nil {
        fault(members["endpoint"] ?? item, "endpoint", "https://HOST, or http:// to this machine only")
      }
      if members["sns"] == nil { fault(members["endpoint"] ?? item, "endpoint", "it with sns only") }
      target.endpoint = address.hasSuffix("/") ? String(address.dropLast()) : address
    }
    guard members["sns"] != nil else { return }
    for key in ["secret_file", "secret_environment"] {
      if let value = members[key] { fault(value, key, "no secret with sns: SNS signs what it sends") }
    }
  }

  private mutating func text(_ members: Members, _ key: String) -> String? {
    guard let value = members[key] else { return nil }
    guard case .string(let text) = value.content, !text.isEmpty else {
      // What stands there may be a secret that was put in the wrong place.
      fault(value, "\(key): \(value.kind)", "\(key): a text")
      return nil
    }
    return text
  }

  private mutating func choice<T: RawRepresentable<String>>(
    _ members: Members, _ key: String, _ all: [T]
  ) -> T? {
    guard let word = text(members, key) else { return nil }
    if let found = T(rawValue: word) { return found }
    // A word may be shown; what is anything else may be an address.
    let isWord = word.count <= 20 && word.allSatisfy { $0.isLetter || $0 == "-" }
    fault(
      members[key] ?? Value(.null), "\(key): \(isWord ? word : "another text")",
      all.map(\.rawValue).joined(separator: ", "))
    return nil
  }
}
