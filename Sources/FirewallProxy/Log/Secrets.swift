// Values that don't belong into a log: credentials, cookies, and what is named like a password.
//
// On the path of every match, so it works on bytes. It masks by names; a secret under a harmless name is not known.

enum Secrets {
  private static let headers: [StaticString] = [
    "authorization", "proxy-authorization", "cookie", "set-cookie",
  ]
  private static let words = [
    "password", "passwd", "passphrase", "pwd", "secret", "token", "api_key", "apikey", "api-key",
    "access_key",
    "accesskey", "private_key", "credential", "session",
  ].map { Array($0.utf8) }
  /// Letters that a word begins with.
  private static let beginnings: [Bool] = {
    var table = [Bool](repeating: false, count: 256)
    for word in words {
      table[Int(word[0])] = true
      table[Int(word[0] & 0xDF)] = true
    }
    return table
  }()

  /// - Parameter variable: as in `ARGS:password`, `REQUEST_HEADERS:Authorization`, `REQUEST_COOKIES:id`.
  static func isSecret(variable: String) -> Bool {
    var variable = variable
    return variable.withUTF8 { text in
      guard let colon = text.firstIndex(of: UInt8(ascii: ":")) else { return false }
      let collection = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(text)[..<colon])
      let name = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(text)[(colon + 1)...])
      if Octets.equals(collection, "request_cookies") { return true }
      if collection.count >= 8,
        Octets.equals(UnsafeRawBufferPointer(rebasing: collection.suffix(8)), "_headers"),
        headers.contains(where: { Octets.equals(name, $0) })
      {
        return true
      }
      return wordEnd(in: name, from: 0) != nil
    }
  }

  /// Text into JSON, with `***` for the values of names that hold a secret word: `password=x`, `"token": "x"`.
  static func escape(_ text: UnsafeRawBufferPointer, to out: inout [UInt8]) {
    var done = 0
    var at = 0
    while let end = wordEnd(in: text, from: at) {
      at = end
      guard let value = valueStart(text, after: end) else { continue }
      var stop = value
      while stop < text.count, !isDelimiter(text[stop]) { stop += 1 }
      guard stop > value else { continue }
      JSON.escape(UnsafeRawBufferPointer(rebasing: text[done..<value]), to: &out)
      out += "***".utf8
      done = stop
      at = stop
    }
    JSON.escape(UnsafeRawBufferPointer(rebasing: text[done...]), to: &out)
  }

  /// Behind the first secret word at or after `from`.
  private static func wordEnd(in text: UnsafeRawBufferPointer, from: Int) -> Int? {
    var at = from
    while at < text.count {
      if beginnings[Int(text[at])] {
        for word in words where begins(word, text, at) { return at + word.count }
      }
      at += 1
    }
    return nil
  }

  /// Where the value of a name begins: behind `=` or `:`, which the rest of the name, quotes and blanks may precede.
  private static func valueStart(_ text: UnsafeRawBufferPointer, after end: Int) -> Int? {
    var at = end
    let most = min(text.count, end + 40)
    while at < most {
      let byte = text[at]
      if byte == UInt8(ascii: "=") || byte == UInt8(ascii: ":") {
        at += 1
        while at < text.count,
          text[at] == 0x20 || text[at] == UInt8(ascii: "\"") || text[at] == UInt8(ascii: "'")
        {
          at += 1
        }
        return at
      }
      let isName =
        byte &- 48 < 10 || (byte | 0x20) &- 97 < 26 || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
        || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") || byte == UInt8(ascii: "]")
        || byte == UInt8(ascii: "[") || byte == 0x20
      guard isName else { return nil }
      at += 1
    }
    return nil
  }

  private static func isDelimiter(_ byte: UInt8) -> Bool {
    byte <= 0x20 || byte == UInt8(ascii: "&") || byte == UInt8(ascii: ";") || byte == UInt8(ascii: "\"")
      || byte == UInt8(ascii: "'") || byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}")
      || byte == UInt8(ascii: "#")
  }

  /// Whether `word`, in lower case, stands at `at`.
  private static func begins(_ word: [UInt8], _ text: UnsafeRawBufferPointer, _ at: Int) -> Bool {
    guard at + word.count <= text.count else { return false }
    for index in 0..<word.count {
      guard Octets.lowercased(text[at + index]) == word[index] else { return false }
    }
    return true
  }
}
