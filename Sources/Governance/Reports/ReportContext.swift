// What a report says beside the findings: when, in which language, whose they are where inputs don't tell, and the course.

/// See the head of this file.
public struct ReportContext: Sendable {
  /// Seconds since 1970 UTC.
  public var at: Int64
  /// Language of what people read.
  public var language = ReportLanguage.english
  /// The account of inputs that have none, twelve digits; nil = not told.
  public var account: String?
  /// The region of inputs that have none; nil = not told.
  public var region: String?
  /// What there was over time; empty = there is no history.
  public var trend: [TrendPoint] = []
  /// When findings were seen first, by their ids, seconds since 1970 UTC; without a history it is now.
  public var firstSeen: [String: Int64] = [:]
  /// The program's version.
  public var version: String

  /// A report made at a time.
  public init(at: Int64, version: String) {
    self.at = at
    self.version = version
  }
}

extension ReportContext {
  /// Account, region and partition of a finding.
  func place(of finding: Finding) -> (account: String, region: String, partition: String) {
    let place = InputPlace(finding.input)
    let isNumber = place.account.utf8.count == 12 && place.account.utf8.allSatisfy { (48...57).contains($0) }
    let account = isNumber ? place.account : self.account ?? "000000000000"
    let region =
      place.region.isEmpty || place.region == "global" ? self.region ?? "us-east-1" : place.region
    let partition =
      region.hasPrefix("cn-") ? "aws-cn" : region.hasPrefix("us-gov-") ? "aws-us-gov" : "aws"
    return (account, region, partition)
  }

  func firstSeen(_ finding: Finding) -> Int64 { firstSeen[finding.identity.id] ?? at }
}

/// Text within a bound of a format, cut with a mark.
func bounded(_ text: String, _ most: Int) -> String {
  text.unicodeScalars.count <= most
    ? text : String(String.UnicodeScalarView(text.unicodeScalars.prefix(most - 1))) + "…"
}
