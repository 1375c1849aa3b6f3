// Bytes, randomness and data for the tests of body processors.

import Firewall
import Foundation

/// Bytes that stay where they are as long as the test holds this.
final class HeldBytes {
  private let buffer: UnsafeMutableBufferPointer<UInt8>

  init(_ bytes: some Collection<UInt8>) {
    buffer = .allocate(capacity: max(1, bytes.count))
    buffer.initialize(repeating: 0)
    for (index, byte) in bytes.enumerated() { buffer[index] = byte }
    count = bytes.count
  }

  convenience init(_ text: String) { self.init(Array(text.utf8)) }

  deinit { buffer.deallocate() }

  let count: Int
  var view: ByteView { ByteView(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[0..<count])) }
  var bytes: [UInt8] { view.array }
}

/// A name and a value as text, one character a byte (Latin-1).
struct TextPair: Hashable, CustomStringConvertible {
  let name: String
  let value: String
  init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
  init(_ argument: Argument) { self.init(latin1(argument.name), latin1(argument.value)) }
  var description: String { "\(name)=\(value)" }
}

func latin1(_ view: ByteView) -> String { latin1(view.array) }
func latin1(_ bytes: [UInt8]) -> String {
  String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
}
/// The low byte of each character.
func latin1Bytes(_ text: String) -> [UInt8] {
  text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
}

/// SplitMix64; `KABUTO_SEED` (hexadecimal) repeats a run.
struct BodyRandom: RandomNumberGenerator {
  private var state: UInt64

  /// The test that calls draws numbers of its own.
  init(file: String = #fileID, test: String = #function) { state = seed(of: file + test) }

  var comment: String { "KABUTO_SEED=" + String(runSeed, radix: 16) }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }

  /// A few bytes changed, taken out, put in, or doubled.
  mutating func mutate(_ bytes: [UInt8], with alphabet: [UInt8]) -> [UInt8] {
    var bytes = bytes
    for _ in 0...below(6) {
      let at = below(bytes.count + 1)
      let byte = below(4) == 0 ? UInt8(truncatingIfNeeded: next()) : alphabet[below(alphabet.count)]
      switch below(5) {
      case 0 where at < bytes.count: bytes[at] = byte
      case 1 where at < bytes.count: bytes.remove(at: at)
      case 2 where at < bytes.count:
        let end = min(bytes.count, at + 1 + below(40))
        bytes.insert(contentsOf: bytes[at..<end], at: below(bytes.count + 1))
      case 3 where at < bytes.count: bytes.removeSubrange(at..<min(bytes.count, at + 1 + below(20)))
      default: bytes.insert(byte, at: at)
      }
    }
    return bytes
  }
}

/// Runs `body` for a second, or for KABUTO_FUZZ_SECONDS; gives how often.
func fuzzing(_ body: () throws -> Void) rethrows -> Int {
  let seconds = ProcessInfo.processInfo.environment["KABUTO_FUZZ_SECONDS"].flatMap(Double.init) ?? 1
  let end = ContinuousClock.now + .seconds(seconds)
  var rounds = 0
  repeat {
    for _ in 0..<50 { try body() }
    rounds += 50
  } while ContinuousClock.now < end
  return rounds
}

extension BodyContent {
  /// Reads every byte that it points to; gives their number.
  func readAll() -> Int {
    var total = 0
    var mixed: UInt8 = 0
    func read(_ view: ByteView) {
      for byte in view.buffer { mixed ^= byte }
      total += view.count
    }
    for argument in arguments + partHeaders {
      read(argument.name)
      read(argument.value)
    }
    for file in files {
      read(file.name)
      read(file.fileName)
      read(file.content)
    }
    for view in partNames + partFileNames { read(view) }
    return withExtendedLifetime(mixed) { total }
  }

  var pairs: [TextPair] { arguments.map(TextPair.init) }
}

/// The firewall's test data, which isn't part of the package: beside it, or where KABUTO_TESTDATA says.
enum FirewallRegressionData {
  static let folder: String? = {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    var candidates = [
      root.deletingLastPathComponent().path + "/shared",
      FileManager.default.currentDirectoryPath + "/../shared",
    ]
    if let given = ProcessInfo.processInfo.environment["KABUTO_TESTDATA"], !given.isEmpty {
      candidates.insert(contentsOf: [given, given + "/.."], at: 0)
    }
    return candidates.map { $0 + "/firewall/modsecurity-regression/regression" }
      .first { FileManager.default.fileExists(atPath: $0) }
  }()
}
