// Members of a map while they are put together: of many, one is found by an index, not by a walk.

import GuardRules

struct MemberList {
  private(set) var all: [(name: String, value: Value)]
  private var index: [String: Int] = [:]

  private static let mostSearched = 12

  init(_ members: [Members.Member] = []) {
    all = members.map { ($0.name, $0.value) }
    if all.count > Self.mostSearched { makeIndex() }
  }

  private mutating func makeIndex() {
    index.reserveCapacity(all.count * 2)
    for (place, member) in all.enumerated() { index[member.name] = place }
  }

  private func place(of name: String) -> Int? {
    all.count > Self.mostSearched ? index[name] : all.firstIndex { $0.name == name }
  }

  /// The value of a name; a new one is put at the end, nil takes it out.
  subscript(name: String) -> Value? {
    get { place(of: name).map { all[$0].value } }
    set {
      switch (place(of: name), newValue) {
      case (let place?, let value?): all[place].value = value
      case (nil, let value?):
        all.append((name, value))
        if all.count == Self.mostSearched + 1 {
          makeIndex()
        } else if all.count > Self.mostSearched {
          index[name] = all.count - 1
        }
      case (let place?, nil):
        all.remove(at: place)
        index = [:]
        if all.count > Self.mostSearched { makeIndex() }
      case (nil, nil): break
      }
    }
  }
}
