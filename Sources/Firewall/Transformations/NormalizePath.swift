// normalizePath, normalizePathWin (ModSecurity reference manual; RFC 3986, 5.2.4 "Remove dot segments").
//
// Drops empty segments and `.`, and takes a segment back for `..`, never above the root; a relative path keeps the `..`
// that lead out of it. The Windows form reads \ as /. Works in one pass over a copy, writing behind what it reads.
//
// libmodsecurity 3.0.9 takes every segment that ends in two dots for a way back (`/a/etc..` gives `/a`), and leaves the
// last of a run of backslashes; both hide something from the rules, and aren't done here.

extension Transformation {
  // Nothing changes without a slash or a dot: "//", "/.", "." and so on.
  static let normalizePath = Transformation(
    "normalizePath", aliases: ["normalisePath"], triggers: [.slash, .dot]
  ) { value, arena in
    guard isSuspect(value) else { return value }
    return arena.rewrite(value, capacity: value.count) { out in
      for byte in value.buffer { out.put(byte) }
      out = ByteWriter(out.at - value.count + normalize(out.at - value.count, value.count))
    }
  }

  static let normalizePathWin = Transformation(
    "normalizePathWin", aliases: ["normalisePathWin"], triggers: [.slash, .dot, .backslash]
  ) { value, arena in
    guard value.firstIndex(of: UInt8(ascii: "\\")) != nil || isSuspect(value) else { return value }
    return arena.rewrite(value, capacity: value.count) { out in
      for byte in value.buffer { out.put(byte == UInt8(ascii: "\\") ? UInt8(ascii: "/") : byte) }
      out = ByteWriter(out.at - value.count + normalize(out.at - value.count, value.count))
    }
  }

  /// Whether any segment is empty or begins with a dot.
  private static func isSuspect(_ value: ByteView) -> Bool {
    guard !value.isEmpty else { return false }
    if value.start[0] == UInt8(ascii: ".") { return true }
    var from = 0
    while let slash = value.firstIndex(of: UInt8(ascii: "/"), from: from) {
      from = slash + 1
      guard from < value.count else { return false }
      if value.start[from] == UInt8(ascii: "/") || value.start[from] == UInt8(ascii: ".") { return true }
    }
    return false
  }

  /// Normalizes `count` bytes in place; how many are left.
  private static func normalize(_ bytes: UnsafeMutablePointer<UInt8>, _ count: Int) -> Int {
    guard count > 0 else { return 0 }
    let slash = UInt8(ascii: "/")
    let dot = UInt8(ascii: ".")
    let isRelative = bytes[0] != slash
    let endsInSlash = bytes[count - 1] == slash
    var read = 0
    var written = 0
    // A relative path that has been led out of where it began: its `..` stay.
    var isOutside = false
    while read < count {
      if bytes[read] == slash {
        while read < count, bytes[read] == slash { read += 1 }
        if isRelative, written == 0 { continue }
        bytes[written] = slash
        written += 1
        continue
      }
      // A segment: all but its last byte is written at once, the last one decides.
      let begin = written
      while read + 1 < count, bytes[read + 1] != slash {
        bytes[written] = bytes[read]
        written += 1
        read += 1
      }
      let last = bytes[read]
      read += 1
      let isEnd = read == count
      if last == dot, written == begin + 1, bytes[begin] == dot {
        if !isRelative || !isOutside && written > 2 {
          written -= 3
          while written > 0, bytes[written] != slash { written -= 1 }
          if written <= 0 {
            isOutside = true
            written = isEnd && !isRelative ? 1 : 0
          }
          continue
        }
        isOutside = true
      } else if last == dot, written == begin {
        // The segment `.` goes, and the slash before it where another one follows.
        if !isEnd, written > 0 { written -= 1 }
        continue
      } else if last != dot, written > 0 {
        isOutside = false
      }
      bytes[written] = last
      written += 1
    }
    if !endsInSlash, written > 0, bytes[written - 1] == slash { written -= 1 }
    return written
  }
}
