// Half the memory for numbers that stay small: an issue's hot state is touched at every message, and with
// thousands of issues each cache line of it counts.

/// An `Int` kept in 32 bits; a number that doesn't fit stops the program.
@propertyWrapper
struct Narrow: Sendable {
  private var raw: Int32

  init(wrappedValue: Int) { raw = Int32(wrappedValue) }

  var wrappedValue: Int {
    get { Int(raw) }
    set { raw = Int32(newValue) }
  }
}

/// A `Double` kept in 32 bits, for what is only a weight.
@propertyWrapper
struct Rough: Sendable {
  private var raw: Float

  init(wrappedValue: Double) { raw = Float(wrappedValue) }

  var wrappedValue: Double {
    get { Double(raw) }
    set { raw = Float(newValue) }
  }
}
