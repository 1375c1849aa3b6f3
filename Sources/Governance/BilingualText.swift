// Which of both languages is shown.

public import Controls

extension Bilingual {
  /// The text in a report's language.
  public func text(_ language: ReportLanguage) -> String { language == .japanese ? ja : en }
}
