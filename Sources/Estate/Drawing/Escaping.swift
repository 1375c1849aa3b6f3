// Text within XML and HTML.

extension String {
  /// The text as it may stand between tags and within quotes of XML.
  var escaped: String {
    var out = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\"": out += "&quot;"
      case "'": out += "&#39;"
      // What XML can't hold at all.
      case _ where scalar.value < 0x20 && ![9, 10, 13].contains(scalar.value): out += "\u{FFFD}"
      case "\u{FFFE}", "\u{FFFF}": out += "\u{FFFD}"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  /// At most so many characters, the last of them an ellipsis where more were there.
  func clipped(to limit: Int) -> String { count <= limit ? self : prefix(limit - 1) + "…" }
}
