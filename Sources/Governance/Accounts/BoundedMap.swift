// Many at once, but not all.

/// Does something with each element, at most `bound` at a time; results in the order of the elements.
func boundedMap<Element: Sendable, Result: Sendable>(
  _ elements: [Element], atOnce bound: Int, _ body: @escaping @Sendable (Element) async -> Result
) async -> [Result] {
  await withTaskGroup(of: (Int, Result).self) { group in
    var next = 0
    func start() {
      guard next < elements.count else { return }
      let place = next
      let element = elements[place]
      next += 1
      group.addTask { (place, await body(element)) }
    }
    for _ in 0..<max(1, bound) { start() }
    var results: [(Int, Result)] = []
    results.reserveCapacity(elements.count)
    while let result = await group.next() {
      results.append(result)
      start()
    }
    return results.sorted { $0.0 < $1.0 }.map(\.1)
  }
}
