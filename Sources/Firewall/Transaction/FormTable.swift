// The forms of one value: what it is at the nodes of its tree, each different content once.
//
// Owner: the transaction. Between two values all nodes have the form 0, the value itself.

struct FormTable {
  let views = TrivialList<ByteView>(capacity: 64)
  let classes = TrivialList<ByteClass>(capacity: 64)
  /// By form, how plain it is: 0 an identifier, 1 text, 2 neither (`Alphabet`).
  let levels = TrivialList<UInt8>(capacity: 64)
  private let identifier = Alphabet.identifier.classes.rawValue
  private let text = Alphabet.text.classes.rawValue
  /// By node.
  let ofNode = TrivialList<Int32>(capacity: 64)
  /// The nodes that have a form to be found.
  let affected = TrivialList<UInt64>(capacity: 4)
  /// By form and transformation: the form that comes out; -1: not known yet.
  let results = TrivialList<Int32>(capacity: 512)
  /// By form: the last question that was put to it, and its answer.
  let asked = TrivialList<UInt32>(capacity: 64)
  let answers = TrivialList<Answer>(capacity: 64)
  let question = TrivialList<UInt32>(capacity: 1)

  enum Answer: UInt8, BitwiseCopyable { case no, yes, uncertain }

  init() { question.append(0) }

  func free() {
    views.free()
    classes.free()
    levels.free()
    ofNode.free()
    affected.free()
    results.free()
    asked.free()
    answers.free()
    question.free()
  }

  @inline(__always) func start(_ value: ByteView, _ kinds: ByteClass, transformations: Int) {
    views.removeAll()
    classes.removeAll()
    levels.removeAll()
    results.removeAll()
    asked.removeAll()
    answers.removeAll()
    add(value, kinds, transformations: transformations)
  }

  @inline(__always) func add(_ view: ByteView, _ kinds: ByteClass, transformations: Int) {
    views.append(view)
    classes.append(kinds)
    levels.append(kinds.rawValue & ~identifier == 0 ? 0 : kinds.rawValue & ~text == 0 ? 1 : 2)
    results.reserve(results.count + transformations, -1)
    asked.append(0)
    answers.append(.no)
  }

  /// A number that no form has been asked with.
  @inline(__always) func next() -> UInt32 {
    question[0] &+= 1
    if question[0] == 0 { question[0] = 1 }
    return question[0]
  }

  /// The form of the same bytes, or a new one.
  func find(_ view: ByteView, transformations: Int) -> Int32 {
    for form in 0..<views.count where views[form] == view { return Int32(truncatingIfNeeded: form) }
    add(view, view.classes, transformations: transformations)
    return Int32(truncatingIfNeeded: views.count - 1)
  }
}
