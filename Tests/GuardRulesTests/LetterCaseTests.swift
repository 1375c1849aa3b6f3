// Words of keys, from which the other letter cases are made.

import TestChance
import Testing

@testable import GuardRules

@Suite struct LetterCaseTests {
  @Test func wordsOfPlainKeysAreThoseOfAnyKey() {
    let signs = ["a", "b", "Z", "Q", "7", "_", "-", " ", "\r", "\n", "é"]
    for round in 0..<3_000 {
      var chance = Chance(round: round)
      var key = ""
      for _ in 0..<chance.below(12) { key += chance.pick(signs) }
      #expect(LetterCase.words(key) == LetterCase.anyWords(key), "\(key), \(seedNote), round \(round)")
    }
  }

  @Test func wordsEndAtCapitalsAndSigns() {
    #expect(LetterCase.words("KMSKeyId") == ["kms", "key", "id"])
    #expect(LetterCase.words("cidr_blocks-v4") == ["cidr", "blocks", "v4"])
    #expect(LetterCase.conversions(of: "bucket_name").names.contains("BucketName"))
  }
}
