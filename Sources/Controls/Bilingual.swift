// What people are told, in both languages of reports. Names, values and services' own words are the same in both.

/// See the head of this file.
public struct Bilingual: Sendable, Equatable {
  /// English.
  public let en: String
  /// Japanese.
  public let ja: String

  /// A text in both.
  public init(_ en: String, _ ja: String) { (self.en, self.ja) = (en, ja) }

  /// A text that is the same in both.
  public init(same text: String) { (en, ja) = (text, text) }
}
