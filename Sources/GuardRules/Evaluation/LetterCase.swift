// A key that isn't there is looked for in other letter cases: documents of other tools write `bucketName` or
// `bucket_name` where CloudFormation writes `BucketName`. The first that is found is used for the rest of the query.

import Synchronization

enum LetterCase: Sendable {
  case none, camel, singular, pascal, kebab, snake, title, train

  static let others: [LetterCase] = [.camel, .singular, .kebab, .pascal, .snake, .title, .train]

  /// A key in all other cases, in the order of `others`. What was asked once is kept: rules have few keys, and mostly ask
  /// for those that aren't there.
  static func conversions(of key: String) -> Conversions {
    if let known = kept.withLock({ $0[key] }) { return known }
    let words = words(key)
    let all = Conversions(others.map { $0.joined(words, key) })
    kept.withLock { if $0.count < mostKept { $0[key] = all } }
    return all
  }

  struct Conversions {
    let names: [String]
    /// Of all of them: most maps have none.
    let signs: UInt64

    init(_ names: [String]) {
      self.names = names
      signs = names.reduce(0) { $0 | Members.sign($1) }
    }
  }

  private static let kept = Mutex<[String: Conversions]>([:])
  private static var mostKept: Int { 8_192 }

  func convert(_ key: String) -> String {
    self == .none ? key : joined(Self.words(key), key)
  }

  private func joined(_ words: [String], _ key: String) -> String {
    func capital(_ word: String) -> String { word.prefix(1).uppercased() + word.dropFirst() }
    switch self {
    case .none: return key
    case .camel: return (words.first ?? "") + words.dropFirst().map(capital).joined()
    // The reference's class case: Pascal's, and one of many.
    case .singular: return (words.dropLast() + words.suffix(1).map(Self.one)).map(capital).joined()
    case .pascal: return words.map(capital).joined()
    case .kebab: return words.joined(separator: "-")
    case .snake: return words.joined(separator: "_")
    case .title: return words.map(capital).joined(separator: " ")
    case .train: return words.map(capital).joined(separator: "-")
    }
  }

  /// The singular of a word, by the three rules that names of properties need.
  private static func one(_ word: String) -> String {
    if word.hasSuffix("ies") { return word.dropLast(3) + "y" }
    if ["xes", "ches", "sses", "shes"].contains(where: word.hasSuffix) { return String(word.dropLast(2)) }
    return word.hasSuffix("s") && !word.hasSuffix("ss") ? String(word.dropLast()) : word
  }

  /// The words of a key, in lower case: at capitals, and at what is neither letter nor digit.
  static func words(_ key: String) -> [String] {
    key.utf8.allSatisfy { $0 < 128 } ? plainWords(key) : anyWords(key)
  }

  /// Of a key in ASCII, as nearly all are.
  private static func plainWords(_ key: String) -> [String] {
    func isUpper(_ byte: UInt8) -> Bool { (65...90).contains(byte) }
    func isLower(_ byte: UInt8) -> Bool { (97...122).contains(byte) }
    var words: [String] = []
    var word: [UInt8] = []
    func end() {
      if !word.isEmpty { words.append(String(decoding: word, as: UTF8.self)) }
      word.removeAll(keepingCapacity: true)
    }
    var previous = UInt8(ascii: " ")
    let bytes = Array(key.utf8)
    for (place, byte) in bytes.enumerated() {
      if isUpper(byte) {
        let isLast = !isUpper(previous) || (place + 1 < bytes.count && isLower(bytes[place + 1]))
        if isLast { end() }
        word.append(byte | 32)
      } else if isLower(byte) || (48...57).contains(byte) {
        word.append(byte)
      } else {
        end()
      }
      previous = byte
    }
    end()
    return words
  }

  /// Of any key.
  static func anyWords(_ key: String) -> [String] {
    var words: [String] = []
    var word = ""
    var previous: Character = " "
    let characters = Array(key)
    for (place, character) in characters.enumerated() {
      if !character.isLetter, !character.isNumber {
        if !word.isEmpty { words.append(word) }
        word = ""
      } else {
        let next = place + 1 < characters.count ? characters[place + 1] : " "
        let begins = character.isUppercase && (!previous.isUppercase || next.isLowercase) && !word.isEmpty
        if begins {
          words.append(word)
          word = ""
        }
        word += character.lowercased()
      }
      previous = character
    }
    if !word.isEmpty { words.append(word) }
    return words
  }
}
