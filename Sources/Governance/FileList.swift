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
  /// All files of some kinds: those that are named themselves whatever their kind, and those within folders.
  /// - Throws: `FileFault` for the first path that isn't there.
  static func files(_ paths: [String], endings: Set<String>) throws(FileFault) -> [String] {
    var out: [String] = []
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
      let inner = (FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []).sorted()
      for name in inner where endings.contains((name as NSString).pathExtension.lowercased()) {
        let whole = (path as NSString).appendingPathComponent(name)
        if seen.insert(whole).inserted { out.append(whole) }
      }
    }
    return out
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
