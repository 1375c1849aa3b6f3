// @detectSQLi (ModSecurity reference manual; libinjection): the value looks like SQL injection; the fingerprint is
// captured.
//
// A value of letters, digits and _ alone is at most a number and a word, which libinjection never takes for an
// injection: it isn't asked then (the fuzz test compares).

internal import CInjection

final class DetectSQLi: Operator {
  func matches(_ value: ByteView, _ scratch: OperatorScratch) -> Bool {
    guard value.first(where: { !$0.isLetter && !$0.isDigit && $0 != UInt8(ascii: "_") }) < value.count
    else { return false }
    let fingerprint = DetectSQLi.fingerprint(value)
    guard fingerprint != 0 else { return false }
    scratch.captures.append(
      scratch.arena.build(8) { place in
        var length = 0
        while length < 8 {
          let byte = UInt8(truncatingIfNeeded: fingerprint >> UInt64(length * 8))
          if byte == 0 { break }
          place[length] = byte
          length += 1
        }
        return length
      })
    return true
  }

  /// libinjection's fingerprint, its first letter in the lowest byte; 0 where it sees no injection.
  static func fingerprint(_ value: ByteView) -> UInt64 {
    var letters: UInt64 = 0
    let isInjection = withUnsafeMutableBytes(of: &letters) { buffer -> Int32 in
      guard let place = buffer.baseAddress else { return 0 }
      let text = UnsafeRawPointer(value.start).assumingMemoryBound(to: CChar.self)
      return libinjection_sqli(text, value.count, place.assumingMemoryBound(to: CChar.self))
    }
    return isInjection != 0 ? UInt64(littleEndian: letters) : 0
  }
}
