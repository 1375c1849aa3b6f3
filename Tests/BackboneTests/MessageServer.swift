// A nats-server of the tests' own on free loopback ports; ended with its owner. Tests that need one are skipped by
// name where there is none.

import Foundation
import Synchronization

@testable import Backbone

final class MessageServer: @unchecked Sendable {
  static let path: String? = ["/usr/sbin/nats-server", "/usr/bin/nats-server", "/usr/local/bin/nats-server"]
    .first { FileManager.default.isExecutableFile(atPath: $0) }
  static var isThere: Bool { path != nil }

  let port: Int
  let folder: URL
  private var process: Process?
  private let configuration: String

  /// A server that runs.
  /// - Parameter configuration: further lines of its configuration; `{folder}` stands for its folder.
  init(port: Int? = nil, _ configuration: String = "") throws {
    self.port = try port ?? Self.freePort()
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("kabuto-nats-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    self.configuration = configuration
    try start()
  }

  deinit {
    kill()
    try? FileManager.default.removeItem(at: folder)
  }

  var settings: NatsSettings { settings() }
  func settings(rail: String = "a", name: String = "n1", others: [MessageServer] = []) -> NatsSettings {
    NatsSettings(
      rail: rail,
      servers: ([self] + others).map { NatsSettings.Server(host: "127.0.0.1", port: $0.port) }, name: name)
  }

  func start() throws {
    let file = folder.appendingPathComponent("server.conf")
    let text =
      "host: 127.0.0.1\nport: \(port)\nwrite_deadline: \"2s\"\n"
      + configuration.replacingOccurrences(of: "{folder}", with: folder.path)
    try text.write(to: file, atomically: true, encoding: .utf8)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Self.path ?? "/nonexistent")
    process.arguments = ["-c", file.path, "-l", folder.appendingPathComponent("log").path]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    self.process = process
    // Until it listens.
    for _ in 0..<2_000 where !Self.accepts(port) { usleep(5_000) }
  }

  private static func accepts(_ port: Int) -> Bool {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }

  var isRunning: Bool { process?.isRunning ?? false }

  func kill() {
    guard let process, process.isRunning else { return }
    Foundation.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    self.process = nil
  }

  func freeze() { if let process { Foundation.kill(process.processIdentifier, SIGSTOP) } }
  func thaw() { if let process { Foundation.kill(process.processIdentifier, SIGCONT) } }
  var log: String {
    (try? String(contentsOf: folder.appendingPathComponent("log"), encoding: .utf8)) ?? ""
  }

  static func freePort() throws -> Int {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let port = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        bind(socket, generic, size) == 0 && getsockname(socket, generic, &size) == 0
      }
    }
    guard port else { throw BusError("no free port") }
    return Int(UInt16(bigEndian: address.sin_port))
  }
}

/// Waits until something is so; false where it isn't within the time.
func eventually(seconds: Double = 15, _ condition: () -> Bool) async -> Bool {
  let end = Date().addingTimeInterval(seconds)
  while Date() < end {
    if condition() { return true }
    try? await Task.sleep(nanoseconds: 5_000_000)
  }
  return condition()
}

/// What a handler heard.
final class Heard: Sendable {
  private let list = Mutex<[String]>([])
  var all: [String] { list.withLock { $0 } }
  var count: Int { list.withLock { $0.count } }
  func add(_ text: String) { list.withLock { $0.append(text) } }
  var handler: @Sendable (BusMessage) -> Void {
    { message in self.add(message.subject + "=" + String(decoding: message.payload, as: UTF8.self)) }
  }
}

extension Bus {
  @discardableResult
  func say(_ subject: String, _ text: String, reply: String? = nil) -> Bool {
    publish(subject, reply: reply, bytes: Array(text.utf8))
  }
}
