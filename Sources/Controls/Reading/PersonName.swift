// Whether two ways of writing a name, or an address of mail, mean the same person: who asks may not approve, however the
// approval is spelled. Wide and narrow letters, letter case, blanks and characters that can't be seen make no other person.
// (Letters of other alphabets that look alike do; who may approve at all is for the conditions to say.) A name without a letter
// or a number that can be seen is nobody's.

import Foundation

/// See the head of this file.
public enum PersonName {
  /// Whether somebody can be meant by a name.
  public static func isSomebody(_ name: String) -> Bool {
    folded(name).unicodeScalars.contains { $0.properties.isAlphabetic || $0.properties.numericType != nil }
  }

  static func folded(_ name: String) -> String {
    let plain = name.precomposedStringWithCompatibilityMapping.lowercased()
    var seen = ""
    seen.unicodeScalars.append(
      contentsOf: plain.unicodeScalars.filter { scalar in
        let isBlank = scalar.properties.isWhitespace
        switch scalar.properties.generalCategory {
        case .format, .control: return isBlank
        default: return !scalar.properties.isDefaultIgnorableCodePoint
        }
      })
    // Lower case of some letters is written in several ways.
    return seen.split(whereSeparator: \.isWhitespace).joined(separator: " ")
      .precomposedStringWithCompatibilityMapping
  }

  static func isSame(_ one: String, _ other: String) -> Bool { folded(one) == folded(other) }
}
