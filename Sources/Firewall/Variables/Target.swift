// A member of a rule's list of variables, compiled: which variable, which of its values, taken in, taken out or counted.
// Names compare without case, as in libmodsecurity 3.

struct Target: BitwiseCopyable, Sendable {
  enum Selector: UInt8, Sendable {
    case all, name, regex
    /// XML only: the expression is the name of the values it gives.
    case xpath
  }
  let variable: Variable
  let selector: Selector
  let isCount: Bool
  /// TX: the slot of a plain name; -1 otherwise.
  let slot: Int
  /// TX with a regular expression: which of the policy's lists of slots it stands for; -1 otherwise.
  var slotList = -1
  /// The name or the expression; empty for all values.
  let name: ByteView
  /// Kept alive by the policy.
  let regex: Unmanaged<Regex>?

  @inline(__always)
  func selects(_ name: ByteView, _ scratch: RegexScratch) -> Bool {
    switch selector {
    case .all: true
    case .name: self.name.equalsIgnoringCase(name)
    case .regex: regex?._withUnsafeGuaranteedRef { $0.matches(name, scratch) } ?? false
    case .xpath: self.name == name
    }
  }

  @inline(__always)
  func matches(_ variable: Variable, _ name: ByteView, _ scratch: RegexScratch) -> Bool {
    self.variable == variable && selects(name, scratch)
  }
}
