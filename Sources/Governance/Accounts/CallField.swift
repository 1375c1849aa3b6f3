// What a call outside the table is given: values within values, written down once and put into a form, into JSON or into
// nothing by the service's protocol (Smithy, "AWS protocols"). Order is kept.

import Foundation
import GuardRules

/// A value that a call is given.
indirect enum CallField: Sendable, Equatable {
  case text(String)
  case number(Int64)
  case bool(Bool)
  case list([CallField])
  case map([Member])

  struct Member: Sendable, Equatable {
    let name: String
    let value: CallField
  }

  /// The same as a value of a document; what such a call can't say (null, unknown) is left out.
  init?(_ value: Value) {
    switch value.content {
    case .string(let text): self = .text(text)
    case .int(let number): self = .number(number)
    case .bool(let flag): self = .bool(flag)
    case .list(let values): self = .list(values.compactMap { CallField($0) })
    case .map(let members):
      self = .map(
        members.all.compactMap { each in
          CallField(each.value).map { Member(name: each.name, value: $0) }
        })
    default: return nil
    }
  }

  /// As JSON.
  var json: String {
    switch self {
    case .text(let text): return Self.quoted(text)
    case .number(let number): return String(number)
    case .bool(let flag): return flag ? "true" : "false"
    case .list(let values): return "[" + values.map(\.json).joined(separator: ",") + "]"
    case .map(let members):
      return "{" + members.map { "\(Self.quoted($0.name)):\($0.value.json)" }.joined(separator: ",") + "}"
    }
  }

  /// As fields of a form: `Name.member.1.Inner` in AWS Query, `Name.1.Inner` in EC2's dialect.
  func fields(_ name: String, isEC2: Bool) -> [(name: String, value: String)] {
    switch self {
    case .text(let text): return [(name, text)]
    case .number(let number): return [(name, String(number))]
    case .bool(let flag): return [(name, flag ? "true" : "false")]
    case .list(let values):
      // AWS Query says an empty list by a name without a value.
      if values.isEmpty { return isEC2 ? [] : [(name, "")] }
      return values.enumerated().flatMap { place, value in
        value.fields("\(name)\(isEC2 ? "" : ".member").\(place + 1)", isEC2: isEC2)
      }
    case .map(let members):
      return members.flatMap { $0.value.fields("\(name).\($0.name)", isEC2: isEC2) }
    }
  }

  private static func quoted(_ text: String) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    return (try? encoder.encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
  }
}

extension CallField: ExpressibleByStringLiteral, ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  init(stringLiteral text: String) { self = .text(text) }
  init(integerLiteral number: Int64) { self = .number(number) }
  init(booleanLiteral flag: Bool) { self = .bool(flag) }
  init(arrayLiteral values: CallField...) { self = .list(values) }
  init(dictionaryLiteral members: (String, CallField)...) {
    self = .map(members.map { Member(name: $0.0, value: $0.1) })
  }
}
