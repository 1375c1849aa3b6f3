// Files that have findings and that a check says nothing of: which are gone, and which couldn't be read. Gone is only what
// the system says isn't there, and nothing below a path that the check couldn't read.

import Foundation

/// See the head of this file.
public struct MissingInputs: Equatable, Sendable {
  /// They aren't there any more.
  public private(set) var gone: [String] = []
  /// They may be there: nothing of them is known.
  public private(set) var untold: [String] = []

  /// - Parameters:
  ///   - known: inputs that have findings.
  ///   - told: inputs that the check told of.
  ///   - asked: files and folders that it was to look at.
  ///   - unread: those of them, or files within them, that couldn't be read.
  public init(_ known: [String], told: Set<String>, asked: [String], unread: [String]) {
    for input in known where !told.contains(input) {
      if unread.contains(where: { Self.isWithin(input, $0) }) {
        untold.append(input)
      } else if asked.contains(where: { Self.isWithin(input, $0) }), Self.isGone(input) {
        gone.append(input)
      }
    }
  }

  private static func isWithin(_ input: String, _ path: String) -> Bool {
    input == path || input.hasPrefix(path.hasSuffix("/") ? path : path + "/")
  }

  private static func isGone(_ path: String) -> Bool {
    var about = stat()
    return lstat(path, &about) != 0 && (errno == ENOENT || errno == ENOTDIR)
  }
}
