// Values by paths of names, as answers of services are looked into.

public import GuardRules

extension Value {
  /// What stands at a path of names, lists on the way gone through; JSON within text is read.
  public func all(at path: some Sequence<String>) -> [Value] {
    var values = [self]
    func flat(_ value: Value) -> [Value] { value.list ?? [value] }
    for name in path {
      values = values.flatMap(flat).compactMap { value in
        if let text = value.string, text.hasPrefix("{"), let inner = try? JSONReader.value(of: text) {
          return inner[name]
        }
        return value[name]
      }
    }
    return values.flatMap(flat).filter { !$0.isNull }
  }

  /// The same value with a member more.
  public func adding(_ name: String, _ value: Value) -> Value {
    Value(.map(Members(members.map { ($0.name, $0.value) } + [(name, value)], rest: rest)), at: place)
  }
}
