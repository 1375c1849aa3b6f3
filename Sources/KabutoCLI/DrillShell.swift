// A drill's shell command in a process group of its own, so that it can be ended with all that it began; and processes
// by number and start time, so that no other one is signalled for them. Nobody waits for a command: it is asked for.

import Continuity
import Foundation
import Synchronization

/// A value that comes later.
final class DrillPending<Value: Sendable>: Sendable {
  private let value = Mutex<Value?>(nil)

  init(_ work: @escaping @Sendable () async -> Value) {
    Task {
      let found = await work()
      self.value.withLock { $0 = found }
    }
  }

  /// The value; nil = not yet.
  var found: Value? { value.withLock { $0 } }
}

/// A command that runs, or ran.
final class DrillShell: Sendable {
  private struct State {
    var pid: pid_t = 0
    var ended = false
    var fault: String?
    var isCancelled = false
  }

  private let state = Mutex(State())
  private let text: String

  /// How long a command may take, and how long it has from the request to end until it is killed.
  private static let seconds = 30.0
  private static let graceSeconds = 1.0

  /// Begins a command.
  init(_ text: String) {
    self.text = text
    var pid: pid_t = 0
    let fault = Self.spawn(text, &pid)
    state.withLock {
      $0.pid = pid
      $0.ended = fault != nil
      $0.fault = fault.map { "\(text): \($0)" }
    }
    guard fault == nil else { return }
    let child = pid
    Thread.detachNewThread { [self] in watch(child) }
  }

  /// nil = it runs; else why it failed, empty where it didn't.
  var result: String? { state.withLock { $0.ended ? $0.fault ?? "" : nil } }

  /// Ends it and what it began.
  func cancel() { state.withLock { $0.isCancelled = true } }

  /// Runs a command to its end; why it failed, or nil.
  static func run(_ text: String) async -> String? {
    let shell = DrillShell(text)
    while true {
      if let result = shell.result { return result.isEmpty ? nil : result }
      try? await Task.sleep(for: .milliseconds(20))
    }
  }

  private func watch(_ pid: pid_t) {
    let begun = DrillWatch.now()
    var askedAt: UInt64?
    var status: CInt = 0
    while waitpid(pid, &status, WNOHANG) == 0 {
      let now = DrillWatch.now()
      let isLate = Double(now - begun) / 1e9 > Self.seconds
      if askedAt == nil, isLate || state.withLock({ $0.isCancelled }) {
        kill(-pid, SIGTERM)
        askedAt = now
      }
      if let askedAt, Double(now - askedAt) / 1e9 > Self.graceSeconds { kill(-pid, SIGKILL) }
      usleep(10_000)
    }
    // What it left running in its group goes too where it was to end.
    if askedAt != nil { kill(-pid, SIGKILL) }
    let code = status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
    state.withLock {
      $0.ended = true
      $0.fault = code == 0 ? nil : "\(text): status \(code)\(askedAt == nil ? "" : " (it was ended)")"
    }
  }

  /// Starts the shell; why it can't, or nil.
  private static func spawn(_ text: String, _ pid: inout pid_t) -> String? {
    var attributes = posix_spawnattr_t()
    var actions = posix_spawn_file_actions_t()
    posix_spawnattr_init(&attributes)
    posix_spawn_file_actions_init(&actions)
    defer {
      posix_spawnattr_destroy(&attributes)
      posix_spawn_file_actions_destroy(&actions)
    }
    // Signals that are ignored here, because they are waited for, aren't to be ignored there.
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in [SIGINT, SIGTERM, SIGHUP, SIGPIPE] { sigaddset(&signals, number) }
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF))
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    // Data on standard output is this program's own.
    posix_spawn_file_actions_adddup2(&actions, 2, 1)
    let words: [String] = ["/bin/sh", "-c", text]
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    let fault = posix_spawn(&pid, "/bin/sh", &actions, &attributes, &arguments, environ)
    return fault == 0 ? nil : String(cString: strerror(fault))
  }
}

extension DrillProcess {
  /// This process.
  static var own: DrillProcess? { at(Int(getpid())) }

  /// The process that has this number now.
  static func at(_ pid: Int) -> DrillProcess? {
    guard let text = FileManager.default.contents(atPath: "/proc/\(pid)/stat"),
      // The name, in brackets, may hold anything.
      let rest = String(decoding: text, as: UTF8.self).split(separator: ")").last
    else { return nil }
    // The third field comes first; the 22nd is when it began.
    let fields = rest.split(separator: " ")
    guard fields.count > 19, let started = UInt64(fields[19]) else { return nil }
    return DrillProcess(pid: pid, started: started)
  }

  /// Whether it is still there and still the same.
  var isThere: Bool { Self.at(pid) == self }
}
