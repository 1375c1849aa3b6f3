// The statistics as one JSON document (DESIGN: `kabuto stats FILE --json`) and as text for people.

import FeedProtocols
import Foundation

extension FileStatistics: Codable {
  private enum Key: String, CodingKey {
    case files, format, messages, types, instruments, days, sessions, gaps, missing, duplicates, bad, bytes
    case firstTimeNanoseconds = "first_time_ns"
    case lastTimeNanoseconds = "last_time_ns"
    case firstTime = "first_time"
    case lastTime = "last_time"
    case gapCount = "gap_count"
    case badMessages = "bad_messages"
    case badMessagesLeftOut = "bad_messages_left_out"
    case zeroPrefixed = "zero_prefixed"
    case storedBytes = "stored_bytes"
  }

  /// Writes the names of the interface; times are null where there was no message.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(files, forKey: .files)
    try container.encode(format, forKey: .format)
    try container.encode(messages, forKey: .messages)
    var types: [String: UInt64] = [:]
    for (type, count) in countedTypes { types[type] = count }
    try container.encode(types, forKey: .types)
    try container.encode(instruments, forKey: .instruments)
    try container.encode(days, forKey: .days)
    try container.encode(firstTimeNanoseconds, forKey: .firstTimeNanoseconds)
    try container.encode(lastTimeNanoseconds, forKey: .lastTimeNanoseconds)
    try container.encode(firstTimeNanoseconds.map(Self.clock), forKey: .firstTime)
    try container.encode(lastTimeNanoseconds.map(Self.clock), forKey: .lastTime)
    try container.encode(sessions, forKey: .sessions)
    try container.encode(gaps, forKey: .gaps)
    try container.encode(gapCount, forKey: .gapCount)
    try container.encode(missing, forKey: .missing)
    try container.encode(duplicates, forKey: .duplicates)
    try container.encode(bad, forKey: .bad)
    try container.encode(badMessages, forKey: .badMessages)
    try container.encode(bad - UInt64(badMessages.count), forKey: .badMessagesLeftOut)
    try container.encode(zeroPrefixed, forKey: .zeroPrefixed)
    try container.encode(bytes, forKey: .bytes)
    try container.encode(storedBytes, forKey: .storedBytes)
  }

  /// Reads what `encode` writes.
  public init(from decoder: any Decoder) throws {
    self.init()
    let container = try decoder.container(keyedBy: Key.self)
    files = try container.decode([String].self, forKey: .files)
    format = try container.decode(String.self, forKey: .format)
    messages = try container.decode(UInt64.self, forKey: .messages)
    for (name, count) in try container.decode([String: UInt64].self, forKey: .types) {
      guard name.utf8.count == 1, let type = name.utf8.first else {
        throw DecodingError.dataCorruptedError(
          forKey: .types, in: container, debugDescription: "\"\(name)\" found; wanted a type's letter")
      }
      typeCounts[Int(type)] = count
    }
    instruments = try container.decode(Int.self, forKey: .instruments)
    days = try container.decode(Int.self, forKey: .days)
    firstTimeNanoseconds = try container.decodeIfPresent(UInt64.self, forKey: .firstTimeNanoseconds)
    lastTimeNanoseconds = try container.decodeIfPresent(UInt64.self, forKey: .lastTimeNanoseconds)
    sessions = try container.decode([String].self, forKey: .sessions)
    gaps = try container.decode([Gap].self, forKey: .gaps)
    gapCount = try container.decode(UInt64.self, forKey: .gapCount)
    missing = try container.decode(UInt64.self, forKey: .missing)
    duplicates = try container.decode(UInt64.self, forKey: .duplicates)
    bad = try container.decode(UInt64.self, forKey: .bad)
    badMessages = try container.decode([BadMessage].self, forKey: .badMessages)
    zeroPrefixed = try container.decode(UInt64.self, forKey: .zeroPrefixed)
    bytes = try container.decode(UInt64.self, forKey: .bytes)
    storedBytes = try container.decode(UInt64.self, forKey: .storedBytes)
  }

  /// One JSON document, names in alphabetical order, without a newline at the end.
  public func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }

  /// Types that occurred: letter and count, most frequent first.
  var countedTypes: [(letter: String, count: UInt64)] {
    typeCounts.indices.filter { typeCounts[$0] > 0 }
      .map { (String(Character(UnicodeScalar(UInt8($0)))), typeCounts[$0]) }
      .sorted { ($1.1, $0.0) < ($0.1, $1.0) }
  }

  /// `HH:MM:SS.nnnnnnnnn` of nanoseconds since midnight.
  static func clock(_ nanoseconds: UInt64) -> String {
    func padded(_ value: UInt64, _ width: Int) -> String {
      let text = String(value)
      return String(repeating: "0", count: max(0, width - text.count)) + text
    }
    let seconds = nanoseconds / 1_000_000_000
    return padded(seconds / 3_600, 2) + ":" + padded(seconds / 60 % 60, 2) + ":" + padded(seconds % 60, 2)
      + "."
      + padded(nanoseconds % 1_000_000_000, 9)
  }
}

extension FileStatistics {
  /// The report for people, ending with a newline.
  public var report: String {
    var lines: [(name: String, value: String)] = []
    for (index, file) in files.enumerated() { lines.append((index == 0 ? "file" : "", file)) }
    let zero = zeroPrefixed > 0 ? " (\(zeroPrefixed) messages with a length prefix of zero)" : ""
    lines.append(("format", format + zero))
    lines.append(("bytes", "\(bytes)" + (bytes == storedBytes ? "" : " (\(storedBytes) as stored)")))
    lines.append(("messages", "\(messages)"))
    lines.append(("instruments", "\(instruments)"))
    if days > 1 { lines.append(("days", "\(days)")) }
    if let firstTimeNanoseconds { lines.append(("first time", Self.clock(firstTimeNanoseconds))) }
    if let lastTimeNanoseconds { lines.append(("last time", Self.clock(lastTimeNanoseconds))) }
    for (index, name) in sessions.enumerated() { lines.append((index == 0 ? "sessions" : "", name)) }
    if duplicates > 0 { lines.append(("duplicates", "\(duplicates)")) }
    lines.append(("gaps", gapCount == 0 ? "0" : "\(gapCount) (\(missing) messages)"))
    lines.append(("bad messages", "\(bad)"))
    var text = lines.map { Self.left($0.name, 14) + $0.value + "\n" }.joined()
    if messages > 0 { text += "\n" }
    for (letter, count) in countedTypes {
      let title = ITCHMessageTable.title(ofType: letter.utf8.first ?? 0) ?? ""
      text += "  " + letter + Self.right("\(count)", 14) + "  " + title + "\n"
    }
    if !gaps.isEmpty { text += "\nGaps\n" }
    for gap in gaps {
      text += "  \(gap.session.isEmpty ? "" : gap.session + ": ")\(gap.from) to \(gap.through)\n"
    }
    if gapCount > UInt64(gaps.count) { text += "  and \(gapCount - UInt64(gaps.count)) more\n" }
    if !badMessages.isEmpty { text += "\nBad messages\n" }
    for message in badMessages { text += "  \(message)\n" }
    if bad > UInt64(badMessages.count) { text += "  and \(bad - UInt64(badMessages.count)) more\n" }
    return text
  }

  private static func left(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }

  private static func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(1, width - text.count)) + text
  }
}

extension BadMessage: Codable {
  private enum Key: String, CodingKey {
    case file, offset, type, reason, sequence
    case fileMessageNumber = "message"
  }

  /// Writes the type as its letter (hexadecimal where it isn't printable), null where there is none.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(file, forKey: .file)
    try container.encode(offset, forKey: .offset)
    try container.encode(typeText, forKey: .type)
    try container.encode(reason, forKey: .reason)
    try container.encodeIfPresent(sequence, forKey: .sequence)
    try container.encodeIfPresent(fileMessageNumber, forKey: .fileMessageNumber)
  }

  /// Reads what `encode` writes.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    let text = try container.decodeIfPresent(String.self, forKey: .type)
    var type: UInt8?
    if let text {
      type = text.hasPrefix("0x") ? UInt8(text.dropFirst(2), radix: 16) : text.utf8.first
    }
    self.init(
      file: try container.decode(String.self, forKey: .file),
      offset: try container.decode(UInt64.self, forKey: .offset), type: type,
      reason: try container.decode(String.self, forKey: .reason),
      sequence: try container.decodeIfPresent(UInt64.self, forKey: .sequence),
      fileMessageNumber: try container.decodeIfPresent(UInt64.self, forKey: .fileMessageNumber))
  }
}
