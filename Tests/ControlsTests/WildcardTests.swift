// Patterns against all texts of a small world: what matches, what is within another, what has something in common.

import Controls
import TestChance
import Testing

@Suite struct WildcardTests {
  /// All texts of two letters up to a length.
  static let texts: [String] = {
    var all = [""]
    var last = [""]
    for _ in 0..<5 {
      last = last.flatMap { [$0 + "a", $0 + "b"] }
      all += last
    }
    return all
  }()

  static func pattern(_ chance: inout Chance) -> String {
    String((0..<chance.below(5)).map { _ in chance.pick(["a", "b", "*", "?"] as [Character]) })
  }

  /// The definition, letter by letter.
  static func means(_ pattern: Substring, _ text: Substring) -> Bool {
    guard let first = pattern.first else { return text.isEmpty }
    switch first {
    case "*": return means(pattern.dropFirst(), text) || (!text.isEmpty && means(pattern, text.dropFirst()))
    case "?": return !text.isEmpty && means(pattern.dropFirst(), text.dropFirst())
    default: return text.first == first && means(pattern.dropFirst(), text.dropFirst())
    }
  }

  @Test func matchesAsDefined() {
    var chance = Chance(round: 1)
    for _ in 0..<2_000 {
      let written = Self.pattern(&chance)
      let text = chance.pick(Self.texts)
      #expect(
        Wildcard(written).matches(text) == Self.means(written[...], text[...]),
        "\(written) \(text) \(seedNote)")
    }
  }

  @Test func whatContainsMatchesAllOfTheOther() {
    var chance = Chance(round: 2)
    var found = 0
    for _ in 0..<3_000 {
      let (one, other) = (Wildcard(Self.pattern(&chance)), Wildcard(Self.pattern(&chance)))
      guard one.contains(other) else { continue }
      found += 1
      for text in Self.texts where other.matches(text) {
        #expect(one.matches(text), "\(one) doesn't match \(text) of \(other) \(seedNote)")
      }
    }
    #expect(found > 100)
  }

  @Test(arguments: [
    ("s3:*", "s3:Get*", true), ("*", "s3:*", true), ("s3:Get*", "s3:*", false), ("s3:?et*", "s3:Get*", true),
    ("s3:Get?", "s3:Get*", false), ("a*c", "a?c", true), ("a?c", "a*c", false), ("*b*", "a*b", true),
  ]) func containment(one: String, other: String, isWithin: Bool) {
    #expect(Wildcard(one).contains(Wildcard(other)) == isWithin)
  }

  @Test func intersectionIsExact() {
    var chance = Chance(round: 3)
    for _ in 0..<3_000 {
      let (one, other) = (Wildcard(Self.pattern(&chance)), Wildcard(Self.pattern(&chance)))
      // Patterns of four have a text in common, if any, of at most eight; of two letters five are enough to tell most.
      let common = Self.texts.contains { one.matches($0) && other.matches($0) }
      if common { #expect(one.intersects(other), "\(one) \(other) \(seedNote)") }
      if !one.intersects(other) { #expect(!common, "\(one) \(other) \(seedNote)") }
      #expect(one.intersects(other) == other.intersects(one))
    }
    #expect(!Wildcard("s3:Get*").intersects(Wildcard("s3:Put*")))
    #expect(Wildcard("ec2:*Volume*").intersects(Wildcard("ec2:Describe*")))
    #expect(!Wildcard("a?").intersects(Wildcard("a")))
  }

  @Test func letterCaseOfActionsDoesNotMatter() {
    #expect(Wildcard("S3:Get*", ignoresCase: true).matches("s3:getobject"))
    #expect(Wildcard("S3:GET*", ignoresCase: true) == Wildcard("s3:Get*", ignoresCase: true))
    #expect(!Wildcard("AWS::S3::*").matches("aws::s3::bucket"))
  }

  @Test func nearestNames() {
    #expect(NearestName.of("regoins", in: ["regions", "services"]) == "regions")
    #expect(NearestName.of("elephant", in: ["regions", "services"]) == nil)
  }
}
