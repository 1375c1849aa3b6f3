// SecRuleRemoveBy…, SecRuleUpdateTargetBy… and SecRuleUpdateActionById: what a set says about rules elsewhere in it.
// Applied to the whole set before compiling, wherever they stand (in libmodsecurity 3 too, they act on rules read later).

/// Which rules a change is about.
enum RuleSelection {
  case ids([ClosedRange<Int>])
  case tag(String)
  case message(String)

  func matches(_ draft: RuleDraft) -> Bool {
    switch self {
    case .ids(let ranges): ranges.contains { $0.contains(draft.id) }
    case .tag(let tag): draft.tags.contains(tag)
    case .message(let message): draft.links.first?.message == message
    }
  }
}

struct RuleChanges {
  var removals: [(selection: RuleSelection, place: Place)] = []
  var targets: [(selection: RuleSelection, targets: [TargetSyntax], replaced: [TargetSyntax], place: Place)] =
    []
  var actions: [(id: Int, link: Int, actions: [ActionSyntax], place: Place)] = []
}

extension PolicyBuilder {
  /// `1 2 5-10` and `942100`; nil and a fault where it is something else.
  mutating func ranges(_ text: String, at place: Place) -> [ClosedRange<Int>]? {
    var result: [ClosedRange<Int>] = []
    for word in text.split(whereSeparator: { $0 == " " || $0 == "," || $0 == "\t" }) {
      let ends = word.split(separator: "-", maxSplits: 1).map { Int($0) }
      if ends.count == 1, let one = ends[0] {
        result.append(one...one)
      } else if ends.count == 2, let low = ends[0], let high = ends[1], low <= high {
        result.append(low...high)
      } else {
        fault(
          place, found: "\"\(word)\" as rule ids",
          wanted: "a number or a range, as in 942100 or 942000-942999")
        return nil
      }
    }
    if result.isEmpty {
      fault(place, found: "no rule id", wanted: "a number or a range, as in 942100 or 942000-942999")
      return nil
    }
    return result
  }

  mutating func applyChanges() {
    for removal in changes.removals {
      drafts.removeAll { $0.marker == nil && removal.selection.matches($0) }
    }
    for change in changes.targets {
      for index in drafts.indices where drafts[index].marker == nil && change.selection.matches(drafts[index])
      {
        drafts[index].links[0].syntax?.targets.removeAll { change.replaced.contains($0) }
        drafts[index].links[0].syntax?.targets.append(contentsOf: change.targets)
      }
    }
    for change in changes.actions {
      var isFound = false
      for index in drafts.indices where drafts[index].marker == nil && drafts[index].id == change.id {
        guard drafts[index].links.indices.contains(change.link) else { continue }
        isFound = true
        update(&drafts[index].links[change.link], with: change.actions)
      }
      if !isFound { notes.append("\(change.place): no rule \(change.id) to update") }
    }
  }

  /// New actions take the place of those of their kind; of what may stand several times (tags, `t`, `setvar`, `ctl`) they
  /// are added.
  private func update(_ link: inout LinkDraft, with actions: [ActionSyntax]) {
    let several: Set<String> = ["tag", "t", "setvar", "ctl", "expirevar", "initcol", "setenv", "xmlns"]
    let disruptive: Set<String> = ["pass", "deny", "drop", "block", "redirect", "allow"]
    let logging: Set<String> = ["log", "nolog"]
    for action in actions {
      let name = action.name.lowercased()
      if disruptive.contains(name) {
        link.actions.removeAll { disruptive.contains($0.name.lowercased()) }
      } else if logging.contains(name) {
        link.actions.removeAll { logging.contains($0.name.lowercased()) }
      } else if !several.contains(name) {
        link.actions.removeAll { $0.name.lowercased() == name }
      }
      link.actions.append(action)
    }
  }
}
