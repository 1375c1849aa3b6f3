// What of an answer is believed: all its pages, and lists only of what stands where and as the table of calls says. What
// stands elsewhere, or is something else, makes the answer unreadable, so that it never becomes an empty list.

import GuardRules
import Resources

/// Items of an answer.
struct AnswerItems {
  enum Kind {
    /// Each has members.
    case structures
    /// Each is a text.
    case texts
    /// Of either kind.
    case any
    /// The one thing that is meant has members, and is no list.
    case alone
  }
  let isJSON: Bool
  let kind: Kind

  /// Where something stands.
  private enum Standing {
    /// By itself.
    case own
    /// As an element that is repeated for each item, so that one isn't told from a list of one.
    case repeated
    /// In an item of a list further out.
    case each
    /// In JSON in text.
    case inner
  }

  /// What stands at a path.
  /// - Throws: `CallFailure` where what stands there is no list of such items.
  func all(_ answer: Value, at path: [String]) throws(CallFailure) -> [Value] {
    try below(answer, path[...], .own)
  }

  private func unreadable(_ text: String) -> CallFailure { CallFailure(code: "Unreadable", message: text) }

  private func below(_ holder: Value, _ path: ArraySlice<String>, _ standing: Standing) throws(CallFailure)
    -> [Value]
  {
    guard let name = path.first else { return try items(holder, standing) }
    guard let found = holder[name] else { throw unreadable("the answer has no \(name)") }
    let rest = path.dropFirst()
    guard let next = rest.first else { return try items(found, standing) }
    switch found.content {
    case .null where !isJSON: return []
    case .string where isJSON: return try below(AccountService.inner(found, name), rest, .inner)
    case .map:
      if isJSON { return try below(found, rest, standing) }
      // Nothing else stands among elements that are repeated.
      guard found.members.count == 1 else { throw unreadable("\(name) isn't a list of \(next)") }
      return try below(found, rest, .repeated)
    case .list(let values) where !isJSON:
      var out: [Value] = []
      for value in values { out += try below(value, rest, .each) }
      return out
    default: throw unreadable("\(name) isn't a list")
    }
  }

  private func items(_ value: Value, _ standing: Standing) throws(CallFailure) -> [Value] {
    if kind == .alone {
      guard !value.members.isEmpty else { throw unreadable("the answer has nothing in it") }
      return [value]
    }
    var items = [value]
    switch (value.content, standing) {
    case (.list(let values), _): items = values
    case (.null, .own) where !isJSON, (.null, .each) where !isJSON: return []
    case (.map, .repeated), (.map, .inner): break
    case (.string, .each) where kind != .structures: break
    default: throw unreadable("the answer's list is none")
    }
    for item in items {
      let isText = item.string?.isEmpty == false
      guard kind != .texts && !item.members.isEmpty || kind != .structures && isText else {
        throw unreadable("something in the answer's list is none of its items")
      }
    }
    return items
  }
}

extension RegionScan {
  /// Makes a call.
  func ask(
    _ service: AccountService, _ call: AccountCall, item: Value?, scope: CallScope,
    extra: (name: String, value: String)? = nil
  ) async throws(CallFailure) -> Value {
    do throws(CallFailure) {
      return try await client.call(service, call, item: item, scope: scope, extra: extra)
    } catch {
      if !call.nowhere.isEmpty, error.code == "AccessDeniedException", error.message.contains(call.nowhere) {
        return Value(.null)
      }
      throw error
    }
  }

  /// Makes a call, with all pages of its answer in one.
  func whole(
    _ service: AccountService, _ call: AccountCall, item: Value?, scope: CallScope
  ) async throws(CallFailure) -> Value {
    var whole: Value?
    var tokens: Set<String> = []
    var extra: (name: String, value: String)?
    while true {
      let answer = try await ask(service, call, item: item, scope: scope, extra: extra)
      whole = whole?.joined(answer) ?? answer
      guard let token = try answer.nextPage(at: call.page?.from), let page = call.page else { break }
      guard tokens.insert(token).inserted, tokens.count < Self.mostPages else {
        throw .endless("the same page again and again")
      }
      extra = (page.parameter, token)
    }
    let found = whole ?? Value(.null)
    if !found.isNull, !call.take.isEmpty, !call.mayLack, !service.answersJSON(call.root) {
      _ = try AnswerItems(isJSON: false, kind: call.isAlone ? .alone : .any).all(found, at: call.take)
    }
    return found
  }

  /// The items that a list's answer has.
  /// - Parameter parent: what the list hangs on.
  func items(
    of answer: Value, _ service: AccountService, _ list: AccountList, _ call: AccountCall, parent: Value?,
    _ scope: CallScope
  ) throws(CallFailure) -> [Value] {
    let kind: AnswerItems.Kind =
      call.isAlone ? .alone : list.arn.contains("{it}") ? .texts : .structures
    let items = AnswerItems(isJSON: service.answersJSON(call.root), kind: kind)
    var out: [Value] = []
    for found in try items.all(answer, at: call.take) {
      let item = kind == .texts ? Value(.map(Members([("it", found)]))) : found
      if let name = scope.missing(list.arn, parent.map { item.adding("parent", $0) } ?? item) {
        throw CallFailure(code: "Unreadable", message: "an item in the answer's list has no \(name)")
      }
      out.append(item)
    }
    return out
  }

  /// Whether an item isn't looked at: by the table, or as another account's.
  func isLeftOut(_ item: Value, _ list: AccountList) -> Bool {
    if let name = list.owner, let owner = item[name]?.string, !owner.isEmpty, owner != account { return true }
    guard let skip = list.skip, let value = item.value(at: skip.path)?.plainText else { return false }
    return skip.values.contains(value)
  }

  /// Why a call for an item of another account told nothing, where that is to be expected.
  func elsewhere(_ call: AccountCall, _ failure: CallFailure, of name: String) -> String? {
    let parts = name.split(separator: ":", omittingEmptySubsequences: false)
    guard call.elsewhere.contains(failure.code), parts.count > 5, parts[4] != account else { return nil }
    return "\(call.name): only account \(parts[4]), whose it is, is told that"
  }
}

extension Value {
  /// What an answer gives for its next page; nil = it is the last.
  /// - Throws: `CallFailure` where there is more, and nothing that could be given.
  func nextPage(at path: [String]?) throws(CallFailure) -> String? {
    let token = path.flatMap { value(at: $0) } ?? Value(.null)
    if let text = token.string, !text.isEmpty { return text }
    guard token.isNull || token.string != nil else {
      throw CallFailure(code: "Unreadable", message: "what the answer gives for its next page isn't text")
    }
    for name in ["IsTruncated", "Truncated"] where self[name]?.plainText?.lowercased() == "true" {
      throw CallFailure(code: "Unreadable", message: "there is more, and it isn't told where")
    }
    return nil
  }

  /// Two pages of an answer: lists one behind the other.
  fileprivate func joined(_ next: Value) -> Value {
    var members = self.members.map { ($0.name, $0.value) }
    for member in next.members {
      guard let place = members.firstIndex(where: { $0.0 == member.name }) else {
        members.append((member.name, member.value))
        continue
      }
      if let more = member.value.list {
        members[place].1 = Value(.list((members[place].1.list ?? []) + more), at: members[place].1.place)
      }
    }
    return Value(.map(Members(members)), at: place)
  }
}
