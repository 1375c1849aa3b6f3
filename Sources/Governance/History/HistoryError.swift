// Why the history can't be opened, written or read: place, what was found, what was wanted, how to mend it.

import Foundation
import GRDB

/// See the head of this file.
public struct HistoryError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file or folder.
  public let path: String
  /// What was found.
  public let found: String
  /// What was wanted.
  public let wanted: String
  /// How to mend it.
  public let remedy: String

  /// `path: found …; wanted …. remedy`
  public var description: String { "\(path): \(found); wanted \(wanted). \(remedy)" }

  static func folder(_ path: String, _ found: String) -> HistoryError {
    HistoryError(
      path: path, found: found, wanted: "a folder that this user can write",
      remedy: "Make it (mkdir -p), give it to this user (chown), or name another one.")
  }

  static func missing(_ path: String) -> HistoryError {
    HistoryError(
      path: path, found: "there is no history", wanted: "a folder that a check or a scan has written to",
      remedy: "Run `kabuto govern scan --data DIR` or `kabuto govern check --data DIR` first.")
  }

  static func replaced(_ path: String) -> HistoryError {
    HistoryError(
      path: path, found: "the file is gone, or is another one", wanted: "the history that was opened",
      remedy: "Put it back, or start again; nothing of this run was written.")
  }

  static func busy(_ path: String) -> HistoryError {
    HistoryError(
      path: path, found: "another process writes to it", wanted: "a turn within ten seconds",
      remedy: "Try again; if it stays, look which process has the file open (fuser).")
  }

  static func of(_ path: String, _ error: any Error) -> HistoryError {
    if let error = error as? HistoryError { return error }
    guard let error = error as? DatabaseError else {
      return HistoryError(
        path: path, found: "\(error)", wanted: "a database that can be used", remedy: "Look at the disk.")
    }
    let text = "SQLite \(error.extendedResultCode.rawValue): \(error.message ?? "no message")"
    switch error.resultCode {
    case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH: return folder(path, text)
    case .SQLITE_FULL:
      return HistoryError(
        path: path, found: "no space is left", wanted: "room for the history and its log",
        remedy: "Free space on the disk; nothing of this run was written.")
    case .SQLITE_BUSY, .SQLITE_LOCKED: return busy(path)
    case .SQLITE_CORRUPT, .SQLITE_NOTADB:
      return HistoryError(
        path: path, found: "damaged: \(text)", wanted: "the database as it was written",
        remedy:
          "Move it away and bring back a copy, or `sqlite3 FILE .recover`; without it a new one is begun.")
    default:
      return HistoryError(
        path: path, found: text, wanted: "a database that can be used",
        remedy: "Look at the disk and at the file's owner and mode.")
    }
  }
}
