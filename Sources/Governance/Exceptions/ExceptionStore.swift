// Exceptions asked for and approved: changes of a file, or of a folder with a file each. A change is written beside the file,
// read again, compared with what was meant, and put in its place at once; who else changes the same folder waits.

public import Controls
import Foundation
import GuardRules

/// See the head of this file.
public struct ExceptionStore: Sendable {
  /// A file, or a folder.
  public let path: String

  /// Exceptions at a path, which need not be there yet: what ends with `.yaml` or `.yml` is a file, all else a folder.
  public init(_ path: String) { self.path = path }

  private var isFile: Bool {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) { return !isFolder.boolValue }
    return path.hasSuffix(".yaml") || path.hasSuffix(".yml")
  }

  /// Adds an exception that nobody has approved yet.
  /// - Returns: the file that has it.
  /// - Throws: `GovernanceFaults`; nothing is written then.
  public func request(_ record: ExceptionRecord) throws(GovernanceFaults) -> String {
    guard ExceptionRecord.isID(record.id) else {
      throw GovernanceFaults(["--id \(record.id): wanted at most 64 letters, digits, - _ and ."])
    }
    guard !record.coversEverything else {
      throw GovernanceFaults(["an exception of every rule on everything; wanted a rule or a scope"])
    }
    let days = record.expires.number - record.requested.on.number + 1
    guard days >= 1, days <= ExceptionRecord.mostDays else {
      throw GovernanceFaults([
        "expires \(record.expires): wanted a day from \(record.requested.on) on, at most \(ExceptionRecord.mostDays) days"
      ])
    }
    let folder = isFile ? (path as NSString).deletingLastPathComponent : path
    return try locked(folder.isEmpty ? "." : folder) { () throws(GovernanceFaults) -> String in
      var known: [ExceptionRecord] = []
      if FileManager.default.fileExists(atPath: path) { known = try Exceptions(path).entries.map(\.record) }
      guard !known.contains(where: { $0.id == record.id }) else {
        throw GovernanceFaults(["\(path): exception \(record.id) is there already"])
      }
      guard isFile else {
        let file = (path as NSString).appendingPathComponent("\(record.id).yaml")
        guard !FileManager.default.fileExists(atPath: file) else {
          throw GovernanceFaults(["\(file) is there already"])
        }
        try write(record.lines().joined(separator: "\n") + "\n", to: file, meaning: [record])
        return file
      }
      let text = FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
      guard let changed = ExceptionText.adding(record, to: text) else {
        throw GovernanceFaults(["\(path): wanted `exceptions:` with items below it, a line each `- id: …`"])
      }
      try write(changed, to: path, meaning: known + [record])
      return path
    }
  }

  /// Approves what is written of an exception.
  /// - Returns: the exception as it is now.
  /// - Throws: `GovernanceFaults`; nothing is written then.
  public func approve(_ id: String, by approver: String, on day: CalendarDay) throws(GovernanceFaults)
    -> ExceptionRecord
  {
    let folder = isFile ? (path as NSString).deletingLastPathComponent : path
    return try locked(folder.isEmpty ? "." : folder) { () throws(GovernanceFaults) -> ExceptionRecord in
      let entries = try Exceptions(path).entries
      guard let entry = entries.first(where: { $0.record.id == id }) else {
        let near = NearestName.of(id, in: entries.map(\.record.id)).map { "; did you mean \"\($0)\"?" } ?? ""
        throw GovernanceFaults(["\(path): no exception \(id)\(near)"])
      }
      var record = entry.record
      guard PersonName.isSomebody(approver) else {
        throw GovernanceFaults(["--by: a name that can't be seen; wanted one with letters or digits"])
      }
      guard !record.requested.isBy(approver) else {
        throw GovernanceFaults(["\(approver) asked for \(id); wanted the approval of somebody else"])
      }
      guard record.expires >= day else {
        throw GovernanceFaults(["\(id) ended on \(record.expires); wanted a new request"])
      }
      record.approved = ExceptionRecord.Act(by: approver, on: day)
      record.sum = Exceptions.digest(record.approvedText)
      if case .tooLong(let days) = record.state(on: day, digest: Exceptions.digest) {
        throw GovernanceFaults(["\(id) lasts \(days) days; wanted at most \(ExceptionRecord.mostDays)"])
      }
      let same = entries.filter { $0.file == entry.file }.map(\.record)
      let end = same.map { Int($0.place.line) }.filter { $0 > Int(record.place.line) }.min()
      let text = String(decoding: FileManager.default.contents(atPath: entry.file) ?? Data(), as: UTF8.self)
      let changed = ExceptionText.approving(
        record, in: text, first: Int(record.place.line), column: Int(record.place.column), end: end)
      guard let changed else {
        throw GovernanceFaults([
          "\(entry.file):\(record.place): wanted the exception's fields on lines of their own"
        ])
      }
      try write(changed, to: entry.file, meaning: same.map { $0.id == id ? record : $0 })
      return record
    }
  }

  /// Puts a text in the place of a file, once it was read as what it should mean.
  private func write(_ text: String, to file: String, meaning wanted: [ExceptionRecord])
    throws(GovernanceFaults)
  {
    let read: [ExceptionRecord]
    do throws(DocumentFaults) { read = try ExceptionRecord.records(yaml: text) } catch {
      throw GovernanceFaults([
        "\(file): the change can't be written into this text, fields aren't on lines of their own: \(error)"
      ])
    }
    func plain(_ records: [ExceptionRecord]) -> [ExceptionRecord] {
      records.map {
        var record = $0
        record.place = .none
        return record
      }
    }
    guard plain(read) == plain(wanted) else {
      throw GovernanceFaults([
        "\(file): the change can't be written into this text; wanted each field on lines of its own"
      ])
    }
    let folder = (file as NSString).deletingLastPathComponent
    let name = (file as NSString).lastPathComponent
    let aside = (folder as NSString).appendingPathComponent(".\(name).\(getpid()).new")
    let permissions = (try? FileManager.default.attributesOfItem(atPath: file))?[.posixPermissions]
    guard FileManager.default.createFile(atPath: aside, contents: nil),
      let handle = FileHandle(forWritingAtPath: aside)
    else { throw GovernanceFaults(["\(aside) can't be written"]) }
    do {
      if let permissions {
        try FileManager.default.setAttributes([.posixPermissions: permissions], ofItemAtPath: aside)
      }
      try handle.write(contentsOf: Data(text.utf8))
      try handle.synchronize()
      try handle.close()
    } catch {
      try? FileManager.default.removeItem(atPath: aside)
      throw GovernanceFaults(["\(aside) can't be written: \(error.localizedDescription)"])
    }
    guard rename(aside, file) == 0 else {
      let reason = String(cString: strerror(errno))
      try? FileManager.default.removeItem(atPath: aside)
      throw GovernanceFaults(["\(file) can't be replaced: \(reason)"])
    }
  }

  /// Runs while nobody else who asks this way changes the folder.
  private func locked<T>(_ folder: String, _ body: () throws(GovernanceFaults) -> T) throws(GovernanceFaults)
    -> T
  {
    if !FileManager.default.fileExists(atPath: folder) {
      do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch
      {
        throw GovernanceFaults(["\(folder) can't be made: \(error.localizedDescription)"])
      }
    }
    let descriptor = open(folder, O_RDONLY)
    guard descriptor >= 0, flock(descriptor, LOCK_EX) == 0 else {
      throw GovernanceFaults(["\(folder) can't be locked: \(String(cString: strerror(errno)))"])
    }
    defer { close(descriptor) }
    return try body()
  }
}
