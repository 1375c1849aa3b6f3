// Processes of a run: started within a namespace, marked, written down, their output in files; ended only if they are
// still the ones that were started.

import CNetwork
import Foundation

/// A short command whose end is waited for.
enum LabCommand {
  /// Its status and what it wrote to both outputs; status 127 where it could not be started.
  static func run(
    _ arguments: [String], namespace: String? = nil, run: String? = nil, environment: [String: String] = [:]
  ) -> (status: Int32, output: String) {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { return (127, String(cString: strerror(errno))) }
    let null = open("/dev/null", O_RDWR | O_CLOEXEC)
    let id = LabProcess.spawn(
      arguments, namespace: namespace, folder: nil,
      environment: LabProcess.environment(run: run, environment),
      input: null,
      output: ends[1], error: ends[1])
    let reason = errno
    close(null)
    close(ends[1])
    defer { close(ends[0]) }
    guard id > 0 else { return (127, "\(arguments.first ?? ""): \(String(cString: strerror(reason)))") }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = read(ends[0], &buffer, buffer.count)
      if count > 0 { bytes += buffer[..<count] } else if count == 0 || errno != EINTR { break }
    }
    var status: Int32 = 0
    while waitpid(id, &status, 0) < 0, errno == EINTR {}
    return (LabProcess.exitStatus(status), String(decoding: bytes, as: UTF8.self))
  }

  /// - Throws: what the command said, where its status isn't 0.
  @discardableResult
  static func require(_ arguments: [String], namespace: String? = nil, run: String? = nil) throws(LabFailure)
    -> String
  {
    let (status, output) = Self.run(arguments, namespace: namespace, run: run)
    guard status == 0 else {
      throw LabFailure("\(arguments.joined(separator: " ")): status \(status): \(output.prefix(2000))")
    }
    return output
  }
}

/// A process that runs beside the run.
///
/// @unchecked Sendable: `status` is guarded by the lock; all else is constant.
final class LabProcess: @unchecked Sendable {
  let name: String
  let id: Int32
  let startTime: UInt64
  /// Where its output is.
  let logPath: String
  private let lock = NSLock()
  private var status: Int32?

  /// Starts a program.
  /// - Parameters:
  ///   - name: of its log file, `NAME.log` in the run's folder of logs.
  ///   - arguments: absolute path of the program, and its arguments.
  ///   - namespace: file of the namespace; nil: the machine's own.
  ///   - input: descriptor that becomes its standard input; nil: nothing.
  init(
    _ name: String, _ arguments: [String], namespace: String?, entry: LabEntry, logs: String,
    environment: [String: String] = [:], input: Int32? = nil
  ) throws(LabFailure) {
    self.name = name
    logPath = "\(logs)/\(name).log"
    let log = open(logPath, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard log >= 0 else { throw LabFailure("\(logPath): \(String(cString: strerror(errno)))") }
    let null = open("/dev/null", O_RDWR | O_CLOEXEC)
    id = Self.spawn(
      arguments, namespace: namespace, folder: logs,
      environment: Self.environment(run: entry.run, environment),
      input: input ?? null, output: log, error: log)
    let reason = errno
    close(null)
    close(log)
    guard id > 0 else {
      throw LabFailure("\(name): \(arguments.first ?? ""): \(String(cString: strerror(reason)))")
    }
    startTime = ProcessState.startTime(id) ?? 0
    // A session is a group of its own to the scheduler, and niceness counts within it only.
    ProcessState.prefer(id)
    try entry.note("processes", "\(id) \(startTime) \(name)")
  }

  /// Whether it is still there.
  var isRunning: Bool {
    lock.withLock {
      if status != nil { return false }
      var found: Int32 = 0
      let ended = waitpid(id, &found, WNOHANG)
      if ended == id { status = found }
      // Somebody else has heard of its end.
      if ended < 0, errno == ECHILD { status = 255 << 8 }
      return status == nil
    }
  }

  /// How it ended; nil: it hasn't.
  var exitStatus: Int32? {
    _ = isRunning
    return lock.withLock { status.map(Self.exitStatus) }
  }

  /// Sends a signal, if it is still the process that was started.
  @discardableResult func signal(_ number: Int32) -> Bool {
    guard isRunning, ProcessState.startTime(id) == startTime else { return false }
    return kill(id, number) == 0
  }

  /// Asks it to end, waits, then makes it.
  func end(within seconds: Double = 3) {
    signal(SIGTERM)
    signal(SIGCONT)
    if !wait(seconds) {
      signal(SIGKILL)
      _ = wait(2)
    }
  }

  /// Waits for its end; false: it hasn't ended.
  func wait(_ seconds: Double) -> Bool {
    let until = Date().addingTimeInterval(seconds)
    while isRunning {
      if Date() > until { return false }
      usleep(5_000)
    }
    return true
  }

  /// The last lines of its log, for people; of a program in Go that broke down, the first of what it says of that.
  var lastWords: String {
    let text = (try? String(contentsOfFile: logPath, encoding: .utf8)) ?? ""
    let lines = text.split(separator: "\n")
    let breakdown = lines.lastIndex { $0.hasPrefix("panic: ") || $0.hasPrefix("fatal error: ") }
    return (breakdown.map { lines[$0...].prefix(12) } ?? lines.suffix(8)).joined(separator: "\n")
  }

  // MARK: -

  static func exitStatus(_ status: Int32) -> Int32 {
    status & 0x7f == 0 ? status >> 8 & 0xff : 128 + (status & 0x7f)
  }

  static func environment(run: String?, _ more: [String: String]) -> [String] {
    var all = [
      "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8",
      "HOME": "/root",
    ]
    if let run { all[LabRegistry.mark] = run }
    all.merge(more) { $1 }
    return all.map { "\($0)=\($1)" }.sorted()
  }

  static func spawn(
    _ arguments: [String], namespace: String?, folder: String?, environment: [String], input: Int32,
    output: Int32, error: Int32
  ) -> Int32 {
    let words = arguments.map { strdup($0) }
    let settings = environment.map { strdup($0) }
    defer { for text in words + settings { free(text) } }
    let wordList: [UnsafePointer<CChar>?] = words.map { UnsafePointer($0) } + [nil]
    let settingList: [UnsafePointer<CChar>?] = settings.map { UnsafePointer($0) } + [nil]
    return kabuto_spawn(namespace, folder, wordList, settingList, input, output, error)
  }
}
