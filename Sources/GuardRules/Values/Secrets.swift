// Values that are never shown: what a template's `NoEcho` parameter stands for, what a plan marks as sensitive, and all that
// is made of them. Rules compare them as they are; where a text is composed of a value, `Value.text` hides it.
//
// Invariant: all that is within a secret value is secret, the names of its members included, so that what a query selects
// of it is; what a function makes of a secret value, or with one, is secret as a whole. How many there are isn't hidden, nor
// whether a rule holds: who writes rules can ask a secret questions, and is to be trusted with the answers.

extension Value {
  /// What is shown instead.
  static let hiddenText = "(hidden)"

  /// Whether a name tells that what it names is secret, though nobody marked it: texts of such members aren't shown.
  public static func isSecretName(_ name: String) -> Bool {
    let plain = name.lowercased().filter { $0.isLetter || $0.isNumber }
    return secretEndings.contains { plain.hasSuffix($0) }
  }
  private static let secretEndings = [
    "password", "passwd", "passphrase", "secret", "secretstring", "secretkey", "accesskey", "apikey",
    "privatekey",
    "token", "credentials",
  ]

  /// The same, never to be shown, with all that is in it. What isn't known yet keeps its reason.
  /// - Precondition: it was read, so it isn't deeper than what can be read.
  public var hidden: Value {
    switch content {
    case .list(let values): Value(.list(values.map(\.hidden)), at: place, isSecret: true)
    case .map(let members):
      Value(
        .map(
          Members(
            members.all.map { ($0.name, $0.value.hidden) }, rest: members.rest, perhaps: members.perhaps)),
        at: place, isSecret: true)
    default: isSecret ? self : Value(content, at: place, isSecret: true, isLoose: isLoose)
    }
  }

  /// Whether something in it is never to be shown.
  public var holdsSecret: Bool {
    if isSecret { return true }
    return switch content {
    case .list(let values): values.contains(where: \.holdsSecret)
    case .map(let members): members.all.contains { $0.value.holdsSecret }
    default: false
    }
  }

  /// The same, in which nothing is known of what is secret: for who composes texts without `Value.text`.
  /// - Precondition: it was read, so it isn't deeper than what can be read.
  public var withoutSecrets: Value {
    if isSecret { return Value(.unknown(Unknown("it is hidden", mayBeAbsent: false)), at: place) }
    guard holdsSecret else { return self }
    switch content {
    case .list(let values): return Value(.list(values.map(\.withoutSecrets)), at: place)
    case .map(let members):
      return Value(
        .map(
          Members(
            members.all.map { ($0.name, $0.value.withoutSecrets) }, rest: members.rest,
            perhaps: members.perhaps)), at: place)
    default: return self
    }
  }
}
