// How values look in the history's columns and in JSON: lists as JSON, times as RFC 3339 in UTC.

import Foundation

enum StoredJSON {
  static func write(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Texts and numbers can always be written.
    return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "[]"
  }

  static func read<T: Decodable>(_ text: String, _ type: T.Type) -> T? {
    try? JSONDecoder().decode(type, from: Data(text.utf8))
  }
}

/// A time as text.
public enum Timestamp {
  /// `2026-11-26T08:00:00Z`
  /// - Parameter seconds: since 1970 UTC.
  public static func text(_ seconds: Int64) -> String {
    var (whole, parts) = (time_t(seconds), tm())
    gmtime_r(&whole, &parts)
    func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
    let year = Int(parts.tm_year) + 1900
    return "\(String(repeating: "0", count: max(0, 4 - String(year).count)))\(year)-\(two(parts.tm_mon + 1))"
      + "-\(two(parts.tm_mday))T\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))Z"
  }
}

/// Account and region of an input: `aws:ACCOUNT/REGION`; all else is a file.
struct InputPlace: Equatable {
  let account: String
  let region: String

  init(_ input: String) {
    guard input.hasPrefix("aws:") else {
      (account, region) = ("files", "")
      return
    }
    let parts = input.dropFirst(4).split(separator: "/", maxSplits: 1).map(String.init)
    account = parts.first ?? ""
    region = parts.count > 1 ? parts[1] : ""
  }
}
