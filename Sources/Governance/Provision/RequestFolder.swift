// Requests for accounts: one file for each in a folder. A file is written whole or not at all; what was approved is known by
// its SHA-256, so that a change after the approval undoes it. The hash guards against changes, not against forgers: who may
// write to the folder is for its file system or its repository to say.

public import Controls
import Foundation
import Glibc
import GuardRules

/// See the head of this file.
public struct RequestFolder: Sendable {
  private let path: String

  /// A folder.
  public init(_ path: String) { self.path = path }

  /// How a request stands.
  public struct Standing: Sendable, Encodable {
    /// In a word.
    public enum State: String, Sendable, Encodable {
      /// Nobody approved it.
      case open
      case approved
      /// It was changed after its approval.
      case changed
      /// It was approved, and a condition isn't met any more.
      case lapsed
      /// Its approval is of a program that kept no sum of the conditions: nobody can tell which ones were met.
      case outdated

      /// For people.
      public var words: Bilingual {
        switch self {
        case .open: Bilingual("open", "未承認")
        case .approved: Bilingual("approved", "承認済み")
        case .changed: Bilingual("changed", "承認後に変更")
        case .lapsed: Bilingual("lapsed", "失効")
        case .outdated:
          Bilingual("approved by an older version; wants approval anew", "旧版による承認のため再承認が必要")
        }
      }
    }

    /// In a word.
    public let state: State
    /// Conditions that aren't met.
    public let unmet: [UnmetCondition]
  }

  /// How a request stands on a day.
  public static func standing(
    _ request: AccountRequest, _ conditions: AccountConditions, today: CalendarDay
  ) -> Standing {
    let unmet = conditions.unmet(request, on: today, approver: request.approval?.by)
    guard let approval = request.approval else { return Standing(state: .open, unmet: unmet) }
    guard approval.hash == hash(request, approval.by, at: approval.at, approval.conditions) else {
      let isOlder = approval.hash == hash(request, approval.by, at: approval.at, nil)
      return Standing(state: isOlder ? .outdated : .changed, unmet: unmet)
    }
    return Standing(state: unmet.isEmpty ? .approved : .lapsed, unmet: unmet)
  }

  /// Of what was approved, by whom, when and by which conditions: another name or a later time would be another approval.
  /// - Parameter conditions: nil = as older versions made it, without them.
  static func hash(
    _ request: AccountRequest, _ approver: Person, at time: Int64, _ conditions: String?
  ) -> String {
    var words = [request.approvedText, approver.name, approver.mail, RecordTime.text(time)]
    if let conditions { words.append(conditions) }
    let text = words.map { "\($0.utf8.count):\($0)\n" }.joined()
    return "sha256:" + HexText.hash(text)
  }

  // MARK: - Reading

  private func file(_ id: String) -> String { (path as NSString).appendingPathComponent("\(id).yaml") }

  /// One request.
  /// - Throws: `GovernanceFaults` with all faults of its file.
  public func request(_ id: String) throws(GovernanceFaults) -> AccountRequest {
    guard AccountRequest.isName(id) else {
      throw GovernanceFaults(["\(id): no request's name; wanted 1 to 64 letters, digits, - and _"])
    }
    return try Self.read(file(id), id)
  }

  /// A filled form, from anywhere.
  public static func form(_ path: String) throws(GovernanceFaults) -> AccountRequest { try read(path, nil) }

  private static func read(_ path: String, _ id: String?) throws(GovernanceFaults) -> AccountRequest {
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      throw GovernanceFaults(["\(path): can't be read: \(error.localizedDescription)"])
    }
    let request: AccountRequest
    do throws(DocumentFaults) { request = try AccountRequest(String(decoding: data, as: UTF8.self)) } catch {
      throw GovernanceFaults(error.all.map { "\(path):\($0)" })
    }
    if let id, request.id != id {
      throw GovernanceFaults(["\(path): its id is \(request.id); wanted \(id), as the file is called"])
    }
    return request
  }

  /// All requests, by name; what can't be read is told beside them.
  public func all() throws(GovernanceFaults) -> (requests: [AccountRequest], faults: [String]) {
    let names: [String]
    do { names = try FileManager.default.contentsOfDirectory(atPath: path) } catch {
      throw GovernanceFaults(["\(path): can't be read: \(error.localizedDescription)"])
    }
    var requests: [AccountRequest] = []
    var faults: [String] = []
    for name in names.sorted() where name.hasSuffix(".yaml") && !name.hasPrefix(".") {
      do throws(GovernanceFaults) { requests.append(try request(String(name.dropLast(".yaml".count)))) } catch
      {
        faults += error.all
      }
    }
    return (requests, faults)
  }

  /// Whether an account may be provisioned: a request for it is approved, unchanged and meets the conditions.
  public func permission(
    for account: String, _ conditions: AccountConditions, today: CalendarDay
  ) throws(GovernanceFaults) -> ProvisionPermission {
    let (all, faults) = try all()
    var reasons: [Bilingual] = []
    for request in all where request.account == account {
      let standing = Self.standing(request, conditions, today: today)
      let id = request.id
      switch standing.state {
      case .approved: return .approved("request \(id), \(request.approval?.hash ?? "")")
      case .open: reasons.append(Bilingual("its request \(id) isn't approved", "申請 \(id) は未承認です"))
      case .changed:
        reasons.append(
          Bilingual("its request \(id) was changed after its approval", "申請 \(id) は承認後に変更されています"))
      case .outdated:
        reasons.append(
          Bilingual(
            "its request \(id) was approved by an older version, which kept no sum of the conditions; approve it anew",
            "申請 \(id) の承認は、条件を検証できない旧版によるものです。あらためて承認してください"))
      case .lapsed:
        reasons.append(
          Bilingual(
            "its request \(id) doesn't meet the conditions any more: "
              + standing.unmet.map(\.text.en).joined(separator: "; "),
            "申請 \(id) は条件を満たさなくなりました: " + standing.unmet.map(\.text.ja).joined(separator: "; ")))
      }
    }
    if reasons.isEmpty {
      reasons.append(Bilingual("there is no request for it in \(path)", "\(path) に申請がありません"))
    }
    reasons += faults.map { Bilingual(same: $0) }
    return .refused(
      Bilingual(
        reasons.map(\.en).joined(separator: "; "), reasons.map(\.ja).joined(separator: "; ")))
  }

  // MARK: - Writing

  /// Files a request.
  /// - Throws: `GovernanceFaults` where there is one of its name, or another for its account.
  public func add(_ form: AccountRequest, now: Int64) throws(GovernanceFaults) -> AccountRequest {
    var request = form
    guard request.approval == nil else {
      throw GovernanceFaults([
        "\(request.id): a request comes without approval; `kabuto govern account approve` gives it"
      ])
    }
    request.requestedAt = now
    do { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) } catch {
      throw GovernanceFaults(["\(path): can't be made: \(error.localizedDescription)"])
    }
    try locked { () throws(GovernanceFaults) in
      let (all, _) = try self.all()
      if let other = all.first(where: { $0.account == request.account && $0.id != request.id }) {
        throw GovernanceFaults(["account \(request.account) is asked for already, by \(other.id)"])
      }
      guard !FileManager.default.fileExists(atPath: file(request.id)) else {
        throw GovernanceFaults([
          "\(file(request.id)): is there already; mend that file, or remove it and ask again, or give the request "
            + "another id"
        ])
      }
      try write(request)
    }
    return request
  }

  /// What came of an attempt to approve.
  public enum Approving: Sendable {
    /// It is written.
    case approved(AccountRequest)
    /// Nothing was written.
    case refused([UnmetCondition])
  }

  /// Approves a request, if all conditions are met.
  public func approve(
    _ id: String, by approver: Person, _ conditions: AccountConditions, now: Int64
  ) throws(GovernanceFaults) -> Approving {
    var out = Approving.refused([])
    try locked { () throws(GovernanceFaults) in
      var request = try self.request(id)
      request.approval = nil
      let unmet = conditions.unmet(request, on: CalendarDay(of: now), approver: approver)
      guard unmet.isEmpty else {
        out = .refused(unmet)
        return
      }
      request.approval = AccountRequest.Approval(
        by: approver, at: now, conditions: conditions.text,
        hash: Self.hash(request, approver, at: now, conditions.text))
      try write(request)
      out = .approved(request)
    }
    return out
  }

  /// One at a time in this folder.
  private func locked(_ body: () throws(GovernanceFaults) -> Void) throws(GovernanceFaults) {
    let lock = Glibc.open("\(path)/.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard lock >= 0 else { throw GovernanceFaults(["\(path): \(String(cString: strerror(errno)))"]) }
    defer { _ = Glibc.close(lock) }
    guard flock(lock, LOCK_EX) == 0 else {
      throw GovernanceFaults(["\(path): \(String(cString: strerror(errno)))"])
    }
    try body()
  }

  /// Whole or not at all.
  private func write(_ request: AccountRequest) throws(GovernanceFaults) {
    let target = file(request.id)
    let draft = "\(path)/.\(request.id).new"
    func fault() -> GovernanceFaults { GovernanceFaults(["\(target): \(String(cString: strerror(errno)))"]) }
    let descriptor = Glibc.open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw fault() }
    let bytes = Array(request.text.utf8)
    var done = 0
    while done < bytes.count {
      let count = bytes[done...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      done += count
    }
    let isWritten = done == bytes.count && fsync(descriptor) == 0
    let reason = fault()
    _ = Glibc.close(descriptor)
    guard isWritten else {
      unlink(draft)
      throw reason
    }
    guard rename(draft, target) == 0 else { throw fault() }
    let folder = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if folder >= 0 {
      fsync(folder)
      _ = Glibc.close(folder)
    }
  }
}
