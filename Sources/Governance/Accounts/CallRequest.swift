// A call of the table → a request, and an answer → a value, by the service's protocol (Smithy, "AWS protocols").

import Foundation
import GuardRules
import Resources

/// Why a call gave nothing.
struct CallFailure: Error, Sendable, Equatable {
  /// The service's own word, or `Unreachable`, `Unreadable`.
  var code: String
  /// For people; never more than the service's message, cut where it is long.
  var message: String
  /// 0 = there was no answer.
  var status = 0
  /// Whether the call may have been carried out all the same: it was sent, and nobody said that it was refused.
  var mayBeDone = false

  /// Code where the table of calls bounds a list (`most`), and there is more.
  static let tooMany = "TooMany"

  /// A list that doesn't end.
  static func endless(_ message: String) -> CallFailure { CallFailure(code: "Unreadable", message: message) }

  var text: String { message.isEmpty ? code : "\(code): \(message)" }

  /// Without secrets, and without pieces of them.
  func cleaned(of hidden: [Secret] = []) -> CallFailure {
    var out = self
    out.code = Secret.cleaned(code, most: 100, also: hidden)
    out.message = Secret.cleaned(message, most: 300, also: hidden)
    return out
  }
}

/// What an answer must be to be the answer of a call.
struct WantedAnswer: Sendable {
  /// The call's name.
  var name: String
  /// The outermost element of XML; `json` = JSON from a service that else answers in XML; nil = any.
  var root: String?
  /// A member that it has, if only an empty one; nil = any.
  var member: String?
  /// Members that it has besides.
  var needs: [String] = []
  /// Whether `member` has members.
  var isAlone = false
  /// Whether `member` is JSON in text.
  var isText = false
  /// Whether nothing at all is an answer, as of calls that change something.
  var mayBeEmpty = false
}

/// What `{Name}` stands for in a call.
struct CallScope: Sendable {
  var region: String
  var account: String
  var partition: String

  func filled(_ template: String, _ item: Value?, encodes: Bool = false) -> String {
    guard template.contains("{") else { return template }
    var out = ""
    var rest = template[...]
    while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
      out += rest[..<open]
      let value = value(String(rest[rest.index(after: open)..<close]), item)
      out += encodes ? RequestSigner.encoded(value) : value
      rest = rest[rest.index(after: close)...]
    }
    return out + rest
  }

  private func value(_ name: String, _ item: Value?) -> String {
    switch name {
    case "region": return region
    case "account": return account
    case "partition": return partition
    default:
      if name.hasPrefix("/") {
        return String(value(String(name.dropFirst()), item).drop { $0 == "/" })
      }
      var holder = item
      while let current = holder {
        if let found = current[name]?.string { return found }
        holder = current["parent"]
      }
      return ""
    }
  }

  /// A name in a template that stands for nothing; what is behind `#` only tells apart.
  func missing(_ template: String, _ item: Value) -> String? {
    template.prefix { $0 != "#" }.split(separator: "{").dropFirst(template.hasPrefix("{") ? 0 : 1).lazy
      .compactMap { part in part.firstIndex(of: "}").map { String(part[..<$0]) } }
      .first { value($0, item).isEmpty }
  }
}

extension AccountService {
  /// The request of a call, unsigned.
  func request(
    _ call: AccountCall, item: Value?, scope: CallScope, extra: (name: String, value: String)?, origin: String
  ) -> ServiceRequest {
    var parameters = call.parameters.map { ($0.name, scope.filled($0.value, item), $0.value.contains("{")) }
    if let extra { parameters.append((extra.name, extra.value, true)) }
    switch protocolKind {
    case .query, .ec2:
      let fields =
        [(name: "Action", value: call.action), (name: "Version", value: version)]
        + parameters.map { (name: $0.0, value: $0.1) }
      return ServiceRequest(
        method: "POST", origin: origin, path: "/",
        headers: [("content-type", "application/x-www-form-urlencoded; charset=utf-8")],
        body: Array(RequestSigner.canonical(fields).utf8))
    case .json:
      let members = parameters.map { name, value, isText in Self.member(name[...], value, isText) }
      return ServiceRequest(
        method: "POST", origin: origin, path: "/",
        headers: [
          ("content-type", "application/x-amz-json-\(jsonVersion)"),
          ("x-amz-target", "\(version).\(call.action)"),
        ], body: Array("{\(members.joined(separator: ","))}".utf8))
    case .restJSON, .restXML:
      let target = call.action.dropFirst("GET ".count)
      let halves = target.split(separator: "?", maxSplits: 1)
      var query = (halves.count > 1 ? halves[1] : "").split(separator: "&").map { pair in
        let sides = pair.split(separator: "=", maxSplits: 1).map(String.init)
        return (name: sides[0], value: sides.count > 1 ? scope.filled(sides[1], item) : "")
      }
      query += parameters.map { (name: $0.0, value: $0.1) }
      return ServiceRequest(
        method: "GET", origin: origin, path: scope.filled(String(halves[0]), item, encodes: true),
        query: query)
    }
  }

  /// What an answer to a call must be.
  func wanted(_ call: AccountCall) -> WantedAnswer {
    WantedAnswer(
      name: call.name, root: call.root ?? root(call.action), member: call.mayLack ? nil : call.take.first,
      needs: call.needs, isAlone: call.isAlone, isText: call.isText)
  }

  /// Whether answers are JSON.
  func answersJSON(_ root: String?) -> Bool {
    root == "json" || protocolKind == .json || protocolKind == .restJSON
  }

  /// The outermost element of an answer in XML, where the protocol tells it.
  func root(_ action: String) -> String? {
    protocolKind == .query || protocolKind == .ec2 ? "\(action)Response" : nil
  }

  /// The value that an answer holds. What isn't the call's answer is a failure, whatever its status says: who stands between
  /// (a proxy's page, an empty body) mustn't make a list empty.
  func value(of body: [UInt8], _ wanted: WantedAnswer) throws(CallFailure) -> Value {
    func unreadable(_ text: String) -> CallFailure { CallFailure(code: "Unreadable", message: text) }
    guard let first = body.first(where: { ![32, 9, 10, 13].contains($0) }) else {
      if wanted.mayBeEmpty { return Value(.null) }
      throw unreadable("the answer is empty")
    }
    let isJSON = first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
    let wantsJSON = answersJSON(wanted.root)
    guard isJSON == wantsJSON else { throw unreadable("the answer isn't \(wantsJSON ? "JSON" : "XML")") }
    // Bytes that are replaced would make one name or pattern of another.
    guard let text = String(validating: body, as: UTF8.self) else { throw unreadable("it isn't UTF-8") }
    let name: String?
    var value: Value
    do throws(DocumentFault) {
      (name, value) =
        try isJSON ? (nil, JSONReader.value(of: text, namesOnce: true)) : XMLAnswer.element(of: body)
    } catch { throw unreadable("the answer can't be read: \(error)") }
    // Some that speak S3's language name the element after the call.
    if let name, let root = wanted.root, name != root, name != "\(wanted.name)Response" {
      throw unreadable("the answer is <\(name.prefix(60))>, wanted <\(root)>")
    }
    // AWS Query wraps what it gives in one element more.
    if protocolKind == .query, let result = value.members.first(where: { $0.name.hasSuffix("Result") }) {
      value = result.value
    }
    for member in (wanted.member.map { [$0] } ?? []) + wanted.needs {
      guard let found = value[member], !(isJSON && found.isNull) else {
        throw unreadable("the answer has no \(member)")
      }
    }
    if let member = wanted.member, let found = value[member] {
      if wanted.isAlone, found.members.isEmpty { throw unreadable("the answer has nothing in \(member)") }
      if wanted.isText { _ = try Self.inner(found, member) }
    }
    return value
  }

  /// What JSON in text says.
  static func inner(_ value: Value, _ member: String) throws(CallFailure) -> Value {
    guard let text = value.string, let inner = try? JSONReader.value(of: text, namesOnce: true),
      !inner.members.isEmpty
    else { throw CallFailure(code: "Unreadable", message: "\(member) isn't JSON that can be read") }
    return inner
  }

  /// What an answer with an error says.
  static func failure(status: Int, type: String?, body: [UInt8]) -> CallFailure {
    var code = type ?? ""
    var message = ""
    let isJSON = body.first == UInt8(ascii: "{")
    let value =
      isJSON
      ? try? JSONReader.value(of: String(decoding: body, as: UTF8.self)) : try? XMLAnswer.value(of: body)
    if let value {
      let inner = value.all(at: ["Errors", "Error"]).first ?? value.all(at: ["Error"]).first ?? value
      for name in ["__type", "code", "Code"] where code.isEmpty { code = inner[name]?.string ?? "" }
      for name in ["message", "Message"] where message.isEmpty { message = inner[name]?.string ?? "" }
    }
    code = String(code.split(separator: "#").last ?? "").split(separator: ":").first.map(String.init) ?? ""
    let line = message.split(whereSeparator: \.isNewline).joined(separator: " ")
    return CallFailure(
      code: code.isEmpty ? "HTTP \(status)" : Secret.cleaned(code, most: 100),
      message: Secret.cleaned(line, most: 300), status: status)
  }

  /// `A.b` = `[X,Y]` → `"A":{"b":["X","Y"]}`.
  private static func member(_ name: Substring, _ value: String, _ isText: Bool) -> String {
    if let dot = name.firstIndex(of: ".") {
      return "\(quoted(String(name[..<dot]))):{\(member(name[name.index(after: dot)...], value, isText))}"
    }
    let plain = !isText && (value == "true" || value == "false" || Int64(value) != nil)
    var text = plain ? value : quoted(value)
    if !isText, value.hasPrefix("["), value.hasSuffix("]") {
      let texts = value.dropFirst().dropLast().split(separator: ",").map { quoted(String($0)) }
      text = "[\(texts.joined(separator: ","))]"
    }
    return "\(quoted(String(name))):\(text)"
  }

  private static func quoted(_ text: String) -> String {
    (try? JSONEncoder().encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
  }
}
