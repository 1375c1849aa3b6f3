// Comparing and searching. Case means ASCII case, as in HTTP and in SecLang.

internal import CHardware

extension ByteView: Equatable {
  /// Byte for byte.
  public static func == (a: ByteView, b: ByteView) -> Bool {
    a.count == b.count && (a.start == b.start || kabuto_equal(a.start, b.start, a.count) != 0)
  }
}

extension ByteView {
  /// Whether the bytes are the same but for ASCII case.
  public func equalsIgnoringCase(_ other: ByteView) -> Bool {
    guard count == other.count else { return false }
    for index in 0..<count where lowercased(start[index]) != lowercased(other.start[index]) { return false }
    return true
  }

  /// Whether it begins with `other`.
  public func hasPrefix(_ other: ByteView) -> Bool {
    other.count <= count && kabuto_equal(start, other.start, other.count) != 0
  }

  /// Whether it ends with `other`.
  public func hasSuffix(_ other: ByteView) -> Bool {
    other.count <= count && kabuto_equal(start + (count - other.count), other.start, other.count) != 0
  }

  /// Whether it begins with `other`, ASCII case aside.
  public func hasPrefixIgnoringCase(_ other: ByteView) -> Bool {
    other.count <= count && prefix(other.count).equalsIgnoringCase(other)
  }

  /// Whether `text`, which is in lower case, stands somewhere in it.
  func containsIgnoringCase(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let first = text.first, text.count <= count else { return text.isEmpty }
    for begin in 0...count - text.count where lowercased(start[begin]) == first {
      var at = 1
      while at < text.count, lowercased(start[begin + at]) == text[at] { at += 1 }
      if at == text.count { return true }
    }
    return false
  }

  /// The offset of the first `byte` at or after `from`.
  public func firstIndex(of byte: UInt8, from: Int = 0) -> Int? {
    guard from < count, let found = kabuto_find_byte(start + from, count - from, byte) else { return nil }
    return found - start
  }

  /// The offset of the first `other` at or after `from`; an empty one is found at once.
  public func firstRange(of other: ByteView, from: Int = 0) -> Int? {
    guard other.count > 0 else { return from <= count ? from : nil }
    guard from < count, let found = kabuto_find(start + from, count - from, other.start, other.count)
    else { return nil }
    return found - start
  }
}

@inline(__always) func lowercased(_ byte: UInt8) -> UInt8 { byte &- 65 < 26 ? byte | 0x20 : byte }
