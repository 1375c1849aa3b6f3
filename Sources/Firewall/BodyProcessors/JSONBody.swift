// A JSON body as arguments (RFC 8259 for the grammar; names as libmodsecurity 3.0.9 makes them).
//
// `{"a": {"b": [1, {"c": null}]}}` gives `json.a.b.array_0` = `1` and `json.a.b.array_1.c` = ``. Numbers, `true` and
// `false` keep their text, null is empty, an empty key is called `empty-key`, empty containers give nothing, a scalar
// alone is `json`. An empty body is no error.
// One pass without recursion. Names grow with depth times length, so their sum is bounded by the length of the body.

/// application/json.
public enum JSONBody {
  /// An object or array that is open.
  struct Container {
    /// The length of the path in front of a member's own part of its name.
    let pathCount: Int
    let isArray: Bool
    /// The number of elements seen, in an array.
    var index = 0
  }

  /// All names together may be so many times the body's length, and this much more.
  static let nameFactor = 32
  static let nameAllowance = 64 * 1024

  /// Adds the arguments of `body` to `content`, up to the first error.
  public static func parse(
    _ body: ByteView, limits: BodyLimits, arena: Arena, into content: inout BodyContent
  ) {
    guard !body.isEmpty else { return }
    content.jsonPath.removeAll(keepingCapacity: true)
    content.jsonContainers.removeAll(keepingCapacity: true)
    var parser = JSONParser(body, limits: limits, arena: arena)
    if let fault = parser.run(&content) {
      content.fail("JSON parsing error: " + fault.rawValue, at: parser.lexer.faultOffset)
    }
  }
}

struct JSONParser {
  private enum Expected { case value, firstElement, firstKey, key, memberEnd, elementEnd, nothing }

  var lexer: JSONLexer
  private let limits: BodyLimits
  private let arena: Arena
  private var nameBytesLeft: Int
  /// The key of the member whose value comes next.
  private var key = ByteView.empty

  init(_ text: ByteView, limits: BodyLimits, arena: Arena) {
    lexer = JSONLexer(text)
    self.limits = limits
    self.arena = arena
    let (product, overflow) = text.count.multipliedReportingOverflow(by: JSONBody.nameFactor)
    nameBytesLeft = overflow ? Int.max : product &+ JSONBody.nameAllowance
  }

  mutating func run(_ content: inout BodyContent) -> JSONLexer.Fault? {
    let text = lexer.text
    var at = 0
    var expected = Expected.value
    while true {
      at = lexer.skipWhitespace(at)
      guard at < text.count else {
        lexer.faultOffset = text.count
        return expected == .nothing ? nil : .prematureEnd
      }
      let byte = text.start[at]
      switch expected {
      case .nothing:
        lexer.faultOffset = at
        return .trailingGarbage

      case .key, .firstKey:
        if byte == UInt8(ascii: "}"), expected == .firstKey {
          at += 1
          expected = close(&content)
          continue
        }
        guard byte == UInt8(ascii: "\"") else { return lexer.unexpected(at, .keyNotString) }
        switch lexer.string(at) {
        case .failure(let fault): return fault
        case .success(let token):
          key = JSONLexer.value(token, arena: arena)
          at = token.end
        }
        at = lexer.skipWhitespace(at)
        guard at < text.count else {
          lexer.faultOffset = text.count
          return .prematureEnd
        }
        guard text.start[at] == UInt8(ascii: ":") else { return lexer.unexpected(at, .colonMissing) }
        at += 1
        expected = .value

      case .memberEnd:
        switch byte {
        case UInt8(ascii: ","): expected = .key
        case UInt8(ascii: "}"): expected = close(&content)
        default: return lexer.unexpected(at, .memberEnd)
        }
        at += 1

      case .elementEnd:
        switch byte {
        case UInt8(ascii: ","): expected = .value
        case UInt8(ascii: "]"): expected = close(&content)
        default: return lexer.unexpected(at, .elementEnd)
        }
        at += 1

      case .value, .firstElement:
        var end = Result<Int, JSONLexer.Fault>.success(at + 1)
        var value = ByteView.empty
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
          let isArray = byte == UInt8(ascii: "[")
          guard content.jsonContainers.count < limits.jsonDepth else {
            content.limitReached = true
            lexer.faultOffset = at
            return .tooDeep
          }
          open(isArray: isArray, &content)
          at += 1
          expected = isArray ? .firstElement : .firstKey
          continue
        case UInt8(ascii: "]") where expected == .firstElement:
          at += 1
          expected = close(&content)
          continue
        case UInt8(ascii: "\""):
          switch lexer.string(at) {
          case .failure(let fault): return fault
          case .success(let token):
            value = JSONLexer.value(token, arena: arena)
            end = .success(token.end)
          }
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
          end = lexer.number(at)
          if case .success(let end) = end { value = text[at..<end] }
        case UInt8(ascii: "t"):
          end = lexer.literal(ByteView("true"), at)
          value = text[at..<(at + 4)]
        case UInt8(ascii: "f"):
          end = lexer.literal(ByteView("false"), at)
          value = text[at..<(at + 5)]
        case UInt8(ascii: "n"): end = lexer.literal(ByteView("null"), at)
        default: return lexer.unexpected(at, .unallowedToken)
        }
        switch end {
        case .failure(let fault): return fault
        case .success(let end):
          if let fault = add(value, at, &content) { return fault }
          at = end
        }
        expected = after(&content)
      }
    }
  }

  /// What follows a value, which ends here.
  private func after(_ content: inout BodyContent) -> Expected {
    let depth = content.jsonContainers.count
    guard depth > 0 else { return .nothing }
    guard content.jsonContainers[depth - 1].isArray else { return .memberEnd }
    content.jsonContainers[depth - 1].index += 1
    return .elementEnd
  }

  private func close(_ content: inout BodyContent) -> Expected {
    content.jsonContainers.removeLast()
    return after(&content)
  }

  private func open(isArray: Bool, _ content: inout BodyContent) {
    if let parent = content.jsonContainers.last {
      content.jsonPath.removeLast(content.jsonPath.count - parent.pathCount)
      if parent.isArray {
        withDecimal(parent.index) { content.jsonPath.append(contentsOf: $0) }
      } else {
        content.jsonPath.append(contentsOf: (key.isEmpty ? ByteView("empty-key") : key).buffer)
      }
    } else {
      content.jsonPath.append(contentsOf: ByteView("json").buffer)
    }
    content.jsonPath.append(contentsOf: (isArray ? ByteView(".array_") : ByteView(".")).buffer)
    content.jsonContainers.append(
      JSONBody.Container(pathCount: content.jsonPath.count, isArray: isArray))
  }

  private mutating func add(_ value: ByteView, _ at: Int, _ content: inout BodyContent) -> JSONLexer.Fault? {
    guard content.arguments.count < limits.argumentCount else {
      content.limitReached = true
      lexer.faultOffset = at
      return .tooManyArguments
    }
    let name: ByteView
    if let parent = content.jsonContainers.last {
      let path = content.jsonPath
      let most = parent.pathCount + (parent.isArray ? 20 : max(key.count, 9))
      guard most <= nameBytesLeft else {
        content.limitReached = true
        lexer.faultOffset = at
        return .namesTooLong
      }
      let key = key
      name = arena.build(most) { place in
        path.withUnsafeBufferPointer { path in
          if let base = path.baseAddress { place.update(from: base, count: parent.pathCount) }
        }
        func put(_ own: UnsafeBufferPointer<UInt8>) -> Int {
          if let base = own.baseAddress { (place + parent.pathCount).update(from: base, count: own.count) }
          return parent.pathCount + own.count
        }
        if parent.isArray { return withDecimal(parent.index, put) }
        return put((key.isEmpty ? ByteView("empty-key") : key).buffer)
      }
      nameBytesLeft -= name.count
    } else {
      name = ByteView("json")
    }
    content.arguments.append(Argument(name: name, value: value))
    return nil
  }

  /// A number that isn't negative, in decimal digits.
  private func withDecimal<R>(_ number: Int, _ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
      var left = number
      var first = 20
      repeat {
        first -= 1
        digits[first] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: left % 10)
        left /= 10
      } while left > 0
      return body(UnsafeBufferPointer(rebasing: digits[first..<20]))
    }
  }
}
