// Prices are integers with a scale of four decimals, as on the feed; never Double.

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A price in units of 1/10,000 of the currency.
public struct Price: Sendable, Hashable, Comparable {
  /// Units in one of the currency: scale 4.
  public static let unitsPerOne: Int64 = 10_000
  /// The price in units.
  public var units: Int64

  /// A price from units of 1/10,000.
  @inlinable
  public init(units: Int64) { self.units = units }
  /// A whole price: `Price(2345)` is 2,345.0000.
  @inlinable
  public init(_ whole: Int64) { units = whole * Self.unitsPerOne }

  /// Orders by value.
  @inlinable
  public static func < (a: Price, b: Price) -> Bool { a.units < b.units }
}

extension Price: CustomStringConvertible {
  /// The exact decimal without trailing zeros: `2345.5`.
  public var description: String {
    let magnitude = units.magnitude
    let whole = magnitude / 10_000
    var fraction = magnitude % 10_000
    let sign = units < 0 ? "-" : ""
    if fraction == 0 { return sign + String(whole) }
    var digits = 4
    while fraction % 10 == 0 {
      fraction /= 10
      digits -= 1
    }
    let text = String(fraction)
    return sign + String(whole) + "." + String(repeating: "0", count: digits - text.count) + text
  }

  /// Reads an exact decimal with at most four decimals; nil for anything else.
  public init?(_ text: some StringProtocol) {
    var units: Int64 = 0
    var decimals = -1
    var digits = 0
    var negative = false
    for (index, character) in text.utf8.enumerated() {
      switch character {
      case 0x2d where index == 0: negative = true
      case 0x2e where decimals < 0: decimals = 0
      case 0x30...0x39:
        if decimals >= 0 {
          decimals += 1
          if decimals > 4 {
            if character != 0x30 { return nil }
            continue
          }
        }
        let (product, overflow) = units.multipliedReportingOverflow(by: 10)
        let (sum, carry) = product.addingReportingOverflow(Int64(character - 0x30))
        if overflow || carry { return nil }
        units = sum
        digits += 1
      default: return nil
      }
    }
    if digits == 0 { return nil }
    for _ in max(0, min(decimals, 4))..<4 {
      let (product, overflow) = units.multipliedReportingOverflow(by: 10)
      if overflow { return nil }
      units = product
    }
    self.units = negative ? -units : units
  }
}

extension Price: Codable {
  /// Reads a JSON number or a string with at most four decimals.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text: String
    if let string = try? container.decode(String.self) {
      text = string
    } else {
      text = try container.decode(Decimal.self).description
    }
    guard let price = Price(text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "\(text) is not a price: wanted a decimal with at most four decimals"
      )
    }
    self = price
  }

  /// Writes an exact JSON number.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(Decimal(units) / Decimal(Self.unitsPerOne))
  }
}
