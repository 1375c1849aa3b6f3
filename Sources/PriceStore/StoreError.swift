// Why the store can't be opened or read: place, what was found, what is wanted, how to mend.

import Foundation
import GRDB

/// Why the store can't be opened or read.
public struct StoreError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What kind of fault.
  public enum Code: String, Sendable {
    /// The directory can't be made, entered or written.
    case directory
    /// Another process has the database.
    case inUse = "in_use"
    /// The database was made by a newer version.
    case newerSchema = "newer_schema"
    /// The file is a database of another program.
    case foreign
    /// No space is left.
    case full
    /// The database can't be opened for another reason.
    case opening
    /// A read failed.
    case reading
    /// What was asked for isn't there.
    case missing
  }

  /// What kind of fault.
  public var code: Code
  /// The file or directory.
  public var path: String
  /// What was found.
  public var found: String
  /// What is wanted.
  public var wanted: String
  /// How to mend it.
  public var remedy: String

  /// `path: found; wanted …. remedy`
  public var description: String { "\(path): \(found); wanted \(wanted). \(remedy)" }

  static func directory(_ path: String, found: String) -> StoreError {
    StoreError(
      code: .directory, path: path, found: found, wanted: "a directory this user can write",
      remedy: "Make it (mkdir -p), give it to this user (chown), or name another one.")
  }

  static func inUse(_ path: String) -> StoreError {
    StoreError(
      code: .inUse, path: path, found: "another process holds the lock", wanted: "one process a database",
      remedy: "Stop the other process, or name another directory.")
  }

  static func newer(_ path: String, found: String) -> StoreError {
    StoreError(
      code: .newerSchema, path: path, found: "the database has the steps \(found)",
      wanted: "none beyond \(Schema.steps.last ?? "")",
      remedy: "Start the newer version of the program that made it, or name another directory.")
  }

  static func foreign(_ path: String, application: Int32) -> StoreError {
    StoreError(
      code: .foreign, path: path, found: "a database of another program (application_id \(application))",
      wanted: "application_id \(Schema.applicationID)",
      remedy: "Move the file away, or name another directory.")
  }

  static func reading(_ path: String, _ error: any Error) -> StoreError {
    StoreError(
      code: .reading, path: path, found: text(error), wanted: "a readable database",
      remedy: "Look at the disk; a damaged database is set aside at the next start.")
  }

  static func missingSnapshot(_ path: String, id: Int64) -> StoreError {
    StoreError(
      code: .missing, path: path, found: "no snapshot \(id)", wanted: "one that is still kept",
      remedy: "Ask for the list again: retention took it away.")
  }

  /// From an error of opening.
  static func opening(_ path: String, _ error: any Error) -> StoreError {
    if let error = error as? StoreError { return error }
    let code = (error as? DatabaseError)?.resultCode
    switch code {
    case .some(.SQLITE_FULL):
      return StoreError(
        code: .full, path: path, found: "no space is left", wanted: "room for the database and its log",
        remedy: "Free space on the disk, or name a directory on another one.")
    case .some(.SQLITE_CANTOPEN), .some(.SQLITE_READONLY), .some(.SQLITE_PERM), .some(.SQLITE_AUTH):
      return directory(path, found: text(error))
    case .some(.SQLITE_BUSY), .some(.SQLITE_LOCKED): return inUse(path)
    default:
      return StoreError(
        code: .opening, path: path, found: text(error), wanted: "a database that opens",
        remedy: "Look at the disk and at the file's owner and mode, or name another directory.")
    }
  }

  /// An error in words, without the values of statements.
  static func text(_ error: any Error) -> String {
    guard let error = error as? DatabaseError else { return "\(error)" }
    return "SQLite \(error.extendedResultCode.rawValue): \(error.message ?? "no message")"
  }
}
