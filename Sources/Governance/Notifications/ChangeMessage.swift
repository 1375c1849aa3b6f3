// What a target is told of a run: new failures that are grave enough, those that are back, those whose exception ended,
// what can't be told for the first time, exceptions that end soon. One message a run and target, or none.
// Pure: a function of the change and the target.

import Foundation
import GuardRules

struct ChangeMessage {
  private typealias Words = (english: String, japanese: String)

  private struct Group {
    let key: String
    let title: Words
    let findings: [HistoryFinding]
  }

  private struct Ending: Encodable {
    let id: String
    let ends: String
    let owner: String
    let days: Int
  }

  private let target: NotificationTarget
  private let groups: [Group]
  private let endings: [Ending]
  private let source: String
  private let at: Int64
  private let run: Int64

  /// What is told once a target, whatever runs come later.
  let onceKeys: [String]

  /// Findings that are listed; the rest is a number.
  static var mostListed: Int { 50 }
  private static var mostLines: Int { 20 }

  /// - Parameters:
  ///   - isTold: whether the target was told of something that is told once.
  ///   - today: days since 1970 UTC.
  /// - Returns: nil where there is nothing to tell.
  init?(
    _ change: HistoryChange, _ exceptions: [ExceptionEnd], _ target: NotificationTarget, source: String,
    at: Int64, isTold: (String) throws -> Bool
  ) rethrows {
    self.target = target
    self.source = source
    self.at = at
    run = change.run
    func grave(_ all: [HistoryFinding]) -> [HistoryFinding] {
      all.filter { $0.status == "FAIL" && $0.severity >= target.severity }.sorted {
        ($1.severity, $0.resource) < ($0.severity, $1.resource)
      }
    }
    groups = [
      Group(key: "opened", title: ("New", "新規"), findings: grave(change.opened + change.nowFailing)),
      Group(key: "reopened", title: ("Back again", "再発"), findings: grave(change.reopened)),
      Group(key: "ended", title: ("Exception no longer valid", "例外の失効"), findings: grave(change.ended)),
      Group(key: "unknown", title: ("Can't be told", "判定不能"), findings: change.firstUnknown),
    ].filter { !$0.findings.isEmpty }
    let today = Int(at / 86_400)
    var endings: [Ending] = []
    var keys: [String] = []
    for exception in exceptions {
      guard let day = exception.endDay, day - today <= target.exceptionDays, day >= today else { continue }
      let key = "exception \(exception.id) \(exception.ends)"
      guard try !isTold(key) else { continue }
      keys.append(key)
      endings.append(
        Ending(id: exception.id, ends: exception.ends, owner: exception.owner, days: day - today))
    }
    self.endings = endings.sorted { ($0.ends, $0.id) < ($1.ends, $1.id) }
    onceKeys = keys
    if groups.isEmpty, endings.isEmpty { return nil }
  }

  /// The same run and target give the same id, so that a message that comes twice can be known.
  var id: String { String(HexText.hash("\(run)\n\(at)\n\(source)\n\(target.name)").prefix(32)) }

  private func say(_ words: Words) -> String {
    target.language == .japanese ? words.japanese : words.english
  }

  // MARK: - Forms

  private struct Payload: Encodable {
    struct Group: Encodable {
      let kind: String
      let count: Int
      let findings: [HistoryFinding]
    }
    let id: String
    let at: String
    let source: String
    let run: Int64
    let language: String
    let text: String
    let groups: [Group]
    let exceptions: [Ending]
  }

  /// What is put into the outbox: the body that is sent; for a topic its subject, too.
  var body: String {
    if case .topic = target.destination {
      return TopicMessage(subject: subject, message: topicText).payload
    }
    switch target.form {
    case .text: return StoredJSON.write(["text": text])
    case .json: return json(listing: Self.mostListed, text)
    }
  }

  private func json(listing most: Int, _ text: String, endings mostEndings: Int = .max) -> String {
    var room = most
    let listed = groups.map { group in
      let findings = Array(group.findings.prefix(room))
      room -= findings.count
      return Payload.Group(kind: group.key, count: group.findings.count, findings: findings)
    }
    return StoredJSON.write(
      Payload(
        id: id, at: Timestamp.text(at), source: source, run: run, language: target.language.rawValue,
        text: text, groups: listed, exceptions: Array(endings.prefix(mostEndings))))
  }

  // MARK: - Topics

  /// ASCII, whatever the language: a subject takes nothing else.
  private var subject: String {
    var counts = groups.map { "\($0.title.english) \($0.findings.count)" }
    if !endings.isEmpty { counts.append("Exceptions that end \(endings.count)") }
    return "Kabuto (\(source)): " + counts.joined(separator: ", ")
  }

  /// What a topic takes: fewer findings, and less text, where all is too much. Counts stay.
  private var topicText: String {
    let bound = TopicMessage.mostBytes
    switch target.form {
    case .text:
      // What XML can't carry is no part of a text for people.
      let shown = text.unicodeScalars.filter { $0.value >= 32 || $0 == "\n" || $0 == "\t" }
      return TopicMessage.cut(String(String.UnicodeScalarView(shown)), to: bound)
    case .json:
      var most = Self.mostListed
      var (cut, mostEndings) = (bound, Int.max)
      while true {
        let whole = json(listing: most, TopicMessage.cut(text, to: cut), endings: mostEndings)
        if whole.utf8.count <= bound || cut < 1_024 { return whole }
        if most > 0 { most /= 2 } else { (cut, mostEndings) = (cut / 2, 100) }
      }
    }
  }

  /// For people.
  var text: String {
    var counts = groups.map { "\(say($0.title)) \($0.findings.count)" }
    if !endings.isEmpty { counts.append("\(say(("Exceptions that end", "期限の近い例外"))) \(endings.count)") }
    var lines = ["Kabuto (\(source)): " + counts.joined(separator: say((", ", "、")))]
    var room = Self.mostLines
    for group in groups {
      lines.append("\(say(group.title)):")
      let listed = group.findings.prefix(room)
      room -= listed.count
      for finding in listed {
        let title = target.language == .japanese && !finding.titleJa.isEmpty ? finding.titleJa : finding.title
        let place = finding.line > 0 ? "\(finding.input):\(finding.line)" : finding.input
        let resource = finding.resource.isEmpty ? "" : "\(finding.resource) "
        lines.append(
          "• [\(say(Self.severityWords(finding.severity)))] \(Self.plain(title)) — \(Self.plain(resource))(\(Self.plain(place)))"
        )
      }
      let rest = group.findings.count - listed.count
      if rest > 0 { lines.append(say(("… and \(rest) more", "… ほか\(rest)件"))) }
    }
    for ending in endings {
      let owner =
        ending.owner.isEmpty ? "" : say((", \(Self.plain(ending.owner))", "、責任者 \(Self.plain(ending.owner))"))
      let id = Self.plain(ending.id)
      lines.append(
        say(
          (
            "• Exception \(id) ends on \(ending.ends) (in \(ending.days) days\(owner))",
            "• 例外 \(id) は \(ending.ends) に期限切れ(あと\(ending.days)日\(owner))"
          )))
    }
    return lines.joined(separator: "\n")
  }

  /// A name on one line, that is neither a mention nor a link: names come from who makes resources. What would be a link in
  /// Markdown, or to a reader that looks for addresses, gets a blank, and stays readable.
  static func plain(_ text: String) -> String {
    var out = ""
    for character in text {
      switch character {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "@", "`": break
      case "(" where out.last == "]": out += " ("
      case "/" where out.last == ":": out += " /"
      default: out.append(character.isNewline ? " " : character)
      }
    }
    return out.replacingOccurrences(of: "www.", with: "www .", options: .caseInsensitive)
  }

  /// The word of a severity.
  static func severityWords(_ severity: Severity) -> (english: String, japanese: String) {
    switch severity {
    case .critical: ("critical", "緊急")
    case .high: ("high", "高")
    case .medium: ("medium", "中")
    case .low: ("low", "低")
    case .info: ("info", "情報")
    }
  }
}
