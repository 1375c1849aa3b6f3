// Functions of the language: each maps the values of its first argument; a value of another kind is left out. What is made
// of a secret, or with one, is secret, also in errors.

extension Evaluation {
  func call(_ call: FunctionCall, _ scope: Scope) throws(EvaluationFault) -> [Selected] {
    var arguments: [[Selected]] = []
    for argument in call.arguments { arguments.append(try valuesThere(of: argument, scope)) }
    let first = arguments.first ?? []
    // What is made of many stands where the first of them does.
    let source = first.lazy.compactMap(\.value).first { !($0.place == .made) }
    // What is made of what isn't known isn't known.
    let isOfAll = call.function == .count || call.function == .join
    let looked = isOfAll ? arguments : Array(arguments.dropFirst())
    for each in looked.joined() {
      let isUnknown = each.value?.isUnknown ?? false
      if each.isUncertain || (isUnknown && call.function != .count) {
        return [.found(unmade(call, from: source))]
      }
    }
    let isWithSecret = looked.joined().contains { $0.value?.holdsSecret ?? false }
    // Of the value that is mapped now.
    var hides = isWithSecret
    func made(_ content: Value.Content, from source: Value?) -> Value {
      var value = Value(content, at: source?.place ?? .made)
      if hides { value = value.hidden }
      if let source { note(value, from: source) }
      return value
    }
    func mapped(_ body: (Value) throws(EvaluationFault) -> Value.Content?) throws(EvaluationFault)
      -> [Selected]
    {
      var out: [Selected] = []
      for each in first {
        guard let value = each.value else {
          // What isn't there makes nothing.
          if each.isUncertain { out.append(each) }
          continue
        }
        let before = out.count
        hides = isWithSecret || value.holdsSecret
        if value.isUnknown {
          out.append(.found(unmade(call, from: value)))
        } else if let content = try body(value) {
          out.append(.found(made(content, from: value)))
        }
        if case .perhaps = each { out.doubt(from: before) }
      }
      return out
    }
    func texts(_ body: (String) throws(EvaluationFault) -> Value.Content?) throws(EvaluationFault)
      -> [Selected]
    {
      try mapped { value throws(EvaluationFault) in
        guard let text = value.textAsAsked else { return nil }
        return try body(text)
      }
    }
    func bad(_ text: String, _ wanted: String) -> EvaluationFault {
      let shown = hides ? Value.hiddenText : "\"\(text.prefix(80))\""
      return fault("\(call.function.rawValue) of \(shown): wanted \(wanted)", call.place)
    }
    func text(_ number: Int) throws(EvaluationFault) -> String {
      guard arguments[number].count == 1, case .string(let text)? = arguments[number][0].value?.content else {
        throw fault("argument \(number + 1) of \(call.function.rawValue) must be one text", call.place)
      }
      return text
    }
    func int(_ number: Int) throws(EvaluationFault) -> Int {
      guard arguments[number].count == 1, let value = arguments[number][0].value else {
        throw fault("argument \(number + 1) of \(call.function.rawValue) must be one number", call.place)
      }
      switch value.content {
      case .int(let value): return Int(value)
      case .float(let value) where abs(value) < 1e15: return Int(value)
      default: throw fault("argument \(number + 1) of \(call.function.rawValue) must be a number", call.place)
      }
    }
    switch call.function {
    case .count:
      hides = false
      return [.found(made(.int(Int64(first.count { $0.value != nil })), from: source))]
    case .now: return [.found(Value(.int(now), at: .made))]
    case .join:
      let delimiter = try text(1)
      var parts: [String] = []
      for each in first {
        guard let part = each.value?.textAsAsked else {
          throw fault("join takes texts, and this is \(each.value?.kind ?? "not there")", call.place)
        }
        parts.append(part)
      }
      return [.found(made(.string(parts.joined(separator: delimiter)), from: source))]
    case .jsonParse:
      return try texts { text throws(EvaluationFault) in
        do throws(DocumentFault) { return try Value.reading(yaml: text, .tests).content } catch {
          // What is wrong with a text is told by what stands in it.
          throw self.fault(
            "json_parse: \(hides ? "\(Value.hiddenText) is neither JSON nor YAML" : "\(error)")", call.place)
        }
      }
    case .regexReplace:
      let (source, template) = (try text(1), try text(2))
      let pattern: Pattern
      do throws(Pattern.Fault) { pattern = try Pattern(source) } catch { throw bad(source, error.reason) }
      return try texts { text throws(EvaluationFault) in
        do throws(Pattern.TooMuch) { return .string(try pattern.expansions(of: template, in: text)) } catch {
          throw self.fault("regex_replace needs too many steps", call.place)
        }
      }
    case .substring:
      let (from, to) = (try int(1), try int(2))
      return try texts { text throws(EvaluationFault) in
        let bytes = Array(text.utf8)
        guard from >= 0, from < to, to <= bytes.count else { return nil }
        return String(validating: bytes[from..<to], as: UTF8.self).map { .string($0) }
      }
    case .toLower: return try texts { text throws(EvaluationFault) in .string(text.lowercased()) }
    case .toUpper: return try texts { text throws(EvaluationFault) in .string(text.uppercased()) }
    case .urlDecode:
      return try texts { text throws(EvaluationFault) in Self.percentDecoded(text).map { .string($0) } }
    case .parseEpoch:
      return try texts { text throws(EvaluationFault) in
        guard let seconds = RFC3339.seconds(text) else { throw bad(text, "a time as in RFC 3339") }
        return .int(seconds)
      }
    case .parseBoolean:
      return try mapped { value throws(EvaluationFault) in
        switch value.content {
        case .bool: return value.content
        case .string(let text):
          switch text.lowercased() {
          case "true": return .bool(true)
          case "false": return .bool(false)
          default: throw bad(text, "true or false")
          }
        default: return nil
        }
      }
    case .parseInt:
      return try mapped { value throws(EvaluationFault) in
        switch value.content {
        case .int: return value.content
        case .float(let number):
          guard let whole = Int64(exactly: number.rounded(.towardZero)) else {
            throw bad(String(number), "a number of 64 bits")
          }
          return .int(whole)
        case .string(let text):
          guard let number = Int64(text) else { throw bad(text, "a whole number") }
          return .int(number)
        case .character(let character):
          guard let digit = Int64(String(character)) else { throw bad(String(character), "a digit") }
          return .int(digit)
        default: return nil
        }
      }
    case .parseFloat:
      return try mapped { value throws(EvaluationFault) in
        switch value.content {
        case .float: return value.content
        case .int(let number): return .float(Double(number))
        case .string(let text):
          guard let number = Double(text) else { throw bad(text, "a number") }
          return .float(number)
        case .character(let character):
          guard let digit = Double(String(character)) else { throw bad(String(character), "a digit") }
          return .float(digit)
        default: return nil
        }
      }
    case .parseString:
      return try mapped { value throws(EvaluationFault) in
        switch value.content {
        case .string: return value.content
        case .int(let number): return .string(String(number))
        case .float(let number): return .string(Self.decimal(number))
        case .character(let character): return .string(String(character))
        case .bool(let flag): return .string(flag ? "true" : "false")
        default: return nil
        }
      }
    case .parseChar:
      return try mapped { value throws(EvaluationFault) in
        switch value.content {
        case .string(let text):
          guard let only = text.unicodeScalars.first, text.unicodeScalars.count == 1 else {
            throw bad(text, "one character")
          }
          return .character(only)
        case .character: return value.content
        case .int(let number):
          guard (0...9).contains(number), let digit = String(number).unicodeScalars.first else {
            throw bad(String(number), "0 to 9")
          }
          return .character(digit)
        default: return nil
        }
      }
    }
  }

  private func unmade(_ call: FunctionCall, from source: Value?) -> Value {
    let value = Value(
      .unknown(Unknown("\(call.function.rawValue) of what isn't known yet")), at: source?.place ?? .made)
    if let source { note(value, from: source) }
    return value
  }

  /// A number in digits, without an exponent, and without a point where it is whole.
  private static func decimal(_ number: Double) -> String {
    guard number.isFinite else { return number.isNaN ? "NaN" : String(number) }
    let sign = number.sign == .minus ? "-" : ""
    let parts = String(number.magnitude).split(separator: "e")
    let halves = (parts.first ?? "0").split(separator: ".")
    let exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    var whole = String(halves.first ?? "0")
    var fraction = halves.count > 1 && halves[1] != "0" ? String(halves[1]) : ""
    if exponent > 0 {
      let moved = fraction.prefix(exponent)
      whole += moved + String(repeating: "0", count: exponent - moved.count)
      fraction = String(fraction.dropFirst(exponent))
    } else if exponent < 0 {
      fraction = String(repeating: "0", count: -exponent - 1) + whole + fraction
      whole = "0"
    }
    return sign + whole + (fraction.isEmpty ? "" : "." + fraction)
  }

  /// nil = no UTF-8.
  private static func percentDecoded(_ text: String) -> String? {
    func digit(_ byte: UInt8) -> UInt8? {
      switch byte {
      case 48...57: byte - 48
      case 65...70: byte - 55
      case 97...102: byte - 87
      default: nil
      }
    }
    let bytes = Array(text.utf8)
    var out: [UInt8] = []
    var place = 0
    while place < bytes.count {
      if bytes[place] == UInt8(ascii: "%"), place + 2 < bytes.count, let high = digit(bytes[place + 1]),
        let low = digit(bytes[place + 2])
      {
        out.append(high << 4 | low)
        place += 3
      } else {
        out.append(bytes[place])
        place += 1
      }
    }
    return String(validating: out, as: UTF8.self)
  }
}

/// Times as in RFC 3339.
public enum RFC3339 {
  /// Seconds since 1970 UTC; fractions are cut off. nil = it is no such time.
  public static func seconds(_ text: String) -> Int64? {
    let bytes = Array(text.utf8)
    func number(_ from: Int, _ count: Int) -> Int64? {
      guard from + count <= bytes.count else { return nil }
      var value: Int64 = 0
      for byte in bytes[from..<from + count] {
        guard (48...57).contains(byte) else { return nil }
        value = value * 10 + Int64(byte - 48)
      }
      return value
    }
    guard bytes.count >= 20, bytes[4] == 45, bytes[7] == 45, bytes[10] | 32 == 116 || bytes[10] == 32,
      bytes[13] == 58, bytes[16] == 58, let year = number(0, 4), let month = number(5, 2),
      let day = number(8, 2),
      let hour = number(11, 2), let minute = number(14, 2), let second = number(17, 2),
      (1...12).contains(month),
      (1...31).contains(day), hour < 24, minute < 60, second <= 60
    else { return nil }
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let lengths: [Int64] = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    guard day <= lengths[Int(month) - 1] else { return nil }
    var place = 19
    if place < bytes.count, bytes[place] == 46 {
      place += 1
      let digits = bytes[place...].prefix { (48...57).contains($0) }.count
      guard digits > 0 else { return nil }
      place += digits
    }
    guard place < bytes.count else { return nil }
    var offset: Int64 = 0
    switch bytes[place] {
    case UInt8(ascii: "Z"), UInt8(ascii: "z"): guard place + 1 == bytes.count else { return nil }
    case UInt8(ascii: "+"), UInt8(ascii: "-"):
      guard place + 6 == bytes.count, bytes[place + 3] == 58, let hours = number(place + 1, 2),
        let minutes = number(place + 4, 2), hours < 24, minutes < 60
      else { return nil }
      offset = (hours * 60 + minutes) * 60 * (bytes[place] == UInt8(ascii: "+") ? 1 : -1)
    default: return nil
    }
    // Days since 1970, by years that begin in March.
    let shifted = month <= 2 ? year - 1 : year
    let era = shifted / 400
    let ofEra = shifted - era * 400
    let ofYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let days = era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468
    return ((days * 24 + hour) * 60 + minute) * 60 + second - offset
  }
}
