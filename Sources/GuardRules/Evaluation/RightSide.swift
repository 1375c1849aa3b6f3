// What values are compared with. Where these are many texts, each value is looked for by its hash.

/// See the head of this file. Of one evaluation.
final class RightSide {
  private let source: [Selected]
  let values: [Value]
  /// Those that aren't there.
  let missing: [Selected]
  /// Whether it isn't known what there is to compare with.
  let isUncertain: Bool
  /// Where they are many, and all are texts.
  let texts: TextSet?

  init(_ source: [Selected]) {
    self.source = source
    values = source.compactMap(\.value)
    missing = values.count == source.count ? [] : source.filter { $0.value == nil }
    isUncertain = source.contains(where: \.isUncertain)
    texts = values.count < TextSet.least ? nil : TextSet(values)
  }

  /// Whether it was made of just this array: what is kept here can't be changed in its place.
  func `is`(_ other: [Selected]) -> Bool {
    source.count == other.count
      && source.withUnsafeBufferPointer { own in
        other.withUnsafeBufferPointer { own.baseAddress == $0.baseAddress }
      }
  }
}

/// Texts, told apart by their bytes, as everywhere in the language.
struct TextSet {
  private struct Text: Hashable {
    let text: String
    static func == (left: Text, right: Text) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }
    func hash(into hasher: inout Hasher) {
      var text = text
      text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
  }
  private let texts: Set<Text>

  /// How many values are worth it.
  static var least: Int { 32 }

  /// Nil: some are no texts.
  init?(_ values: [Value]) {
    var texts: Set<Text> = []
    texts.reserveCapacity(values.count)
    for value in values {
      guard case .string(let text) = value.content else { return nil }
      texts.insert(Text(text: text))
    }
    self.texts = texts
  }

  /// Whether a text is one of them; nil = it is no text, and must be compared with each.
  func contains(_ value: Value) -> Bool? {
    guard case .string(let text) = value.content else { return nil }
    return texts.contains(Text(text: text))
  }
}
