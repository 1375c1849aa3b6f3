// Which kinds of bytes a value holds, found in one pass. A transformation names the kinds that it changes: a value that
// holds none of them passes through as it is, without a look.

/// Kinds of bytes; see the head of this file.
public struct ByteClass: OptionSet, BitwiseCopyable, Sendable {
  /// A bit for each kind.
  public let rawValue: UInt32
  /// From bits.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// %.
  public static let percent = ByteClass(rawValue: 1 << 0)
  /// +.
  public static let plus = ByteClass(rawValue: 1 << 1)
  /// &.
  public static let ampersand = ByteClass(rawValue: 1 << 2)
  /// \\.
  public static let backslash = ByteClass(rawValue: 1 << 3)
  /// 0x80 and above.
  public static let high = ByteClass(rawValue: 1 << 4)
  /// 0x00.
  public static let null = ByteClass(rawValue: 1 << 5)
  /// Space.
  public static let space = ByteClass(rawValue: 1 << 6)
  /// Tab, line feed, vertical tab, form feed, carriage return.
  public static let whitespaceControl = ByteClass(rawValue: 1 << 7)
  /// No-break space, 0xA0.
  public static let noBreakSpace = ByteClass(rawValue: 1 << 8)
  /// A to Z.
  public static let upper = ByteClass(rawValue: 1 << 9)
  /// /.
  public static let slash = ByteClass(rawValue: 1 << 10)
  /// *.
  public static let star = ByteClass(rawValue: 1 << 11)
  /// ' and ".
  public static let quote = ByteClass(rawValue: 1 << 12)
  /// ^.
  public static let caret = ByteClass(rawValue: 1 << 13)
  /// A comma.
  public static let comma = ByteClass(rawValue: 1 << 14)
  /// A semicolon.
  public static let semicolon = ByteClass(rawValue: 1 << 15)
  /// -.
  public static let dash = ByteClass(rawValue: 1 << 16)
  /// #.
  public static let hash = ByteClass(rawValue: 1 << 17)
  /// <.
  public static let less = ByteClass(rawValue: 1 << 18)
  /// =.
  public static let equals = ByteClass(rawValue: 1 << 19)
  /// A full stop.
  public static let dot = ByteClass(rawValue: 1 << 20)
  /// ( and ).
  public static let parenthesis = ByteClass(rawValue: 1 << 21)
  /// 0 to 9.
  public static let digit = ByteClass(rawValue: 1 << 22)
  /// a to z.
  public static let lower = ByteClass(rawValue: 1 << 23)
  /// _.
  public static let underscore = ByteClass(rawValue: 1 << 24)
  /// Other bytes below 0x20, and 0x7F.
  public static let control = ByteClass(rawValue: 1 << 25)
  /// A colon.
  public static let colon = ByteClass(rawValue: 1 << 27)
  /// What has no class of its own: ! $ > ? @ [ ] ` { | } ~.
  public static let other = ByteClass(rawValue: 1 << 26)

  /// All kinds, and an empty value too.
  public static let anything = ByteClass(rawValue: .max)
  /// What separates words.
  public static let whitespace: ByteClass = [.space, .whitespaceControl]

  static let table: [ByteClass] = (0..<256).map { of(UInt8($0)) }

  private static func of(_ byte: UInt8) -> ByteClass {
    switch byte {
    case 0: .null
    case 0x09...0x0D: .whitespaceControl
    case 0x20: .space
    case 0x01...0x1F, 0x7F: .control
    case 0xA0: [.high, .noBreakSpace]
    case 0x80...0xFF: .high
    case UInt8(ascii: "%"): .percent
    case UInt8(ascii: "+"): .plus
    case UInt8(ascii: "&"): .ampersand
    case UInt8(ascii: "\\"): .backslash
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): .upper
    case UInt8(ascii: "a")...UInt8(ascii: "z"): .lower
    case UInt8(ascii: "0")...UInt8(ascii: "9"): .digit
    case UInt8(ascii: "/"): .slash
    case UInt8(ascii: "*"): .star
    case UInt8(ascii: "'"), UInt8(ascii: "\""): .quote
    case UInt8(ascii: "^"): .caret
    case UInt8(ascii: ","): .comma
    case UInt8(ascii: ";"): .semicolon
    case UInt8(ascii: "-"): .dash
    case UInt8(ascii: "#"): .hash
    case UInt8(ascii: "<"): .less
    case UInt8(ascii: "="): .equals
    case UInt8(ascii: "."): .dot
    case UInt8(ascii: "("), UInt8(ascii: ")"): .parenthesis
    case UInt8(ascii: "_"): .underscore
    case UInt8(ascii: ":"): .colon
    default: .other
    }
  }
}

extension ByteView {
  /// The union of the classes of its bytes.
  public var classes: ByteClass {
    ByteClass.table.withUnsafeBufferPointer { table in
      var found: UInt32 = 0
      for index in 0..<count { found |= table[Int(start[index])].rawValue }
      return ByteClass(rawValue: found)
    }
  }
}
