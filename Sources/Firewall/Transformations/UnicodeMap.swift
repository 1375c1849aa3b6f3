// A map of Unicode to a code page, out of the file that SecUnicodeMapFile names (ModSecurity reference manual).
//
// The file holds, for each code page, a line that begins with its number and then lines of `hhhh:hh` pairs up to the
// next blank line. Kept as a table by high byte: what a map says is looked up in two steps.

/// What each character of Unicode's first plane becomes in a code page.
public struct UnicodeMap: Sendable {
  /// By high byte, where in `table` its 256 entries begin; 0 where there are none.
  private var pages = [UInt16](repeating: 0, count: 256)
  /// The byte and 0x100; 0 for nothing.
  private var table = [UInt16](repeating: 0, count: 1)

  /// Reads the section of `codePage`; nil where `file` has none.
  public init?(file: [UInt8], codePage: Int) {
    var lines = file.split(separator: 0x0A, omittingEmptySubsequences: false)[...]
    while let line = lines.first, Int(text: line.prefix { $0.isDigit }) != codePage { lines.removeFirst() }
    guard !lines.isEmpty else { return nil }
    // Pairs may begin on the line of the number.
    var isFirst = true
    while let line = lines.first, isFirst || line.contains(where: { $0 == UInt8(ascii: ":") }) {
      isFirst = false
      for pair in line.split(whereSeparator: \.isSpace) {
        let parts = pair.split(separator: UInt8(ascii: ":"))
        guard parts.count == 2, let character = UInt16(hexadecimal: parts[0]),
          let byte = UInt16(hexadecimal: parts[1]), byte < 256
        else { continue }
        set(character, UInt8(byte))
      }
      lines.removeFirst()
    }
  }

  subscript(_ character: UInt16) -> UInt8? {
    let page = Int(pages[Int(character >> 8)])
    guard page > 0 else { return nil }
    let entry = table[page + Int(character & 0xFF)]
    return entry == 0 ? nil : UInt8(truncatingIfNeeded: entry)
  }

  private mutating func set(_ character: UInt16, _ byte: UInt8) {
    let high = Int(character >> 8)
    if pages[high] == 0 {
      pages[high] = UInt16(truncatingIfNeeded: table.count)
      table.append(contentsOf: [UInt16](repeating: 0, count: 256))
    }
    table[Int(pages[high]) + Int(character & 0xFF)] = 0x100 | UInt16(byte)
  }
}

extension Int {
  fileprivate init?(text: ArraySlice<UInt8>) { self.init(String(decoding: text, as: UTF8.self)) }
}

extension UInt16 {
  fileprivate init?(hexadecimal text: ArraySlice<UInt8>) {
    self.init(String(decoding: text, as: UTF8.self), radix: 16)
  }
}
