// Files made for tests: a folder that goes away with its owner, messages, gzip members, captures of MoldUDP64.

import FeedHandler
import FeedProtocols
import Foundation
import MarketData

/// A folder for one test.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "kabuto-feed-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file and gives its path.
  func file(_ name: String, _ bytes: [UInt8]) throws -> String {
    let path = path + "/" + name
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return path
  }

  /// Makes a named pipe into which another process writes `bytes`, and gives its path.
  func pipe(_ name: String, _ bytes: [UInt8]) throws -> String {
    let content = try file(name + ".content", bytes)
    let path = path + "/" + name
    let shell = Process()
    shell.executableURL = URL(fileURLWithPath: "/bin/sh")
    shell.arguments = ["-c", "mkfifo '\(path)' && exec cat '\(content)' > '\(path)'"]
    try shell.run()
    while !FileManager.default.fileExists(atPath: path) { Thread.sleep(forTimeInterval: 0.001) }
    return path
  }
}

/// An Add Order with that order reference, without length prefix.
func order(_ reference: UInt64, locate: UInt16 = 1, time: UInt64 = 34_200_000_000_000) -> [UInt8] {
  var writer = ByteWriter()
  AddOrder(
    header: ITCHHeader(locate: locate, timestamp: time), reference: OrderReference(reference), side: .buy,
    shares: 100, stock: InstrumentCode("T\(locate)") ?? InstrumentCode(0), price: Price(10)
  ).encode(into: &writer)
  return writer.bytes
}

/// A System Event, without length prefix.
func system(_ event: ITCHCode, time: UInt64 = 1) -> [UInt8] {
  var writer = ByteWriter()
  SystemEvent(header: ITCHHeader(locate: 0, timestamp: time), event: event).encode(into: &writer)
  return writer.bytes
}

/// Messages with their two-byte lengths before them.
func framed(_ messages: [[UInt8]]) -> [UInt8] {
  messages.flatMap { [UInt8($0.count >> 8), UInt8($0.count & 0xff)] + $0 }
}

/// A gzip member that stores `content` without compressing it (RFC 1952, RFC 1951 3.2.4).
func gzip(_ content: [UInt8]) -> [UInt8] {
  var bytes: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]
  var rest = content[...]
  repeat {
    let part = rest.prefix(65_535)
    rest = rest.dropFirst(part.count)
    let count = UInt16(part.count)
    bytes += [rest.isEmpty ? 1 : 0, UInt8(count & 0xff), UInt8(count >> 8)]
    bytes += [UInt8(~count & 0xff), UInt8(~count >> 8)]
    bytes += part
  } while !rest.isEmpty
  for value in [crc32(content), UInt32(truncatingIfNeeded: content.count)] {
    for shift in stride(from: UInt32(0), to: 32, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> shift))
    }
  }
  return bytes
}

private let crcTable: [UInt32] = (0..<256).map { index in
  (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xedb8_8320 ^ value >> 1 : value >> 1 }
}

private func crc32(_ bytes: [UInt8]) -> UInt32 {
  var crc = UInt32.max
  for byte in bytes { crc = crcTable[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] ^ crc >> 8 }
  return ~crc
}

/// A MoldUDP64 packet with messages.
func mold(_ session: String, _ sequence: UInt64, _ messages: [[UInt8]]) -> [UInt8] {
  var writer = MoldUDP64PacketWriter(session: MoldSession(session), firstSequence: sequence)
  for message in messages { _ = writer.append(message) }
  return writer.finish()
}

/// A capture (ns, raw IP) of UDP packets with those payloads.
func capture(_ packets: [(time: UInt64, payload: [UInt8])]) -> [UInt8] {
  var file = ByteWriter()
  file.u32(0xa1b2_3c4d)
  file.u16(2)
  file.u16(4)
  file.u64(0)
  file.u32(65_535)
  file.u32(101)
  for (time, payload) in packets {
    file.u32(UInt32(time / 1_000_000_000))
    file.u32(UInt32(time % 1_000_000_000))
    file.u32(UInt32(payload.count + 28))
    file.u32(UInt32(payload.count + 28))
    file.u16(0x4500)
    file.u16(UInt16(payload.count + 28))
    file.u32(0)
    file.u32(0x1011_0000)
    file.u64(0x0a00_0001_e936_0c6f)
    file.u32(0x9c40_676d)
    file.u16(UInt16(payload.count + 8))
    file.u16(0)
    file.append(contentsOf: payload)
  }
  return file.bytes
}

/// A capture whose packets are a millisecond apart.
func capture(_ payloads: [[UInt8]]) -> [UInt8] {
  capture(
    payloads.enumerated().map {
      (1_692_710_232_000_000_000 + UInt64($0.offset) * 1_000_000, $0.element)
    })
}

/// Everything a feed gives, in a form that can be compared.
enum Record {
  /// Reads a feed: `m SEQUENCE NUMBER LETTER REFERENCE` for each message, and a line for everything else.
  static func read(_ feed: FeedFile, maxMessages: Int = 100) throws -> [String] {
    var lines: [String] = []
    while true {
      switch try feed.next(maxMessages: maxMessages) {
      case .messages(let run):
        if run.startsDay { lines.append("day") }
        run.forEachMessage { message, index in
          let letter = String(UnicodeScalar(message.u8(0)))
          let reference = message.byteCount >= 19 ? " \(message.u64(11))" : ""
          lines.append(
            "m \(run.firstSequence + UInt64(index)) \(run.firstFileMessageNumber + UInt64(index)) \(letter)"
              + reference)
        }
      case .bad(let bad):
        lines.append(
          "bad \(bad.sequence.map(String.init) ?? "-") \(bad.fileMessageNumber.map(String.init) ?? "-")"
            + " @\(bad.offset) \(bad.typeText ?? "-")")
      case .gap(let session, let from, let through): lines.append("gap \(session) \(from)-\(through)")
      case .session(let name): lines.append("session \(name)")
      case .end: return lines
      }
    }
  }
}
