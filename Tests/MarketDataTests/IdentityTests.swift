import MarketData
import Testing

@Suite struct InstrumentCodeTests {
  @Test(arguments: ["7203", "130A", "A", "BRK.A", "ABCDEFGH", "\"\\", "~!"])
  func textSurvives(text: String) throws {
    let code = try #require(InstrumentCode(text))
    #expect(code.description == text)
    #expect(
      withUnsafeBytes(of: code.rawValue.bigEndian) { String(decoding: $0, as: UTF8.self) }
        == text + String(repeating: " ", count: 8 - text.utf8.count))
  }

  @Test(arguments: ["", "ABCDEFGHI", "A B", " ", "株", "A\n", "\u{7f}"])
  func textThatIsNoCodeIsRefused(text: String) { #expect(InstrumentCode(text) == nil) }

  @Test func bytesThatArentPrintableShowAsQuestionMarks() {
    #expect(InstrumentCode(0x4100_ff20_4220_2020).description == "A?? B")
    #expect(InstrumentCode(0x2020_2020_2020_2020).description == "")
  }

  @Test func orderIsThatOfTheText() throws {
    let codes = try ["A", "AA", "AB", "B", "130A", "7203"].map { try #require(InstrumentCode($0)) }
    #expect(codes.sorted().map(\.description) == ["130A", "7203", "A", "AA", "AB", "B"])
  }

  @Test func sidesAreOpposite() {
    #expect(Side.buy.opposite == .sell)
    #expect(Side.sell.opposite == .buy)
  }
}

@Suite struct StateDigestTests {
  /// The values were computed by another program from the definition: they may never change, or old and new
  /// nodes would disagree.
  @Test func valuesAreForEver() {
    var digest = StateDigest()
    #expect(digest.description == "6b616275746f0001")
    digest.combine(1 as UInt64)
    #expect(digest.description == "e519d8d4f57f7bd3")
    digest.combine(-2 as Int64)
    #expect(digest.description == "3846fc4f479ce1c0")
    digest.combine("株 kabuto")
    #expect(digest.description == "4735157621b3602a")
  }

  @Test func orderCounts() {
    var a = StateDigest()
    var b = StateDigest()
    for value in [1, 2] as [UInt64] { a.combine(value) }
    for value in [2, 1] as [UInt64] { b.combine(value) }
    #expect(a != b)
  }

  @Test func textHasAlwaysSixteenDigits() {
    for seed in 0..<2_000 as Range<UInt64> {
      var digest = StateDigest()
      digest.combine(seed)
      #expect(digest.description.count == 16)
      #expect(UInt64(digest.description, radix: 16) == digest.value)
    }
  }
}

@Suite struct SeededGeneratorTests {
  /// Published values of SplitMix64.
  @Test func numbersAreThoseOfSplitMix64() {
    var generator = SeededGenerator(seed: 1_234_567)
    #expect(
      (0..<5).map { _ in generator.next() } == [
        6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
        4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
      ])
    var zero = SeededGenerator(seed: 0)
    #expect(zero.next() == 16_294_208_416_658_607_535)
  }

  @Test func equalSeedsGiveEqualNumbers() {
    var a = SeededGenerator(seed: 7)
    var b = SeededGenerator(seed: 7)
    var c = SeededGenerator(seed: 8)
    let numbers = (0..<100).map { _ in a.next() }
    #expect(numbers == (0..<100).map { _ in b.next() })
    #expect(numbers != (0..<100).map { _ in c.next() })
  }
}
