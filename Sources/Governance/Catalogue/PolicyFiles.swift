// Policies as files of a folder, and nothing there that an earlier, longer run wrote: who attaches all that the folder has
// attaches what the catalogue says. A list beside them, in the form of sha256sum, says what is ours. Removed is only what it
// names and what still is what was written; what somebody changed, and what the list doesn't name, stays and is told.

public import Controls
import Foundation

/// See the head of this file.
public struct PolicyFiles: Sendable {
  /// The list's name in the folder.
  public static let listName = ".kabuto-catalogue.sha256"

  /// What became of a folder.
  public struct Written: Sendable, Equatable {
    /// Files of this run, by path.
    public internal(set) var paths: [String] = []
    /// Files of an earlier run that were removed.
    public internal(set) var removed: [String] = []
    /// What is there, looks like a policy of a catalogue, and isn't removed: why.
    public internal(set) var kept: [String] = []
  }

  private let folder: String

  /// A folder; it is made where there is none.
  public init(_ folder: String) { self.folder = folder }

  /// Writes policies, a file each, and removes those of an earlier run.
  /// - Throws: `GovernanceFaults`.
  public func write(_ policies: [GeneratedPolicy]) throws(GovernanceFaults) -> Written {
    var out = Written()
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      let files = policies.map { (name: "\($0.name).json", text: $0.document.text) }
      let now = files.map { Entry(hash: HexText.hash($0.text), name: $0.name) }
      let before = try entries()
      // First what is there and what will be: ended in the middle, the next run knows both.
      try save(now + before.filter { !now.contains($0) })
      for file in files {
        try Data(file.text.utf8).write(to: URL(fileURLWithPath: path(file.name)), options: .atomic)
        out.paths.append(path(file.name))
      }
      let names = Set(now.map(\.name))
      var unlisted = try FileManager.default.contentsOfDirectory(atPath: folder).filter {
        $0.hasPrefix("kabuto-catalogue-") && $0.hasSuffix(".json") && !names.contains($0)
      }
      for name in Set(before.map(\.name)).subtracting(names).sorted() {
        unlisted.removeAll { $0 == name }
        // A link or a folder of that name isn't what was written.
        guard let kind = try? FileManager.default.attributesOfItem(atPath: path(name))[.type],
          let data = try? Data(contentsOf: URL(fileURLWithPath: path(name)))
        else { continue }
        let hash = HexText.hash(data)
        if kind as? FileAttributeType == .typeRegular, before.contains(Entry(hash: hash, name: name)) {
          try FileManager.default.removeItem(atPath: path(name))
          out.removed.append(path(name))
        } else {
          out.kept.append(
            "\(path(name)): of an earlier run, and changed since; it isn't the catalogue's any more")
        }
      }
      out.kept += unlisted.sorted().map {
        "\(path($0)): not of this run, and \(Self.listName) doesn't name it; look whether it is still wanted"
      }
      try save(now)
    } catch let fault as GovernanceFaults {
      throw fault
    } catch { throw GovernanceFaults(["\(folder): \(error.localizedDescription)"]) }
    return out
  }

  private struct Entry: Equatable {
    let hash: String
    let name: String
  }

  private func path(_ name: String) -> String { (folder as NSString).appendingPathComponent(name) }

  private func entries() throws -> [Entry] {
    guard FileManager.default.fileExists(atPath: path(Self.listName)) else { return [] }
    let text = String(
      decoding: try Data(contentsOf: URL(fileURLWithPath: path(Self.listName))), as: UTF8.self)
    return try text.split(separator: "\n").enumerated().map { number, line in
      let hash = line.prefix(64)
      let name = line.dropFirst(66)
      // A name leads nowhere else.
      guard hash.count == 64, hash.allSatisfy({ $0.isHexDigit && !$0.isUppercase }),
        line.dropFirst(64).hasPrefix("  "), name.hasPrefix("kabuto-"), name.hasSuffix(".json"),
        name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) })
      else {
        throw GovernanceFaults([
          "\(path(Self.listName)):\(number + 1): found \(line); wanted a SHA-256, two blanks and a file's name; "
            + "delete the list where it was changed by hand"
        ])
      }
      return Entry(hash: String(hash), name: String(name))
    }
  }

  private func save(_ entries: [Entry]) throws {
    let text = entries.map { "\($0.hash)  \($0.name)\n" }.joined()
    try Data(text.utf8).write(to: URL(fileURLWithPath: path(Self.listName)), options: .atomic)
  }
}
