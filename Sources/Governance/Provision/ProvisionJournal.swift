// What a provision did, as JSON lines: written down before it is done and after. A line that was acknowledged is on the disk;
// one that was torn by an end in the middle was never acknowledged, so that what it would have told of never began. Owner:
// one process at a time, by a lock on the file. The journal is a record: what is there is always looked at anew.

public import Controls
import Foundation
import Glibc
import Synchronization

/// A line.
public struct JournalEntry: Codable, Sendable, Equatable {
  /// What it tells.
  public enum Event: String, Codable, Sendable {
    /// The account is about to be marked as this run's; `takenOver` is whose mark is taken over, where one is.
    case mark
    /// A provision of an account begins; `baseline` says which, `approval` who allowed it.
    case begin
    /// A step is about to be carried out.
    case intent
    /// What came of it.
    case result
    /// The account's provision ended; `steps` are as wanted.
    case end
  }

  /// `2026-01-02T03:04:05Z`.
  public var at: String
  /// Lines of one process have one.
  public var run: String
  /// The account's number.
  public var account: String
  /// What it tells.
  public var event: Event
  /// What a step makes right.
  public var step: String?
  /// What it is about to change.
  public var changes: [BaselineChange]?
  /// What came of it.
  public var outcome: StepOutcome.Kind?
  /// Why, where it isn't done.
  public var reason: String?
  /// Name and version of the baseline.
  public var baseline: String?
  /// The request that was approved, by its name and hash; or that none was asked for.
  public var approval: String?
  /// The run whose mark is taken over, because somebody said that it has ended.
  public var takenOver: String?
  /// What is as wanted at the end.
  public var steps: [String]?

  init(at: Int64, run: String, account: String, event: Event) {
    (self.at, self.run, self.account, self.event) = (RecordTime.text(at), run, account, event)
  }
}

/// What came of a step.
public struct StepOutcome: Encodable, Sendable, Equatable {
  /// In a word.
  public enum Kind: String, Codable, Sendable {
    /// It was carried out, and what is there is as wanted.
    case done
    /// Before it was carried out, all was as wanted.
    case already
    /// It couldn't be carried out.
    case failed
    /// It wasn't tried: what it needs failed.
    case notDone = "not-done"
  }

  /// In a word.
  public let kind: Kind
  /// Why, where it isn't done.
  public let reason: String?
}

/// A journal that is open for writing.
public final class ProvisionJournal: Sendable {
  private let file: Mutex<Int32>
  private let path: String
  /// This process's run.
  let run: String
  private let now: @Sendable () -> Int64
  /// What was there before.
  public let before: [JournalEntry]
  /// Bytes of a torn line that were taken off.
  public let tornBytes: Int

  /// Opens a journal, and locks it.
  /// - Parameter run: a name that no other run has, on whatever machine: letters, digits and -.
  /// - Throws: `GovernanceFaults` where it can't be opened, isn't a journal, or another process has it.
  public init(
    _ path: String, run: String, now: @escaping @Sendable () -> Int64
  ) throws(GovernanceFaults) {
    let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Self.fault(path, "can't be opened") }
    do throws(GovernanceFaults) {
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
        guard errno == EWOULDBLOCK else { throw Self.fault(path, "can't be locked") }
        throw GovernanceFaults(["\(path): another process writes to this journal; wait until it has ended"])
      }
      let (entries, length, torn) = try Self.entries(path)
      if torn > 0 {
        guard ftruncate(descriptor, off_t(length)) == 0 else { throw Self.fault(path, "can't be cut") }
      }
      guard lseek(descriptor, 0, SEEK_END) >= 0, fsync(descriptor) == 0 else {
        throw Self.fault(path, "can't be written")
      }
      (before, tornBytes) = (entries, torn)
    } catch {
      _ = Glibc.close(descriptor)
      throw error
    }
    Self.syncFolder(of: path)
    file = Mutex(descriptor)
    (self.path, self.run, self.now) = (path, run, now)
  }

  deinit { file.withLock { _ = Glibc.close($0) } }

  /// A new file's name must last, too.
  private static func syncFolder(of path: String) {
    let folder =
      path.split(separator: "/").count > 1 || path.hasPrefix("/")
      ? (path as NSString).deletingLastPathComponent : "."
    let descriptor = Glibc.open(folder.isEmpty ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    _ = Glibc.close(descriptor)
  }

  private static func fault(_ path: String, _ what: String) -> GovernanceFaults {
    GovernanceFaults(["\(path): \(what): \(String(cString: strerror(errno)))"])
  }

  /// Lines of a journal. A last line without its end is left out.
  /// - Returns: them, the length of what is whole, and of what isn't.
  static func entries(_ path: String) throws(GovernanceFaults) -> ([JournalEntry], Int, Int) {
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      throw GovernanceFaults(["\(path): can't be read: \(error.localizedDescription)"])
    }
    let length = data.lastIndex(of: 10).map { $0 + 1 } ?? 0
    var out: [JournalEntry] = []
    var faults: [String] = []
    for (number, line) in data.prefix(length).split(separator: 10, omittingEmptySubsequences: false)
      .enumerated()
    where !line.isEmpty {
      do { out.append(try JSONDecoder().decode(JournalEntry.self, from: Data(line))) } catch {
        faults.append("\(path):\(number + 1): no line of a journal of provisions; is it another file?")
        if faults.count == 10 { break }
      }
    }
    // What is to be cut off must be ours: each line begins in the same way.
    let start = Data("{\"account\":\"".utf8)
    let rest = data.suffix(from: data.startIndex + length)
    if faults.isEmpty, !rest.starts(with: start), !start.starts(with: rest) {
      faults.append("\(path): a last line without its end that no journal begins so; is it another file?")
    }
    guard faults.isEmpty else { throw GovernanceFaults(faults) }
    return (out, length, data.count - length)
  }

  /// Reads a journal.
  /// - Throws: `GovernanceFaults`.
  public static func read(_ path: String) throws(GovernanceFaults) -> [JournalEntry] { try entries(path).0 }

  /// Writes a line; it is on the disk when this returns.
  func write(
    _ account: String, _ event: JournalEntry.Event, _ fill: (inout JournalEntry) -> Void = { _ in }
  ) throws(GovernanceFaults) {
    var entry = JournalEntry(at: now(), run: run, account: account, event: event)
    fill(&entry)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard var line = try? encoder.encode(entry) else {
      throw GovernanceFaults(["\(path): a line can't be made"])
    }
    line.append(10)
    let isWritten = file.withLock { descriptor in
      line.withUnsafeBytes { bytes in
        let length = lseek(descriptor, 0, SEEK_END)
        var done = 0
        while done < bytes.count {
          let count = Glibc.write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
          if count < 0, errno == EINTR { continue }
          guard count > 0 else {
            // Half a line would make the next one unreadable.
            let reason = errno
            if length >= 0, done > 0, ftruncate(descriptor, length) == 0 {
              _ = lseek(descriptor, length, SEEK_SET)
            }
            errno = reason
            return false
          }
          done += count
        }
        return fsync(descriptor) == 0
      }
    }
    guard isWritten else { throw Self.fault(path, "can't be written") }
  }
}

extension [JournalEntry] {
  /// Runs that were in an account.
  func runs(in account: String) -> Set<String> { Set(lazy.filter { $0.account == account }.map(\.run)) }

  /// Runs whose marks were taken over in an account.
  func takenOver(in account: String) -> Set<String> {
    Set(lazy.filter { $0.account == account }.compactMap(\.takenOver))
  }

  /// Steps that were begun and of which no end is told, in the order of the journal.
  func open(of account: String) -> [String] {
    var open: [String] = []
    for entry in self where entry.account == account {
      guard let step = entry.step else { continue }
      if entry.event == .intent {
        if !open.contains(step) { open.append(step) }
      } else if entry.event == .result {
        open.removeAll { $0 == step }
      }
    }
    return open
  }

  /// When each thing of an account was last known to be as wanted.
  func rightAt(of account: String) -> [String: String] {
    var out: [String: String] = [:]
    for entry in self where entry.account == account {
      if entry.event == .result, let step = entry.step, entry.outcome == .done || entry.outcome == .already {
        out[step] = entry.at
      }
      for step in entry.steps ?? [] { out[step] = entry.at }
    }
    return out
  }
}
