// The table of transformations, by the names of SecLang. One line each; `none` is the compiler's own.

/// All transformations.
public enum Transformations {
  /// In the order of the alphabet.
  public static let all: [Transformation] = [
    .base64Decode, .base64DecodeExt, .base64Encode, .cmdLine, .compressWhitespace, .cssDecode,
    .escapeSeqDecode,
    .hexDecode, .hexEncode, .htmlEntityDecode, .jsDecode, .length, .lowercase, .md5, .normalizePath,
    .normalizePathWin, .parityEven7bit, .parityOdd7bit, .parityZero7bit, .phpArgsNames, .removeComments,
    .removeCommentsChar, .removeNulls, .removeWhitespace, .replaceComments, .replaceNulls, .sha1,
    .sqlHexDecode,
    .trim, .trimLeft, .trimRight, .uppercase, .urlDecode, .urlDecodeUni, .urlEncode, .utf8toUnicode,
  ]

  /// The transformation of that name or alias, in any case.
  public static func named(_ name: String) -> Transformation? { byName[name.lowercased()] }

  private static let byName: [String: Transformation] = {
    var table: [String: Transformation] = [:]
    for transformation in all {
      for name in [transformation.name] + transformation.aliases { table[name.lowercased()] = transformation }
    }
    return table
  }()
}

extension Transformation {
  /// Whether a value whose bytes are of these classes is sure to come back as it is. An empty value has no classes, and
  /// some change it (`length`): those have `.anything` as their triggers.
  @inline(__always) func leavesAlone(_ classes: ByteClass) -> Bool {
    triggers.leaveAlone(classes)
  }
}
