// Random variates from one seeded generator, and the few functions they need.
// Only +, −, ×, ÷ and square root are used, which IEEE 754 rounds the same everywhere: a C library's log and
// exp differ in the last bit from version to version, and one bit would change a whole day.

import MarketData

/// Seeded variates.
struct RandomSource: Sendable {
  private var generator: SeededGenerator

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  /// Sixty-four bits.
  mutating func bits() -> UInt64 { generator.next() }

  /// A number in 0..<1.
  mutating func uniform() -> Double { Double(generator.next() >> 11) * 0x1p-53 }

  /// A number in 0..<`bound`.
  mutating func below(_ bound: Int) -> Int {
    Int(generator.next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// A number in `range`.
  mutating func uniform(_ range: ClosedRange<Double>) -> Double {
    range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
  }

  /// True with probability `p`.
  mutating func chance(_ p: Double) -> Bool { uniform() < p }

  /// Exponential with mean 1.
  mutating func exponential() -> Double { -Self.log(Double((generator.next() >> 11) + 1) * 0x1p-53) }

  /// Nearly normal with mean 0 and variance 1: four 16-bit uniforms, tails end at 3.46.
  mutating func gaussian() -> Double {
    let bits = generator.next()
    let sum = (bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48)
    return (Double(sum) - 131_070) * (1.732_050_807_568_877_2 / 65_536)
  }

  /// Pareto-like, from 0, half of them below 0.41, one in a hundred above 9.
  mutating func heavyTail() -> Double {
    1 / (Double((generator.next() >> 11) + 1) * 0x1p-53).squareRoot() - 1
  }

  /// Shuffles in place (Fisher–Yates).
  mutating func shuffle<Element>(_ elements: inout [Element]) {
    guard elements.count > 1 else { return }
    for index in stride(from: elements.count - 1, to: 0, by: -1) {
      elements.swapAt(index, below(index + 1))
    }
  }

  /// Natural logarithm of a positive normal number.
  static func log(_ x: Double) -> Double {
    var exponent = Double(x.exponent)
    var significand = x.significand
    if significand > 1.414_213_562_373_095_1 {
      significand *= 0.5
      exponent += 1
    }
    let s = (significand - 1) / (significand + 1)
    let q = s * s
    let series = 1 + q * (1.0 / 3 + q * (1.0 / 5 + q * (1.0 / 7 + q * (1.0 / 9 + q * (1.0 / 11)))))
    return 2 * s * series + exponent * 0.693_147_180_559_945_3
  }

  /// e to the power of `x`, |x| below 700.
  static func exp(_ x: Double) -> Double {
    let n = (x * 1.442_695_040_888_963_4).rounded()
    let r = x - n * 0.693_147_180_559_945_3
    let series =
      1 + r * (1 + r * (1.0 / 2 + r * (1.0 / 6 + r * (1.0 / 24 + r * (1.0 / 120 + r * (1.0 / 720))))))
    return series * Double(sign: .plus, exponent: Int(n), significand: 1)
  }
}
