// Takes a frame of the stream (an array of objects) apart: each event's fields with their values as they are written.
// Values are compared as text, so that 2345.5 is what was sent and not what a binary number makes of it. Pure.

/// An event of the stream.
struct StreamEvent: Equatable {
  /// Values as they are written, by name.
  var fields: [String: String] = [:]

  init(_ fields: [String: String] = [:]) { self.fields = fields }

  /// A text without its quotation marks (of names and words, which hold no escapes); nil: absent or no text.
  func text(_ name: String) -> String? {
    guard let value = fields[name], value.count >= 2, value.hasPrefix("\"") else { return nil }
    return String(value.dropFirst().dropLast())
  }

  func number(_ name: String) -> UInt64? { fields[name].flatMap { UInt64($0) } }

  var type: String { text("type") ?? "" }
  var channel: String { text("channel") ?? "" }
  var instrument: String { text("instrument") ?? "" }
  var sequence: UInt64? { number("seq") }
}

/// See the head of this file.
enum FrameScanner {
  /// The events of a frame; nil: it isn't an array of objects.
  static func events(_ text: some Sequence<UInt8>) -> [StreamEvent]? {
    var scanner = Scanner(bytes: Array(text))
    return scanner.array()
  }

  /// The objects of an array that is a field's value.
  static func objects(_ value: String) -> [StreamEvent] { events(value.utf8) ?? [] }
}

private struct Scanner {
  let bytes: [UInt8]
  var place = 0

  mutating func array() -> [StreamEvent]? {
    skipSpace()
    guard take(0x5b) else { return nil }
    var events: [StreamEvent] = []
    skipSpace()
    if take(0x5d) { return events }
    while true {
      guard let event = object() else { return nil }
      events.append(event)
      skipSpace()
      if take(0x2c) {
        skipSpace()
        continue
      }
      return take(0x5d) ? events : nil
    }
  }

  private mutating func object() -> StreamEvent? {
    guard take(0x7b) else { return nil }
    var event = StreamEvent()
    skipSpace()
    if take(0x7d) { return event }
    while true {
      skipSpace()
      guard let name = value(), name.utf8.count >= 2 else { return nil }
      skipSpace()
      guard take(0x3a) else { return nil }
      skipSpace()
      guard let value = value() else { return nil }
      event.fields[String(name.dropFirst().dropLast())] = value
      skipSpace()
      if take(0x2c) { continue }
      return take(0x7d) ? event : nil
    }
  }

  /// Any value, as it is written.
  private mutating func value() -> String? {
    let start = place
    var depth = 0
    while place < bytes.count {
      switch bytes[place] {
      case 0x22:
        place += 1
        while place < bytes.count, bytes[place] != 0x22 { place += bytes[place] == 0x5c ? 2 : 1 }
        guard place < bytes.count else { return nil }
        place += 1
        if depth == 0 { return String(decoding: bytes[start..<place], as: UTF8.self) }
        continue
      case 0x7b, 0x5b: depth += 1
      case 0x7d, 0x5d:
        if depth == 0 { return end(start) }
        depth -= 1
        if depth == 0 {
          place += 1
          return end(start)
        }
      case 0x2c, 0x20, 0x0a, 0x0d, 0x09, 0x3a: if depth == 0 { return end(start) }
      default: break
      }
      place += 1
    }
    return nil
  }

  private func end(_ start: Int) -> String? {
    place > start ? String(decoding: bytes[start..<place], as: UTF8.self) : nil
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard place < bytes.count, bytes[place] == byte else { return false }
    place += 1
    return true
  }

  private mutating func skipSpace() {
    while place < bytes.count, [0x20, 0x0a, 0x0d, 0x09].contains(bytes[place]) { place += 1 }
  }
}
