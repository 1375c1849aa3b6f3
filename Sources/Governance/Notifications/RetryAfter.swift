// When a receiver wants to be asked again: seconds, or a date as HTTP writes it (RFC 9110, 10.2.3 and 5.6.7). Pure.

import Foundation

enum RetryAfter {
  /// - Parameter now: seconds since 1970 UTC.
  /// - Returns: seconds from now on; nil = it says nothing.
  static func seconds(_ text: String, now: Int64) -> Int? {
    if let seconds = Int(text) { return max(0, seconds) }
    if !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) { return .max }
    let form = DateFormatter()
    form.locale = Locale(identifier: "en_US_POSIX")
    form.timeZone = TimeZone(secondsFromGMT: 0)
    form.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
    guard let date = form.date(from: text) else { return nil }
    return Int(max(0, Int64(date.timeIntervalSince1970) - now))
  }
}
