// The parsers meet what nobody would send: cut anywhere they say the same, and nothing makes them crash.

import Foundation
import NIOCore
import Testing

@testable import FirewallProxy

/// The run's seed: KABUTO_SEED (hexadecimal), or another one each time.
let runSeed: UInt64 = {
  let given = ProcessInfo.processInfo.environment["KABUTO_SEED"].flatMap { UInt64($0, radix: 16) }
  let seed = given ?? UInt64.random(in: 1...0xffff_ffff)
  print("FirewallProxyTests: KABUTO_SEED=\(String(seed, radix: 16))")
  return seed
}()

/// The line that repeats a run.
var seedNote: Comment { Comment(rawValue: "KABUTO_SEED=\(String(runSeed, radix: 16))") }

/// Numbers for one test: the run's seed and its name, by FNV-1a.
func generator(_ name: String = #function) -> RandomBits {
  var digest: UInt64 = 0xcbf2_9ce4_8422_2325 ^ runSeed
  for byte in name.utf8 { digest = (digest ^ UInt64(byte)) &* 0x100_0000_01b3 }
  return RandomBits(seed: digest)
}

@Suite struct ParserFuzz {
  static let seconds = Double(ProcessInfo.processInfo.environment["KABUTO_FUZZ_SECONDS"] ?? "") ?? 1

  static let pieces = [
    "GET / HTTP/1.1\r\n", "POST /a?b=c HTTP/1.0\r\n", "Host: a\r\n", "Content-Length: 5\r\n",
    "Transfer-Encoding: chunked\r\n", "\r\n", "\n", "\r", ":", " ", "\0", "X: y\r\n", "5\r\nhello\r\n",
    "0\r\n\r\n",
    "5;e=v\r\nhello\r\n", "fffffffffffffff\r\n", "Connection: close, X\r\n", "HTTP/1.1 200 OK\r\n",
    "http://b/", "*",
    "\t", "é", "Expect: 100-continue\r\n", "GET", "/",
  ]

  static func input(_ random: inout RandomBits) -> [UInt8] {
    var bytes: [UInt8] = []
    for _ in 0..<Int(random.next() % 14) {
      if random.next() % 5 == 0 {
        bytes.append(UInt8(truncatingIfNeeded: random.next()))
      } else {
        bytes += Array(pieces[Int(random.next() % UInt64(pieces.count))].utf8)
      }
    }
    return bytes
  }

  static func cuts(_ bytes: [UInt8], _ random: inout RandomBits) -> [ArraySlice<UInt8>] {
    var parts: [ArraySlice<UInt8>] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      let part = rest.prefix(Int(random.next() % 7) + 1)
      rest = rest.dropFirst(part.count)
      parts.append(part)
    }
    return parts
  }

  static func repeated(_ test: String = #function, _ body: (inout RandomBits) -> Void) {
    var random = generator(test)
    let end = Date().addingTimeInterval(seconds)
    while Date() < end { body(&random) }
  }

  @Test func headsEndAtTheSamePlaceHoweverCutFuzz() {
    var limits = HeadLimits()
    limits.lineBytes = 40
    limits.fieldBytes = 30
    limits.fieldCount = 5
    limits.totalBytes = 90
    Self.repeated { random in
      let bytes = Self.input(&random)
      var whole = HeadScanner()
      let expected = bytes.withUnsafeBytes { whole.scan($0, limits) }
      var cut = HeadScanner()
      var outcome = HeadScanner.Outcome.more
      var came: [UInt8] = []
      for part in Self.cuts(bytes, &random) where outcome == .more {
        came += part
        outcome = came.withUnsafeBytes { cut.scan($0, limits) }
      }
      #expect(outcome == expected, "\(seedNote) \(bytes)")
    }
  }

  @Test func headsNeverCrashFuzz() {
    Self.repeated { random in
      let bytes = Self.input(&random)
      var scanner = HeadScanner()
      guard case .head(let count) = bytes.withUnsafeBytes({ scanner.scan($0, HeadLimits()) }) else { return }
      var request = RequestHead()
      request.parse(ByteBuffer(bytes: bytes[..<count]))
      var response = ResponseHead()
      response.parse(ByteBuffer(bytes: bytes[..<count]), isForHead: false)
      for head in [request.head, response.head] {
        for field in head.fields {
          let end = Int(field.valueStart + field.valueCount)
          #expect(end <= count && Int(field.lineEnd) <= count, "\(seedNote) \(bytes)")
        }
        var out = ByteBuffer()
        head.copyFields(to: &out) { $0.known == .host }
      }
      // What is accepted has one reading only.
      if request.refusal == nil {
        let text = String(decoding: bytes[..<count], as: UTF8.self).lowercased()
        let lengths = text.components(separatedBy: "\ncontent-length:").count - 1
        #expect(lengths <= 1, "\(seedNote) \(bytes)")
        if request.framing == .chunked { #expect(lengths == 0, "\(seedNote) \(bytes)") }
      }
    }
  }

  @Test func chunksAreTheSameHoweverCutFuzz() {
    func decode(_ parts: [ArraySlice<UInt8>]) -> (body: [UInt8], end: String, left: Int) {
      var decoder = ChunkDecoder()
      var body: [UInt8] = []
      var left = 0
      var end = "more"
      for part in parts {
        guard end == "more" else {
          left += part.count
          continue
        }
        var buffer = ByteBuffer(bytes: part)
        loop: while true {
          switch decoder.next(&buffer) {
          case .data(let data): body += data.readableBytesView
          case .more: break loop
          case .end:
            end = "end"
            left += buffer.readableBytes
            break loop
          case .refused(let reason):
            return (body, reason.rawValue, 0)
          }
        }
      }
      return (body, end, left)
    }
    Self.repeated { random in
      var bytes: [UInt8] = []
      for _ in 0..<Int(random.next() % 6) {
        let size = Int(random.next() % 20)
        bytes += Array("\(String(size, radix: 16))\(random.next() % 3 == 0 ? ";x=y" : "")\r\n".utf8)
        bytes += [UInt8](repeating: 0x62, count: size) + [13, 10]
      }
      bytes += Array("0\r\nT: u\r\n\r\nGET".utf8)
      if random.next() % 2 == 0, !bytes.isEmpty {
        bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
      }
      let whole = decode([bytes[...]])
      let cut = decode(Self.cuts(bytes, &random))
      #expect(
        whole.body == cut.body && whole.end == cut.end && whole.left == cut.left,
        "\(seedNote) \(bytes)")
    }
  }
}
