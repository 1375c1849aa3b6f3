// The values of all variables of a transaction. Owner: the transaction.

struct ValueTable {
  private let lists: UnsafeMutablePointer<TrivialList<Argument>>
  private static let count = Variable.allCases.count

  init() {
    lists = .allocate(capacity: ValueTable.count)
    for index in 0..<ValueTable.count { (lists + index).initialize(to: TrivialList(capacity: 2)) }
  }

  func free() {
    for index in 0..<ValueTable.count { lists[index].free() }
    lists.deallocate()
  }

  @inline(__always) subscript(variable: Variable) -> TrivialList<Argument> { lists[Int(variable.rawValue)] }

  func removeAll() {
    for index in 0..<ValueTable.count {
      lists[index].removeAll()
      lists[index].trim(above: 1024)
    }
  }
}
