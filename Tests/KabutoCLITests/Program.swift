// The built program as a process, and small ITCH files for it.

import Foundation
import Testing

enum Program {
  /// Beside the test bundle; KABUTO_BIN names another.
  static let path: String? = {
    let environment = ProcessInfo.processInfo.environment
    var candidates = environment["KABUTO_BIN"].map { [$0] } ?? []
    let own = [
      try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"),
      CommandLine.arguments.first,
    ]
    for place in own.compactMap(\.self) {
      candidates.append((place as NSString).deletingLastPathComponent + "/kabuto")
    }
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    candidates.append(root.appendingPathComponent(".build/debug/kabuto").path)
    return candidates.first { FileManager.default.isExecutableFile(atPath: $0) }
  }()

  struct Outcome {
    var status: Int32
    var output: Data
    var complaints: String
    var text: String { String(decoding: output, as: UTF8.self) }

    /// The output as exactly one JSON document.
    func json() throws -> [String: Any] {
      try #require(try JSONSerialization.jsonObject(with: output) as? [String: Any])
    }
  }

  static func run(_ arguments: String..., program: String? = nil) throws -> Outcome {
    try run(arguments, program: program)
  }

  /// - Parameter environment: set besides what the test has.
  static func run(
    _ arguments: [String], program: String? = nil, environment: [String: String] = [:]
  ) throws -> Outcome {
    let folder = try TemporaryFolder()
    let process = Process()
    process.executableURL = URL(
      fileURLWithPath: try #require(program ?? path, "the program is not beside the tests"))
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("KABUTO_") }
      .merging(environment) { _, given in given }
    process.standardInput = FileHandle.nullDevice
    // Into files: a full pipe would stop the program while we wait for its other end.
    let (out, err) = (folder.path + "/out", folder.path + "/err")
    for file in [out, err] { _ = FileManager.default.createFile(atPath: file, contents: nil) }
    process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: out))
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: err))
    try process.run()
    process.waitUntilExit()
    return Outcome(
      status: process.terminationStatus, output: FileManager.default.contents(atPath: out) ?? Data(),
      complaints: String(decoding: FileManager.default.contents(atPath: err) ?? Data(), as: UTF8.self))
  }
}

/// A folder for one test.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "kabuto-cli-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
    let path = path + "/" + name
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return path
  }
}

/// Bytes of ITCH messages, spelt out: known answers must not come from the code they check.
struct Messages {
  private(set) var bytes: [UInt8] = []
  private var count: UInt64 = 0

  private static func number(_ value: UInt64, _ width: Int) -> [UInt8] {
    (0..<width).reversed().map { UInt8(truncatingIfNeeded: value >> UInt64($0 * 8)) }
  }

  private static func text(_ value: String, _ width: Int) -> [UInt8] {
    Array(value.utf8) + Array(repeating: 0x20, count: width - value.utf8.count)
  }

  /// Adds a message; its time is its number in microseconds.
  private mutating func add(_ type: String, _ locate: UInt64, _ rest: [UInt8]) {
    count += 1
    let body =
      Array(type.utf8) + Self.number(locate, 2) + Self.number(0, 2) + Self.number(count * 1000, 6) + rest
    bytes += Self.number(UInt64(body.count), 2) + body
  }

  mutating func system(_ event: String) { add("S", 0, Array(event.utf8)) }

  mutating func directory(_ locate: UInt64, _ code: String) {
    add(
      "R", locate,
      Self.text(code, 8) + Array("QN".utf8) + Self.number(100, 4) + Array("NCZ PNN1N".utf8)
        + Self.number(0, 4) + Array("N".utf8))
  }

  mutating func action(_ locate: UInt64, _ code: String, _ state: String) {
    add("H", locate, Self.text(code, 8) + Array(state.utf8) + [0x20] + Self.text("", 4))
  }

  mutating func order(
    _ locate: UInt64, _ reference: UInt64, _ side: String, _ size: UInt64, _ code: String, _ price: UInt64
  ) {
    add(
      "A", locate,
      Self.number(reference, 8) + Array(side.utf8) + Self.number(size, 4) + Self.text(code, 8)
        + Self.number(price, 4))
  }

  mutating func cancel(_ locate: UInt64, _ reference: UInt64, _ size: UInt64) {
    add("X", locate, Self.number(reference, 8) + Self.number(size, 4))
  }

  mutating func delete(_ locate: UInt64, _ reference: UInt64) { add("D", locate, Self.number(reference, 8)) }

  /// The same messages with lengths of zero, as some writers leave them.
  static func withoutLengths(_ bytes: [UInt8]) -> [UInt8] {
    var (changed, place) = (bytes, 0)
    while place + 2 <= bytes.count {
      let length = Int(bytes[place]) << 8 | Int(bytes[place + 1])
      changed[place] = 0
      changed[place + 1] = 0
      place += 2 + length
    }
    return changed
  }
}
