// What a bad network does to one line's packets: loses, doubles and reorders them, by chance but repeatably. Pure:
// the seed decides all; five numbers are drawn for each packet whatever the rates are, so that one rate doesn't
// change what another one does.
// Invariants: a packet that isn't lost is delivered once, or twice where it is doubled; a delivery comes at most
// `furthest` packets late; nothing else happens. No allocation a packet.

import MarketData

/// See the head of this file.
public struct LineImpairment: Sendable {
  /// How often what happens: probabilities, 0 to 1.
  public struct Rates: Sendable, Hashable, Codable {
    /// A packet is lost.
    public var loss = 0.0
    /// A packet that isn't lost comes twice.
    public var duplicate = 0.0
    /// A packet that isn't lost comes after later ones.
    public var reorder = 0.0
    /// Nothing happens.
    public init() {}
    /// Rates.
    public init(loss: Double, duplicate: Double, reorder: Double) {
      self.loss = loss
      self.duplicate = duplicate
      self.reorder = reorder
    }
  }

  /// Most packets that overtake one.
  public static let furthest = 8

  /// The rates.
  public let rates: Rates
  /// Packets offered.
  public private(set) var offered: UInt64 = 0
  /// Packets lost.
  public private(set) var dropped: UInt64 = 0
  /// Packets doubled.
  public private(set) var duplicated: UInt64 = 0
  /// Packets held back.
  public private(set) var reordered: UInt64 = 0

  private struct Held {
    var packet: Int
    /// Delivered once so many packets have been offered.
    var due: UInt64
  }

  private var random: SeededGenerator
  private var held: [Held] = []

  /// A line's faults.
  /// - Parameters:
  ///   - rates: how often.
  ///   - seed: the run's seed.
  ///   - line: number of the line; each has its own faults.
  public init(rates: Rates, seed: UInt64, line: Int) {
    self.rates = rates
    var digest = StateDigest()
    digest.combine(seed)
    digest.combine(UInt64(line))
    random = SeededGenerator(seed: digest.value)
    held.reserveCapacity(4 * Self.furthest)
  }

  /// A packet is to be sent. `deliver` is called for all that go out now, in their order; packets are numbers that
  /// mean something to the caller only.
  public mutating func offer(_ packet: Int, deliver: (Int) -> Void) {
    let isLost = chance(rates.loss)
    let isDoubled = chance(rates.duplicate)
    let isLate = chance(rates.reorder)
    let lateness = 1 + random.next() % UInt64(Self.furthest)
    let copyLateness = random.next() % UInt64(Self.furthest + 1)
    offered += 1
    if isLost {
      dropped += 1
    } else {
      if isLate {
        reordered += 1
        held.append(Held(packet: packet, due: offered + lateness))
      } else {
        deliver(packet)
      }
      if isDoubled {
        duplicated += 1
        if copyLateness == 0 {
          deliver(packet)
        } else {
          held.append(Held(packet: packet, due: offered + copyLateness))
        }
      }
    }
    if !held.isEmpty { release(through: offered, deliver) }
  }

  /// Nothing follows for a while: what is held goes out.
  public mutating func flush(deliver: (Int) -> Void) {
    if !held.isEmpty { release(through: .max, deliver) }
  }

  /// Whether something is held.
  public var holds: Bool { !held.isEmpty }

  private mutating func release(through due: UInt64, _ deliver: (Int) -> Void) {
    var kept = 0
    for index in held.indices {
      let one = held[index]
      if one.due <= due {
        deliver(one.packet)
      } else {
        held[kept] = one
        kept += 1
      }
    }
    held.removeLast(held.count - kept)
  }

  private mutating func chance(_ rate: Double) -> Bool { Double.fraction(of: random.next()) < rate }
}

extension Double {
  /// 0 ≤ x < 1, from 53 of 64 random bits.
  static func fraction(of bits: UInt64) -> Double { Double(bits >> 11) * 0x1p-53 }
}
