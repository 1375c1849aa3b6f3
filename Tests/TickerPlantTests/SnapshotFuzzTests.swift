// Snapshots with a good checksum and wrong contents: each is refused, or gives a plant that goes on without a trap,
// whose own snapshot can be restored to the same state.

import Foundation
import MarketData
import Testing

@testable import TickerPlant

@Suite("Snapshots Fuzz") struct SnapshotFuzzTests {
  @Test func whateverIsRestoredGoesOnAndIsKeptAgain() throws {
    var random = generator("snapshots fuzz")
    let seconds = ProcessInfo.processInfo.environment["KABUTO_FUZZ_SECONDS"].flatMap(Double.init) ?? 0
    let end = Date().addingTimeInterval(seconds)
    var stream = RandomStream(SeededGenerator(seed: random.next()))
    let box = Box(session: "S7")
    for _ in 0..<80 { box.apply(framed(stream.next())) }
    let bytes = box.plant.snapshot()
    let values: [UInt64] = [0, 1, 7, 255, .max, .max >> 1, 1 << 63, 1 << 32, 0xffff_ffff]
    var (taken, refused, round) = (0, 0, 0)
    while round < 120 || Date() < end {
      round += 1
      let note: Comment = "KABUTO_SEED=\(String(runSeed, radix: 16)) round \(round)"
      var forged = bytes
      for _ in 0...random.below(3) {
        let place = 16 + random.below(forged.count - 32)
        switch random.below(4) {
        case 0: forged[place] = UInt8(truncatingIfNeeded: random.next())
        case 1:
          let value = random.chance(50) ? values[random.below(values.count)] : random.next()
          for index in 0..<8 {
            forged[place & ~7 + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index))
          }
        case 2: forged[place] ^= UInt8(1 << random.below(8))
        default: forged.removeLast(8 * random.below(8))
        }
        if forged.count < 64 { forged = bytes }
      }
      sealSnapshot(&forged)
      let other = Box()
      do throws(SnapshotError) { try other.plant.restore(forged) } catch {
        refused += 1
        #expect(!error.description.isEmpty, note)
        continue
      }
      taken += 1
      other.next = other.plant.sequence &+ 1
      for _ in 0..<30 { other.apply(framed(stream.next())) }
      let again = Box()
      try again.plant.restore(other.plant.snapshot())
      #expect(again.plant.digest() == other.plant.digest(), note)
    }
    #expect(taken > 10 && refused > 10, "\(taken) taken, \(refused) refused")
  }
}
