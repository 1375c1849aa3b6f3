// The table of operators, by the names of SecLang.
//
// What isn't offered is in the table as well, so that a rule that asks for it is refused with the reason.

/// An operator's name and how one is made.
public struct OperatorDefinition: Sendable {
  /// As in the reference manual; compared without case.
  public let name: String
  /// Other names for it.
  public let aliases: [String]
  /// Whether it is nothing without an argument.
  public let needsArgument: Bool
  /// Makes one. `argument` holds no macro any more.
  public let make:
    @Sendable (_ argument: [UInt8], _ context: OperatorContext) throws(OperatorFault) -> any Operator

  init(
    _ name: String, aliases: [String] = [], needsArgument: Bool = true,
    make: @escaping @Sendable ([UInt8], OperatorContext) throws(OperatorFault) -> any Operator
  ) {
    self.name = name
    self.aliases = aliases
    self.needsArgument = needsArgument
    self.make = make
  }

  /// One that Kabuto doesn't have.
  static func refused(_ name: String, _ wanted: String) -> OperatorDefinition {
    OperatorDefinition(name, needsArgument: false) { (_, _) throws(OperatorFault) in
      throw OperatorFault(found: "the operator @\(name), which is not offered", wanted: wanted)
    }
  }
}

/// All operators.
public enum Operators {
  /// In the order of the alphabet, those that aren't offered last.
  public static let all: [OperatorDefinition] = [
    OperatorDefinition("beginsWith") { argument, _ in BeginsWith(argument) },
    OperatorDefinition("contains") { argument, _ in Contains(argument) },
    OperatorDefinition("containsWord") { argument, _ in ContainsWord(argument) },
    OperatorDefinition("detectSQLi", needsArgument: false) { _, _ in DetectSQLi() },
    OperatorDefinition("detectXSS", needsArgument: false) { _, _ in DetectXSS() },
    OperatorDefinition("endsWith") { argument, _ in EndsWith(argument) },
    OperatorDefinition("eq") { argument, _ in Comparison(.equal, argument) },
    OperatorDefinition("ge") { argument, _ in Comparison(.greaterOrEqual, argument) },
    OperatorDefinition("geoLookup", needsArgument: false) { _, _ in NoMatch() },
    OperatorDefinition("gt") { argument, _ in Comparison(.greater, argument) },
    OperatorDefinition("ipMatch") { (argument, _) throws(OperatorFault) in try IpMatch(argument: argument) },
    OperatorDefinition("ipMatchFromFile", aliases: ["ipMatchF"]) {
      (argument, context) throws(OperatorFault) in
      try IpMatch(file: context.bytes(of: argument))
    },
    OperatorDefinition("le") { argument, _ in Comparison(.lessOrEqual, argument) },
    OperatorDefinition("lt") { argument, _ in Comparison(.less, argument) },
    OperatorDefinition("noMatch", needsArgument: false) { _, _ in NoMatch() },
    OperatorDefinition("pm") { (argument, _) throws(OperatorFault) in try Pm(argument: argument) },
    OperatorDefinition("pmFromFile", aliases: ["pmf"]) { (argument, context) throws(OperatorFault) in
      try Pm(file: context.bytes(of: argument))
    },
    OperatorDefinition("rbl") { _, _ in NoMatch() },
    OperatorDefinition("rx") { (argument, context) throws(OperatorFault) in
      try Rx(argument, context.regexOptions)
    },
    OperatorDefinition("rxGlobal") { (argument, context) throws(OperatorFault) in
      try RxGlobal(argument, context.regexOptions)
    },
    OperatorDefinition("streq") { argument, _ in StrEq(argument) },
    OperatorDefinition("strmatch") { argument, _ in Contains(argument) },
    OperatorDefinition("unconditionalMatch", needsArgument: false) { _, _ in UnconditionalMatch() },
    OperatorDefinition("validateByteRange") { (argument, _) throws(OperatorFault) in
      try ValidateByteRange(argument)
    },
    OperatorDefinition("validateUrlEncoding", needsArgument: false) { _, _ in ValidateUrlEncoding() },
    OperatorDefinition("validateUtf8Encoding", needsArgument: false) { _, _ in ValidateUtf8Encoding() },
    verified("verifyCC", CheckDigits.isPaymentCard),
    verified("verifyCPF", CheckDigits.isTaxpayer),
    verified("verifySSN", CheckDigits.isSocialSecurity),
    verified("verifySVNR", CheckDigits.isSocialInsurance),
    OperatorDefinition("within") { argument, _ in Within(argument) },

    .refused("fuzzyHash", "another way to know a file, for instance its SHA-1 (t:sha1,t:hexEncode)"),
    .refused("gsbLookup", "a rule without it: the service it asked has ended"),
    .refused("inspectFile", "rules that look at the file's content (FILES_TMP_CONTENT)"),
    .refused("rsub", "a rule without it: bodies aren't rewritten"),
    .refused("validateDTD", "rules that look at the parsed XML (XML:/*)"),
    .refused("validateHash", "a rule without it: links aren't signed"),
    .refused("validateSchema", "rules that look at the parsed XML (XML:/*)"),
  ]

  /// The operator of that name or alias, in any case.
  public static func named(_ name: String) -> OperatorDefinition? { byName[name.lowercased()] }

  private static let byName: [String: OperatorDefinition] = {
    var table: [String: OperatorDefinition] = [:]
    for definition in all {
      for name in [definition.name] + definition.aliases { table[name.lowercased()] = definition }
    }
    return table
  }()

  private static func verified(
    _ name: String, _ isValid: @escaping @Sendable (ByteView) -> Bool
  ) -> OperatorDefinition {
    OperatorDefinition(name) { (argument, context) throws(OperatorFault) in
      try VerifiedNumber(argument, context.regexOptions, isValid: isValid)
    }
  }
}

extension OperatorContext {
  /// The content of the file that an argument names.
  fileprivate func bytes(of argument: [UInt8]) throws(OperatorFault) -> [UInt8] {
    let path = String(decoding: trimmed(argument[...]), as: UTF8.self)
    do {
      return try file(path)
    } catch {
      throw OperatorFault(
        found: "the file \"\(path)\", which can't be read (\(error))", wanted: "a file that is there")
    }
  }
}
