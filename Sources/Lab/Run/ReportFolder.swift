// The folder of a scenario's report: taken by one run at a time, known by a mark, emptied of what an earlier run left, so
// that a report is never of another run. Owner: the run.
// Invariant: nothing is removed from a folder that no run has made.

import Foundation

/// See the head of this file.
public final class ReportFolder {
  /// Name of the file that marks a folder as a run's.
  public static let mark = ".kabuto-lab"
  private var descriptor: Int32

  /// Makes the folder or takes one that an earlier run made, and removes that run's records, logs and report.
  /// - Throws: it holds something and no run has made it, another run has it, or it can't be made.
  public init(_ path: String) throws(LabFailure) {
    let files = FileManager.default
    let markPath = "\(path)/\(Self.mark)"
    do { try files.createDirectory(atPath: path, withIntermediateDirectories: true) } catch {
      throw LabFailure("\(path): \(error.localizedDescription)")
    }
    let found: [String]
    do { found = try files.contentsOfDirectory(atPath: path) } catch {
      throw LabFailure("\(path): \(error.localizedDescription)")
    }
    guard found.isEmpty || found.contains(Self.mark) else {
      throw LabFailure(
        "\(path): holds \(found.sorted().prefix(3).joined(separator: ", ")), and no run of the laboratory has made it; "
          + "wanted a new folder, or that of an earlier run: choose another --out, or remove it")
    }
    descriptor = open(markPath, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw LabFailure("\(markPath): \(String(cString: strerror(errno)))") }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw LabFailure("\(path): another run has it; wait for its end, or choose another --out")
    }
    for name in found where Self.isOfARun(name) {
      do { try files.removeItem(atPath: "\(path)/\(name)") } catch {
        let reason = error.localizedDescription
        release()
        throw LabFailure("\(path)/\(name): left by an earlier run, and can't be removed: \(reason)")
      }
    }
  }

  /// What runs write.
  static func isOfARun(_ name: String) -> Bool {
    ["logs", "report.json", "report.html", "estate.yaml"].contains(name) || name.hasPrefix("feed.itch")
      || name.hasSuffix(".record")
  }

  /// Lets others have it; harmless when done twice.
  public func release() {
    if descriptor >= 0 { close(descriptor) }
    descriptor = -1
  }

  deinit { release() }
}
