// Codes as the Tokyo Stock Exchange gives them: four digits (7203), and since 2024 three digits and a letter
// (130A, 285A; the letters B, E, I, O, Q, V, Z aren't used). Unique, ascending.

import MarketData

/// Codes by number.
enum InstrumentCodes {
  private static let letters = Array("ACDFGHJKLMNPRSTUWXY")

  /// `count` different codes in ascending order; 7203 is always among them.
  static func draw(_ count: Int, random: inout RandomSource) -> [String] {
    let lettered = max(count - 8_000, count * 12 / 100)
    var digits = (1_301...9_997).filter { $0 != 7_203 }
    random.shuffle(&digits)
    var codes = ["7203"]
    codes += digits.prefix(max(0, count - lettered - 1)).map { String($0) }
    // New codes are given in order, some of them to what isn't a share: take about four in five.
    var number = 130
    var letter = 0
    let scarce = lettered > 12_000
    while codes.count < count {
      if scarce || random.chance(0.8) { codes.append("\(number)\(letters[letter])") }
      number += 1
      if number > 999 {
        number = 130
        letter += 1
        precondition(letter < letters.count, "more instruments than codes: validate() bounds them")
      }
    }
    return codes.sorted()
  }
}
