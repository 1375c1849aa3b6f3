// AWS's shared files (AWS SDKs and Tools Reference Guide, "Shared config and credentials files"): sections of names and
// values. In `config` a profile's section is `[profile NAME]`, in `credentials` it is `[NAME]`.

import Foundation

struct ProfileFile: Sendable {
  /// Values by profile.
  private(set) var profiles: [String: [String: String]] = [:]

  /// Reads the text of one file into what is there.
  mutating func read(_ text: String, isConfig: Bool) {
    var current: String?
    for line in text.split(whereSeparator: \.isNewline) {
      let bare = line.trimmingCharacters(in: .whitespaces)
      if bare.isEmpty || bare.hasPrefix("#") || bare.hasPrefix(";") { continue }
      if bare.hasPrefix("["), let close = bare.firstIndex(of: "]") {
        let words = bare[bare.index(after: bare.startIndex)..<close].split(separator: " ").map(String.init)
        current =
          words.count == 2 && words[0] == "profile"
          ? words[1]
          : words.count == 1 && (!isConfig || words[0] == "default")
            ? words[0] : nil
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
}
