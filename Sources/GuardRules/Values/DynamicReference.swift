// A text of a template that is read from elsewhere when it is deployed (`{{resolve:secretsmanager:…}}`): what it comes to isn't
// known, how it is written is. Rules that speak of such writings (`== /{{resolve:secretsmanager/`) see them.
// Source: AWS CloudFormation User Guide, "Get values stored in other services using dynamic references".

extension Value {
  /// Whether a text has a dynamic reference in it.
  public static func isDynamicReference(_ text: String) -> Bool {
    // Asked of every text of a template: few have a brace, and searching characters is slow.
    guard text.utf8.contains(UInt8(ascii: "{")), let begin = text.firstRange(of: "{{resolve:") else {
      return false
    }
    return text[begin.upperBound...].firstRange(of: "}}") != nil
  }

  /// The writing, where that is all that is known: a text.
  var dynamicReference: Value? {
    guard case .unknown(let unknown) = content, let written = unknown.written, case .string = written.content
    else { return nil }
    return written
  }

  /// Whether it is compared with writings: a text or a pattern of a rule that has `{{resolve` in it.
  private var asksForReferences: Bool {
    switch content {
    case .string(let text): text.contains("{{resolve")
    case .pattern(let pattern): pattern.source.contains("resolve") && pattern.source.contains("{")
    default: false
    }
  }

  /// Its writing where it is compared with one, else itself.
  func written(for other: Value) -> Value {
    guard let written = dynamicReference, other.asksForReferences else { return self }
    return written
  }

  /// Whether its writing settles whether it is in a list: it is one of the writings there, or there is nothing else.
  func isWritten(in other: Value) throws(Pattern.TooMuch) -> Bool {
    guard let written = dynamicReference else { return false }
    let all = other.elements
    if all.allSatisfy(\.asksForReferences) { return true }
    for each in all where each.asksForReferences {
      if try Equality.equal(written, each) == true { return true }
    }
    return false
  }
}
