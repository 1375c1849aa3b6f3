// Writes a file of framed TotalView-ITCH 5.0 messages with the mix of a busy day: A 47 %, D 42 %, U 7 %, E 3 %,
// X 1.6 %; order numbers rise from 1, an order's life is of random length, any live order may be next.
// swiftc -O Benchmarks/mix.swift -o mix && ./mix FILE [messages] [instruments] [seed] [step]
// `step`: how far order numbers are apart at most (1 = consecutive).

import Foundation

struct Random {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
  mutating func below(_ bound: Int) -> Int { Int(((next() >> 32) &* UInt64(bound)) >> 32) }
}

struct Live {
  var reference: UInt64
  var instrument: UInt32
  var shares: UInt32
  var isBuy: Bool
}

let arguments = CommandLine.arguments
guard arguments.count > 1 else {
  print("usage: mix FILE [messages] [instruments] [seed] [step]")
  exit(64)
}
func argument(_ index: Int, _ standard: Int) -> Int {
  arguments.count > index ? Int(arguments[index]) ?? standard : standard
}
let messages = argument(2, 20_000_000)
let instruments = max(1, argument(3, 4000))
var random = Random(state: UInt64(argument(4, 1)))
let step = max(1, argument(5, 1))

guard FileManager.default.createFile(atPath: arguments[1], contents: nil),
  let file = FileHandle(forWritingAtPath: arguments[1])
else {
  print("\(arguments[1]): can't be written")
  exit(1)
}
var bytes: [UInt8] = []
bytes.reserveCapacity(1 << 21)
var time: UInt64 = 9 * 3600 * 1_000_000_000
let nanoseconds = UInt64(5 * 3600) * 1_000_000_000 / UInt64(max(1, messages))
var reference: UInt64 = 0
var match: UInt64 = 0
var mids = (0..<instruments).map { _ in 100_0000 + random.below(400) * 10_0000 }
var live: [Live] = []

func put(_ value: UInt64, _ count: Int) {
  for shift in stride(from: (count - 1) * 8, through: 0, by: -8) {
    bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(shift)))
  }
}
func begin(_ type: Character, _ length: Int, _ instrument: Int) {
  put(UInt64(length), 2)
  bytes.append(type.asciiValue ?? 0)
  put(UInt64(instrument + 1), 2)
  put(0, 2)
  put(time, 6)
}
func stock(_ instrument: Int) {
  bytes.append(contentsOf: "S\(10_000 + instrument)  ".utf8)
}
/// A price near the middle: most orders stand within a few ticks, some far away.
func price(_ instrument: Int, isBuy: Bool) -> UInt64 {
  if random.below(64) == 0 { mids[instrument] = max(20_0000, mids[instrument] + (random.below(3) - 1) * 100) }
  var distance = 1 + random.below(4)
  while distance < 200, random.below(5) != 0 { distance += 1 + random.below(6) }
  return UInt64(mids[instrument] + (isBuy ? -distance : distance) * 100)
}
func nextReference() -> UInt64 {
  reference += step == 1 ? 1 : UInt64(1 + random.below(step))
  return reference
}

begin("S", 12, -1)
bytes.append(UInt8(ascii: "O"))
for instrument in 0..<instruments {
  begin("R", 39, instrument)
  stock(instrument)
  bytes.append(contentsOf: "QN".utf8)
  put(100, 4)
  bytes.append(contentsOf: "NC  PNN1N".utf8)
  put(0, 4)
  bytes.append(UInt8(ascii: "N"))
}
for _ in 0..<messages {
  time += UInt64(random.below(Int(2 * nanoseconds) + 1))
  var dice = random.below(1006)
  if live.isEmpty { dice = 0 }
  if dice < 470 {
    // Few instruments have much of the trade.
    let u = random.below(1 << 20)
    let instrument = random.below(4) == 0 ? random.below(instruments) : (((u * u) >> 20) * instruments) >> 20
    let order = Live(
      reference: nextReference(), instrument: UInt32(instrument), shares: UInt32(1 + random.below(20)) * 100,
      isBuy: random.below(2) == 0)
    begin("A", 36, instrument)
    put(order.reference, 8)
    bytes.append(order.isBuy ? 0x42 : 0x53)
    put(UInt64(order.shares), 4)
    stock(instrument)
    put(price(instrument, isBuy: order.isBuy), 4)
    live.append(order)
  } else {
    // Half of what happens, happens to young orders.
    let young = min(live.count, 20_000)
    let place = random.below(2) == 0 ? live.count - 1 - random.below(young) : random.below(live.count)
    let order = live[place]
    let instrument = Int(order.instrument)
    if dice < 890 {
      begin("D", 19, instrument)
      put(order.reference, 8)
      live[place] = live[live.count - 1]
      live.removeLast()
    } else if dice < 960 {
      begin("U", 35, instrument)
      put(order.reference, 8)
      live[place].reference = nextReference()
      live[place].shares = UInt32(1 + random.below(20)) * 100
      put(live[place].reference, 8)
      put(UInt64(live[place].shares), 4)
      put(price(instrument, isBuy: order.isBuy), 4)
    } else {
      let part = order.shares > 100 && random.below(4) != 0 ? UInt32(100) : order.shares
      let cancels = dice >= 990
      if cancels && part == order.shares && part > 1 {
        begin("X", 23, instrument)
        put(order.reference, 8)
        put(1, 4)
        live[place].shares -= 1
      } else {
        begin(cancels ? "X" : "E", cancels ? 23 : 31, instrument)
        put(order.reference, 8)
        put(UInt64(part), 4)
        if !cancels {
          match += 1
          put(match, 8)
        }
        live[place].shares -= part
        if live[place].shares == 0 {
          live[place] = live[live.count - 1]
          live.removeLast()
        }
      }
    }
  }
  if bytes.count > 1 << 20 {
    try file.write(contentsOf: bytes)
    bytes.removeAll(keepingCapacity: true)
  }
}
try file.write(contentsOf: bytes)
print("\(messages) messages, \(live.count) orders live at the end, order numbers up to \(reference)")
