// Rule files from the disk, for tests.

import Firewall
import Foundation

struct DiskLoader: RuleLoader, Sendable {
  /// What stands in front of paths that begin with one of these, for tests that name a folder of their own.
  var replacing: [(prefix: String, folder: String)] = []

  private func real(_ path: String) -> String {
    for (prefix, folder) in replacing where path.hasPrefix(prefix) {
      return folder + path.dropFirst(prefix.count)
    }
    return path
  }

  func bytes(path: String) throws -> [UInt8] {
    guard let data = FileManager.default.contents(atPath: real(path)) else { throw MemoryLoader.Missing() }
    return [UInt8](data)
  }

  func matching(glob: String) throws -> [String] {
    var found = glob_t()
    defer { globfree(&found) }
    guard Foundation.glob(real(glob), 0, nil, &found) == 0 else { return [] }
    return (0..<Int(found.gl_pathc)).compactMap { found.gl_pathv[$0].map { String(cString: $0) } }
  }
}

/// Files in memory.
struct MemoryLoader: RuleLoader {
  struct Missing: Error, CustomStringConvertible { let description = "no such file" }
  var files: [String: String]

  func bytes(path: String) throws -> [UInt8] {
    guard let text = files[path] else { throw Missing() }
    return Array(text.utf8)
  }

  /// Knows `*` alone, at one place.
  func matching(glob: String) throws -> [String] {
    let parts = glob.split(separator: "*", omittingEmptySubsequences: false)
    guard parts.count == 2 else { return files[glob] == nil ? [] : [glob] }
    return files.keys.filter { path in
      guard path.count >= glob.count - 1, path.hasPrefix(parts[0]), path.hasSuffix(parts[1]) else {
        return false
      }
      return !path.dropFirst(parts[0].count).dropLast(parts[1].count).contains("/")
    }
  }
}
