// A member of a rule's list of variables, compiled: which variable, which of its values, taken in, taken out or counted.

/// Which values of a variable are meant. Names compare without case, as in libmodsecurity 3.
enum Selector: Sendable {
  case all
  case name(ByteView)
  case regex(Regex)
  /// XML only: the expression is the name of the values it gives.
  case xpath(ByteView)

  func matches(_ name: ByteView, _ scratch: RegexScratch) -> Bool {
    switch self {
    case .all: true
    case .name(let wanted): wanted.equalsIgnoringCase(name)
    case .regex(let regex): regex.firstMatch(in: name, scratch) == .match
    case .xpath(let expression): expression == name
    }
  }
}

struct Target: Sendable {
  let variable: Variable
  let selector: Selector
  let isCount: Bool
  /// TX: the slot of a plain name; -1 otherwise.
  let slot: Int
  /// As the rule writes it, upper case: `REQUEST_HEADERS:User-Agent`.
  let text: String

  func matches(_ variable: Variable, _ name: ByteView, _ scratch: RegexScratch) -> Bool {
    self.variable == variable && selector.matches(name, scratch)
  }
}
