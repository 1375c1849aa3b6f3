// @detectXSS (ModSecurity reference manual; libinjection): the value looks like script injection; it is captured.
//
// What libinjection looks for begins with a tag or is an attribute with a value: a value with neither < nor = isn't
// shown to it (the fuzz test compares).

internal import CInjection

final class DetectXSS: Operator {
  func matches(_ value: ByteView, _ scratch: OperatorScratch) -> Bool {
    guard value.firstIndex(of: UInt8(ascii: "<")) != nil || value.firstIndex(of: UInt8(ascii: "=")) != nil,
      DetectXSS.isInjection(value)
    else { return false }
    scratch.captures.append(value)
    return true
  }

  /// What libinjection says.
  static func isInjection(_ value: ByteView) -> Bool {
    libinjection_xss(UnsafeRawPointer(value.start).assumingMemoryBound(to: CChar.self), value.count) != 0
  }
}
