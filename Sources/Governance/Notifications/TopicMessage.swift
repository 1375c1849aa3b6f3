// A message as a topic takes it (SNS API reference, Publish): at most 262,144 bytes, a subject of at most 100 ASCII
// characters without line ends. Pure.

/// What waits in the outbox for a topic.
struct TopicMessage: Codable, Equatable, Sendable {
  /// Where topics send mail, what stands above it.
  let subject: String
  /// JSON, or text for people, by the target's form.
  let message: String

  /// Bytes of a message, with room for its subject and attributes.
  static let mostBytes = 262_144 - 1_024
  /// Characters of a subject.
  static let mostSubject = 100

  init(subject: String, message: String) {
    (self.subject, self.message) = (Self.subject(subject), message)
  }

  /// What stands in the outbox. What was put there before the target became a topic is sent as it is.
  init(payload: String) {
    self = StoredJSON.read(payload, Self.self) ?? Self(subject: "Kabuto", message: payload)
  }

  var payload: String { StoredJSON.write(self) }

  private static func subject(_ text: String) -> String {
    let plain = text.unicodeScalars.map { (32...126).contains($0.value) ? Character($0) : "?" }
    return String(plain.prefix(mostSubject))
  }

  /// A text cut to so many bytes of UTF-8, between characters.
  static func cut(_ text: String, to bytes: Int) -> String {
    guard text.utf8.count > bytes else { return text }
    let mark = "…"
    var out = ""
    var room = bytes - mark.utf8.count
    for character in text {
      room -= character.utf8.count
      if room < 0 { break }
      out.append(character)
    }
    return out + mark
  }
}
