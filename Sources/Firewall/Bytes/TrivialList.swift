// A growable list of trivial values, outside Swift's reference counting and exclusivity checks: for what is touched for
// every value of every request.
//
// A handle: copies share the memory, which whoever made it frees once. Owner: one thread.
// Invariant: 0 ≤ count ≤ capacity; indices are checked in debug builds, and by `precondition` where they come from tables.

struct TrivialList<Element: BitwiseCopyable> {
  private struct Header {
    var base: UnsafeMutablePointer<Element>
    var count: Int
    var capacity: Int
  }
  private let header: UnsafeMutablePointer<Header>

  init(capacity: Int = 16) {
    header = .allocate(capacity: 1)
    header.initialize(
      to: Header(
        base: .allocate(capacity: Swift.max(1, capacity)), count: 0, capacity: Swift.max(1, capacity)))
  }

  func free() {
    header.pointee.base.deallocate()
    header.deallocate()
  }

  @inline(__always) var count: Int { header.pointee.count }
  @inline(__always) var isEmpty: Bool { header.pointee.count == 0 }
  @inline(__always) var base: UnsafeMutablePointer<Element> { header.pointee.base }
  @inline(__always) var last: Element? { isEmpty ? nil : base[count - 1] }
  @inline(__always) var first: Element? { isEmpty ? nil : base[0] }

  subscript(index: Int) -> Element {
    @inline(__always) get {
      assert(index >= 0 && index < count)
      return base[index]
    }
    @inline(__always) nonmutating set {
      assert(index >= 0 && index < count)
      base[index] = newValue
    }
  }

  @inline(__always) func append(_ element: Element) {
    if header.pointee.count == header.pointee.capacity { grow(to: header.pointee.count + 1) }
    header.pointee.base[header.pointee.count] = element
    header.pointee.count += 1
  }

  func removeAll() { header.pointee.count = 0 }
  func removeLast(_ n: Int = 1) { header.pointee.count = Swift.max(0, header.pointee.count - n) }

  /// Gives memory back that a rare large use has left.
  func trim(above limit: Int) {
    guard header.pointee.capacity > limit else { return }
    header.pointee.base.deallocate()
    header.pointee.base = .allocate(capacity: 16)
    header.pointee.count = 0
    header.pointee.capacity = 16
  }

  /// Exactly `count` elements, all `element`.
  func fill(_ element: Element, count: Int) {
    if count > header.pointee.capacity { grow(to: count) }
    header.pointee.base.update(repeating: element, count: count)
    header.pointee.count = count
  }

  /// At least `count` elements; new ones are `element`.
  func reserve(_ count: Int, _ element: Element) {
    guard count > header.pointee.count else { return }
    if count > header.pointee.capacity { grow(to: count) }
    (header.pointee.base + header.pointee.count).update(
      repeating: element, count: count - header.pointee.count)
    header.pointee.count = count
  }

  func copy(from source: UnsafePointer<Element>, count: Int) {
    if count > header.pointee.capacity { grow(to: count) }
    header.pointee.base.update(from: source, count: count)
    header.pointee.count = count
  }

  private func grow(to count: Int) {
    let capacity = Swift.max(count, header.pointee.capacity * 2)
    let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
    larger.update(from: header.pointee.base, count: header.pointee.count)
    header.pointee.base.deallocate()
    header.pointee.base = larger
    header.pointee.capacity = capacity
  }
}

extension TrivialList: Sequence {
  struct Iterator: IteratorProtocol {
    let list: TrivialList
    var at = 0
    mutating func next() -> Element? {
      guard at < list.count else { return nil }
      defer { at += 1 }
      return list.base[at]
    }
  }
  func makeIterator() -> Iterator { Iterator(list: self) }
}
