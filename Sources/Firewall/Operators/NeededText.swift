// What a simple pattern can't match without: the longest run of plain characters in it.
//
// Errs to one side: an empty answer means that nothing is known. Only what stands before the first group or bracket is
// looked at, and nothing of a pattern with alternatives.

enum NeededText {
  /// In lower case.
  static func of(_ pattern: [UInt8]) -> [UInt8] {
    guard !pattern.contains(UInt8(ascii: "|")) else { return [] }
    var longest: [UInt8] = []
    var run: [UInt8] = []
    func end() {
      if run.count > longest.count { longest = run }
      run = []
    }
    var at = 0
    loop: while at < pattern.count {
      var byte = pattern[at]
      at += 1
      switch byte {
      case UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: ")"): break loop
      case UInt8(ascii: "^"), UInt8(ascii: "$"), UInt8(ascii: "."):
        end()
        continue
      case UInt8(ascii: "?"), UInt8(ascii: "*"), UInt8(ascii: "+"):
        end()
        continue
      case UInt8(ascii: "{"), 0x80...0xFF:
        // The brace may be a quantifier of what was taken already, or mean itself.
        break loop
      case UInt8(ascii: "\\"):
        guard at < pattern.count, !pattern[at].isLetter, !pattern[at].isDigit, pattern[at] < 0x80 else {
          break loop
        }
        byte = pattern[at]
        at += 1
      default: break
      }
      // An item that may be missing isn't needed.
      if at < pattern.count, [UInt8(ascii: "?"), UInt8(ascii: "*"), UInt8(ascii: "{")].contains(pattern[at]) {
        end()
      } else {
        run.append(lowercased(byte))
      }
    }
    end()
    return longest
  }
}
