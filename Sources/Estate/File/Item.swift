// A value of an estate file after its shape has been looked at, with its place. What is missing or has the wrong type
// is absent; a fault has said so.

struct Item: Sendable {
  enum Value: Sendable {
    case text(String)
    case integer(Int)
    case boolean(Bool)
    case list([Item])
    case map([(key: String, item: Item)])
  }

  var value: Value
  var place: EstatePlace

  subscript(key: String) -> Item? {
    guard case .map(let pairs) = value else { return nil }
    return pairs.first { $0.key == key }?.item
  }

  func text(_ key: String) -> String? {
    guard case .text(let text)? = self[key]?.value else { return nil }
    return text
  }

  func integer(_ key: String) -> Int? {
    guard case .integer(let integer)? = self[key]?.value else { return nil }
    return integer
  }

  func boolean(_ key: String) -> Bool? {
    guard case .boolean(let boolean)? = self[key]?.value else { return nil }
    return boolean
  }

  func list(_ key: String) -> [Item] {
    guard case .list(let items)? = self[key]?.value else { return [] }
    return items
  }

  func texts(_ key: String) -> [String] {
    list(key).compactMap { if case .text(let text) = $0.value { text } else { nil } }
  }

  func integers(_ key: String) -> [Int] {
    list(key).compactMap { if case .integer(let integer) = $0.value { integer } else { nil } }
  }

  func pairs(_ key: String) -> [(key: String, item: Item)] {
    guard case .map(let pairs)? = self[key]?.value else { return [] }
    return pairs
  }
}
