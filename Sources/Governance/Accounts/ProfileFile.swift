// AWS's shared files (AWS SDKs and Tools Reference Guide, "Shared config and credentials files"): sections of names and
// values. In `config` a profile's section is `[profile NAME]`, in `credentials` it is `[NAME]`.

import Foundation

struct ProfileFile: Sendable {
  /// Values by profile.
  private(set) var profiles: [String: [String: String]] = [:]

  /// Reads the text of one file into what is there.
  mutating func read(_ text: String, isConfig: Bool) {
    var current: String?
    let text = text.hasPrefix("\u{FEFF}") ? text.dropFirst() : text[...]
    for line in text.split(whereSeparator: \.isNewline) {
      let bare = line.trimmingCharacters(in: .whitespaces)
      if bare.isEmpty || bare.hasPrefix("#") || bare.hasPrefix(";") { continue }
      if bare.hasPrefix("["), let close = bare.firstIndex(of: "]") {
        current = Self.profile(bare[bare.index(after: bare.startIndex)..<close], isConfig)
        continue
      }
      // Values within values (`s3 =` and what is below it) are none of ours.
      guard let current, line.first?.isWhitespace != true, let sign = bare.firstIndex(of: "=") else {
        continue
      }
      let name = bare[..<sign].trimmingCharacters(in: .whitespaces).lowercased()
      profiles[current, default: [:]][name] = bare[bare.index(after: sign)...].trimmingCharacters(
        in: .whitespaces)
    }
  }

  /// The profile that a section is of; nil = something else.
  private static func profile(_ section: Substring, _ isConfig: Bool) -> String? {
    let whole = section.trimmingCharacters(in: .whitespaces)
    let words = whole.split(maxSplits: 1, whereSeparator: \.isWhitespace)
    if words.count == 2, words[0] == "profile" {
      let name = words[1].trimmingCharacters(in: .whitespaces)
      let isQuoted = name.count > 2 && name.hasPrefix("\"") && name.hasSuffix("\"")
      return isQuoted ? String(name.dropFirst().dropLast()) : name
    }
    return !whole.isEmpty && (!isConfig || whole == "default") ? whole : nil
  }
}
