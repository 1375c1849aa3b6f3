// Files by name or by folder, in an order that doesn't change.

import Foundation

/// A path that can't be read.
public struct FileFault: Error, Sendable, Equatable, CustomStringConvertible {
  /// The path, as it was given.
  public let path: String
  /// Why, and what was wanted.
  public let reason: String

  /// `path: reason`
  public var description: String { "\(path): \(reason)" }
}

/// See the head of this file.
enum FileList {
  /// The same of each path; one that can't be read hides no other. Of an unread one nothing is listed.
  static func readable(
    _ paths: [String], endings: Set<String>
  ) -> (names: [String], faults: [String], passedOver: [String], unread: [String]) {
    var (names, faults, passedOver): ([String], [String], [String]) = ([], [], [])
    var unread: [String] = []
    var seen: Set<String> = []
    for path in paths {
      do throws(FileFault) {
        let found = try listed([path], endings: endings)
        names += found.files.filter { seen.insert($0).inserted }
        passedOver += found.passedOver
      } catch {
        faults.append(error.description)
        unread.append(path)
      }
    }
    return (names, faults, passedOver, unread)
  }

  /// All files of some kinds: those that are named themselves whatever their kind, and those within folders.
  /// - Throws: `FileFault` for the first path that isn't there.
  static func files(_ paths: [String], endings: Set<String>) throws(FileFault) -> [String] {
    try listed(paths, endings: endings).files
  }

  /// The same, and those within folders that are of no such kind, but for hidden ones.
  static func listed(
    _ paths: [String], endings: Set<String>
  ) throws(FileFault) -> (files: [String], passedOver: [String]) {
    var out: [String] = []
    var passedOver: [String] = []
    var seen: Set<String> = []
    for path in paths {
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
        throw FileFault(path: path, reason: "isn't there; wanted a file or a folder")
      }
      guard isFolder.boolValue else {
        if seen.insert(path).inserted { out.append(path) }
        continue
      }
      var inner: [String] = []
      try add(path, "", [], &inner)
      for name in inner.sorted() {
        let whole = (path as NSString).appendingPathComponent(name)
        guard endings.contains((name as NSString).pathExtension.lowercased()) else {
          if !name.split(separator: "/").contains(where: { $0.hasPrefix(".") }) { passedOver.append(whole) }
          continue
        }
        if seen.insert(whole).inserted { out.append(whole) }
      }
    }
    return (out, passedOver)
  }

  /// All within a folder, by the way from it. Links are followed, but not to a folder that they stand in.
  private static func add(_ folder: String, _ way: String, _ above: [String], _ out: inout [String])
    throws(FileFault)
  {
    let real = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
    guard !above.contains(real) else { return }
    guard above.count < 64, let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
      throw FileFault(path: folder, reason: "can't be listed; wanted a folder that may be read")
    }
    for name in names {
      let whole = (folder as NSString).appendingPathComponent(name)
      let inner = way.isEmpty ? name : "\(way)/\(name)"
      var isFolder: ObjCBool = false
      // A link that leads nowhere is told where it is read as a file.
      let isThere = FileManager.default.fileExists(atPath: whole, isDirectory: &isFolder)
      if isThere, isFolder.boolValue {
        try add(whole, inner, above + [real], &out)
      } else {
        out.append(inner)
      }
    }
  }

  /// The size of a plain file in bytes; nil = it is none, or isn't there.
  static func size(_ path: String) -> Int? {
    var about = stat()
    guard stat(path, &about) == 0, about.st_mode & S_IFMT == S_IFREG else { return nil }
    return Int(about.st_size)
  }

  /// The text of a file.
  static func text(_ path: String) throws(FileFault) -> String {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw FileFault(path: path, reason: "can't be read")
    }
    guard let text = String(data: data, encoding: .utf8) else {
      throw FileFault(path: path, reason: "isn't UTF-8")
    }
    return text
  }
}
