// `module.a["k"].aws_s3_bucket.b["c.d"]`: parts between dots, each with its key. Dots and brackets within a key's quotes are
// the key's.

struct TerraformAddress {
  /// A part and its key with brackets; the key is empty where there is none.
  private(set) var parts: [(name: String, key: String)] = []

  init(_ text: String) {
    var (name, key) = ("", "")
    var (isKey, isQuoted, isEscaped) = (false, false, false)
    for character in text {
      if isKey {
        key.append(character)
        if isEscaped {
          isEscaped = false
        } else if isQuoted, character == "\\" {
          isEscaped = true
        } else if character == "\"" {
          isQuoted.toggle()
        } else if character == "]", !isQuoted {
          isKey = false
        }
      } else if character == "[" {
        key.append(character)
        isKey = true
      } else if character == "." {
        parts.append((name, key))
        (name, key) = ("", "")
      } else {
        name.append(character)
      }
    }
    parts.append((name, key))
  }

  /// Without keys: as the configuration names it.
  var plain: String { parts.map(\.name).joined(separator: ".") }
  /// The resource's own key.
  var key: String { parts.last?.key ?? "" }
  /// The module that it is in, with keys and a dot behind it; empty = the root.
  var module: String { parts.dropLast(2).map { $0.name + $0.key + "." }.joined() }
}
