// What a run has made, written down as it is made, so that whoever comes next can take it away, also after kill -9:
// a folder a run under the base folder (default /run/kabuto-lab) with `owner` (the run's own process), `processes`,
// `namespaces`, `mounts`, `images` and `loops`, a line each.
//
// Nothing is ended or removed that isn't in there or doesn't carry the run's mark: a process must have the id *and* the
// start time that were written down (ids are given again), or carry KABUTO_LAB_RUN with the run's id in the environment
// it was started with. The system's own end of things does the rest: a namespace that nobody is in any more takes its
// interfaces, bridges, addresses and rules with it.

import CNetwork
import Foundation

/// See the head of this file.
public struct LabRegistry: Sendable {
  /// Name of the environment variable that marks what a run has started.
  public static let mark = "KABUTO_LAB_RUN"

  /// Folder of all runs.
  public let base: String
  /// Where the system keeps names of namespaces.
  let namespaceFolder = "/run/netns"

  /// With these values.
  public init(base: String = "/run/kabuto-lab") { self.base = base }

  /// A run, whose own process this is.
  public func begin(_ run: String) throws(LabFailure) -> LabEntry {
    let folder = "\(base)/\(run)"
    do {
      try FileManager.default.createDirectory(atPath: base, withIntermediateDirectories: true)
      // Routers' daemons, which aren't root, go through it to their own; nobody looks into it.
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o711])
    } catch { throw LabFailure("\(folder): could not be made: \(error.localizedDescription)") }
    let entry = LabEntry(run: run, folder: folder, namespaceFolder: namespaceFolder)
    try entry.note("owner", "\(getpid()) \(ProcessState.startTime(getpid()) ?? 0)")
    return entry
  }

  /// Runs whose own process is gone.
  public func leftovers() -> [LabEntry] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: base)) ?? []
    return names.sorted().compactMap { name in
      let entry = LabEntry(run: name, folder: "\(base)/\(name)", namespaceFolder: namespaceFolder)
      return entry.isOwned ? nil : entry
    }
  }

  /// Removes what dead runs have left. Returns what was done, a line each run.
  public func cleanLeftovers() -> [String] {
    leftovers().map { entry in
      let report = entry.remove()
      return "run \(entry.run): ended \(report.processes) processes, removed \(report.namespaces) namespaces"
    }
  }
}

/// What `LabEntry.remove` did.
public struct LabRemoval: Sendable, Equatable {
  /// Processes that were ended.
  public var processes = 0
  /// Namespaces that were removed.
  public var namespaces = 0
}

/// One run's folder.
public struct LabEntry: Sendable {
  /// Number of the repetition, or of the run.
  public let run: String
  /// Folder of the run.
  public let folder: String
  let namespaceFolder: String

  /// The file that stands for a namespace of this run.
  public func namespaceFile(_ name: String) -> String { "\(namespaceFolder)/\(namespaceName(name))" }

  /// As `ip netns` shows it.
  public func namespaceName(_ name: String) -> String { "kbl-\(run)-\(name)" }

  /// Writes down a line, before or at once after what it names is made.
  func note(_ file: String, _ line: String) throws(LabFailure) {
    let path = "\(folder)/\(file)"
    let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw LabFailure("\(path): \(String(cString: strerror(errno)))") }
    defer { close(descriptor) }
    let bytes = Array((line + "\n").utf8)
    guard write(descriptor, bytes, bytes.count) == bytes.count else {
      throw LabFailure("\(path): \(String(cString: strerror(errno)))")
    }
  }

  /// Writes a file that only its owner may read, before there is anything in it to be read.
  func writePrivately(_ text: String, to path: String) throws(LabFailure) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0, fchmod(descriptor, 0o600) == 0 else {
      throw LabFailure("\(path): \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if count > 0 {
        rest = rest.dropFirst(count)
      } else if errno != EINTR {
        throw LabFailure("\(path): \(String(cString: strerror(errno)))")
      }
    }
  }

  func lines(_ file: String) -> [String] {
    let text = (try? String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)) ?? ""
    return text.split(separator: "\n").map(String.init)
  }

  /// Whether the process that owns the run is still there.
  var isOwned: Bool {
    guard let (owner, start) = lines("owner").first.flatMap(Self.process) else {
      // A folder without an owner: one that is being made this moment, or what a kill left before its first line.
      let attributes = try? FileManager.default.attributesOfItem(atPath: folder)
      let made = attributes?[.creationDate] as? Date ?? attributes?[.modificationDate] as? Date
      return made.map { Date().timeIntervalSince($0) < 10 } ?? false
    }
    return ProcessState.startTime(owner) == start
  }

  static func process(_ line: String) -> (Int32, UInt64)? {
    let words = line.split(separator: " ")
    guard words.count >= 2, let id = Int32(words[0]), id > 1, let start = UInt64(words[1]) else { return nil }
    return (id, start)
  }

  /// Processes of the run that are still there: those written down, and those that carry its mark.
  func livingProcesses() -> [Int32] {
    var living = Set<Int32>()
    for (id, start) in lines("processes").compactMap(Self.process) where ProcessState.startTime(id) == start {
      living.insert(id)
    }
    let wanted = "\(LabRegistry.mark)=\(run)"
    for id in ProcessState.all() where id != getpid() && !living.contains(id) {
      if ProcessState.environment(id).contains(wanted) { living.insert(id) }
    }
    return living.sorted()
  }

  /// Ends the run's processes and removes what it made. Can be done twice.
  @discardableResult public func remove() -> LabRemoval {
    var report = LabRemoval()
    report.processes = endProcesses()
    for mount in lines("mounts").reversed() {
      // What is frozen can't be let go.
      _ = LabCommand.run(["/usr/sbin/fsfreeze", "--unfreeze", mount])
      umount2(mount, Int32(MNT_DETACH))
    }
    // By the image, which was written down before the device was taken: a run may be killed in between.
    for image in lines("images") {
      for loop in Self.loops(in: LabCommand.run(["/usr/sbin/losetup", "-j", image]).output) {
        _ = LabCommand.run(["/usr/sbin/losetup", "--detach", loop])
      }
    }
    for name in lines("namespaces") where name.hasPrefix("kbl-\(run)-") && !name.contains("/") {
      let file = "\(namespaceFolder)/\(name)"
      _ = kabuto_release_namespace(file)
      if unlink(file) == 0 { report.namespaces += 1 }
    }
    try? FileManager.default.removeItem(atPath: folder)
    return report
  }

  /// Devices in what `losetup -j` says: `/dev/loop0: [2049]:1234 (/path)`, a line each.
  static func loops(in text: String) -> [String] {
    text.split(separator: "\n").compactMap { line in
      line.split(separator: ":").first.map(String.init).flatMap { $0.hasPrefix("/dev/loop") ? $0 : nil }
    }
  }

  private func endProcesses() -> Int {
    var ended = Set<Int32>()
    // What is being started while we look is found the next time.
    for round in 0..<50 {
      let living = livingProcesses()
      if living.isEmpty { break }
      for id in living {
        if round == 0 { kill(id, SIGTERM) }
        kill(id, SIGCONT)
        if round >= 5 { kill(id, SIGKILL) }
        ended.insert(id)
        waitpid(id, nil, WNOHANG)
      }
      usleep(20_000)
    }
    // FRR's daemons keep a folder each for the notes of a crash.
    let written = lines("processes").compactMap(Self.process).map(\.0)
    for id in ended.union(written) where ProcessState.startTime(id) == nil {
      for daemon in ["zebra", "bfdd", "bgpd"] {
        try? FileManager.default.removeItem(atPath: "/var/tmp/frr/\(daemon).\(id)")
      }
      // And libfaketime shares memory.
      for name in ["sem.faketime_sem", "faketime_shm"] {
        try? FileManager.default.removeItem(atPath: "/dev/shm/\(name)_\(id)")
      }
    }
    return ended.count
  }
}

/// What /proc says of processes.
public enum ProcessState {
  /// When a process began, in clock ticks since the start of the machine; nil: there is none, or it is dead.
  public static func startTime(_ id: Int32) -> UInt64? {
    guard let text = try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8),
      let close = text.lastIndex(of: ")")
    else { return nil }
    let fields = text[text.index(after: close)...].split(separator: " ")
    guard fields.count > 19, fields[0] != "Z", fields[0] != "X" else { return nil }
    return UInt64(fields[19])
  }

  /// Gives the scheduler's group of a process (its session) the niceness of the caller, where groups are in use.
  static func prefer(_ id: Int32) {
    let nice = getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0)
    let descriptor = open("/proc/\(id)/autogroup", O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    let text = Array("\(nice)".utf8)
    _ = write(descriptor, text, text.count)
  }

  static func all() -> [Int32] {
    ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }
  }

  /// All of a file of /proc: its size is told as 0, and who reads by size gets a page of it.
  static func bytes(of path: String) -> Data {
    guard let file = FileHandle(forReadingAtPath: path) else { return Data() }
    defer { try? file.close() }
    return (try? file.readToEnd()) ?? Data()
  }

  /// The environment it was started with.
  static func environment(_ id: Int32) -> Set<String> {
    let data = bytes(of: "/proc/\(id)/environ")
    return Set(data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) })
  }

  /// CPU time that it used, seconds.
  static func cpuSeconds(_ id: Int32) -> Double? {
    guard let text = try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8),
      let close = text.lastIndex(of: ")")
    else { return nil }
    let fields = text[text.index(after: close)...].split(separator: " ")
    guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else {
      return nil
    }
    return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }
}
