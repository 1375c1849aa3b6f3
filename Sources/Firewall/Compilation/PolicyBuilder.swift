// From directives to a policy: settings read, chains joined, exclusions and updates applied to the whole set, then every
// rule compiled. All faults are collected; a policy comes out only if there is none.
// Owner: one thread, for the length of a compilation.

struct PolicyBuilder {
  var options: PolicyOptions
  let bytes = Arena()
  var faults: [RuleFault] = []
  var notes: [String] = []
  /// On where nothing is said: whoever runs the rules (a proxy's mode) decides then.
  var engine = EngineMode.on
  var bodies = BodySettings()
  var collectionTimeoutSeconds: Int64 = 3600
  var webAppID = ""
  /// By phase: what `SecDefaultAction` said last.
  var defaults: [Int: [ActionSyntax]] = [:]
  private var defaultPlaces: [Int: Place] = [:]
  var changes = RuleChanges()
  var drafts: [RuleDraft] = []
  private(set) var slots: [String: Int] = [:]
  private(set) var slotNames: [ByteView] = []
  var xpaths: [ByteView] = []
  var xmlNamespaces: [(prefix: String, uri: String)] = []
  var uses = VariableUse()
  /// With SecUnicodeMapFile's map, where there is one.
  var urlDecodeUni = Transformation.urlDecodeUni
  /// Expressions of selectors, which targets only point to.
  var selectors: [Regex] = []
  /// Those of TX, in the order of their lists of slots.
  var slotSelectors: [Regex] = []

  init(options: PolicyOptions) {
    self.options = options
    // As libmodsecurity 3 does where nothing is said.
    bodies.requestBodyAccess = true
    // TX:0 to TX:9 are the captures: slots 0 to 9.
    for digit in 0...9 { _ = slot("\(digit)") }
    _ = slot("msc_pcre_limits_exceeded")
  }

  mutating func fault(_ place: Place, found: String, wanted: String) {
    faults.append(RuleFault(place: place, found: found, wanted: wanted))
  }

  /// The slot of a TX variable, made where it is new.
  mutating func slot(_ name: String) -> Int {
    let key = name.lowercased()
    if let slot = slots[key] { return slot }
    slots[key] = slotNames.count
    slotNames.append(bytes.copy(key))
    return slotNames.count - 1
  }
}

extension Policy {
  /// Compiles directives, in the order of their files.
  /// - Throws: all faults of the set.
  public static func compile(
    _ directives: [DirectiveSyntax], options: PolicyOptions = PolicyOptions()
  ) throws(RuleFaults) -> Policy {
    var builder = PolicyBuilder(options: options)
    builder.read(directives)
    builder.applyChanges()
    let policy = builder.finish()
    guard builder.faults.isEmpty else { throw RuleFaults(builder.faults) }
    return policy
  }
}

/// One `SecRule` or `SecAction` before it is compiled, with the links of its chain.
struct RuleDraft {
  var links: [LinkDraft]
  var id = 0
  var phase = 2
  /// `SecMarker`: a place to skip to, not a rule.
  var marker: String?
  /// What SecDefaultAction said for its phase when it was read.
  var defaults: [ActionSyntax] = []
  var place: Place

  var tags: [String] { links.first?.tags ?? [] }
}

struct LinkDraft {
  var place: Place
  /// Nil: SecAction.
  var syntax: RuleSyntax?
  var actions: [ActionSyntax]

  var tags: [String] {
    actions.filter { $0.name.lowercased() == "tag" }.compactMap(\.argument)
  }
  var message: String? { argument("msg") }
  func argument(_ name: String) -> String? {
    actions.last { $0.name.lowercased() == name }.flatMap(\.argument)
  }
  func has(_ name: String) -> Bool { actions.contains { $0.name.lowercased() == name } }
}

extension PolicyBuilder {
  /// Settings, rules and markers, in order.
  mutating func read(_ directives: [DirectiveSyntax]) {
    var openChain = false
    for directive in directives {
      switch directive.kind {
      case .setting(let name, let arguments):
        setting(name, arguments, at: directive.place)
      case .marker(let name):
        closeChain(&openChain, at: directive.place)
        var draft = RuleDraft(links: [], place: directive.place)
        draft.marker = name
        drafts.append(draft)
      case .defaultAction(let actions):
        setDefault(actions, at: directive.place)
      case .rule(let syntax):
        add(LinkDraft(place: directive.place, syntax: syntax, actions: syntax.actions), &openChain)
      case .action(let actions):
        add(LinkDraft(place: directive.place, syntax: nil, actions: actions), &openChain)
      }
    }
    if openChain, let last = drafts.last {
      fault(last.place, found: "a chain without its last rule", wanted: "a rule after the one with `chain`")
    }
  }

  private mutating func closeChain(_ openChain: inout Bool, at place: Place) {
    if openChain {
      fault(place, found: "a marker inside a chain", wanted: "the next rule of the chain")
      openChain = false
    }
  }

  private mutating func add(_ link: LinkDraft, _ openChain: inout Bool) {
    if openChain, !drafts.isEmpty {
      for name in ["id", "phase", "deny", "drop", "block", "redirect", "allow", "skipafter", "skip"]
      where link.has(name) {
        if name == "id" || name == "phase" || name == "skipafter" || name == "skip" { continue }
        fault(
          link.place, found: "`\(name)` in a later rule of a chain",
          wanted: "disruptive actions in the first rule of the chain")
      }
      drafts[drafts.count - 1].links.append(link)
    } else {
      var draft = RuleDraft(links: [link], place: link.place)
      draft.phase = phase(of: link)
      draft.defaults = defaults[draft.phase] ?? []
      if let text = link.argument("id") {
        if let id = Int(text), id > 0 {
          draft.id = id
        } else {
          fault(link.place, found: "id \"\(text)\"", wanted: "a positive number")
        }
      } else {
        fault(link.place, found: "a rule without an id", wanted: "an id of its own, as in \"id:1000\"")
      }
      drafts.append(draft)
    }
    openChain = link.has("chain")
  }

  private mutating func phase(of link: LinkDraft) -> Int {
    guard let text = link.argument("phase") else { return 2 }
    switch text.lowercased() {
    case "request": return 2
    case "response": return 4
    case "logging": return 5
    default:
      if let number = Int(text), (1...5).contains(number) { return number }
      fault(link.place, found: "phase \"\(text)\"", wanted: "1 to 5, request, response or logging")
      return 2
    }
  }

  private mutating func setDefault(_ actions: [ActionSyntax], at place: Place) {
    let link = LinkDraft(place: place, syntax: nil, actions: actions)
    guard link.has("phase") else {
      fault(place, found: "SecDefaultAction without a phase", wanted: "a phase, as in \"phase:2,log,pass\"")
      return
    }
    for name in [
      "id", "chain", "msg", "skip", "skipafter", "rev", "ver", "severity", "logdata", "setvar", "ctl",
    ]
    where link.has(name) {
      fault(
        place, found: "`\(name)` in SecDefaultAction",
        wanted: "only phase, logging, transformations, tags and a disruptive action")
    }
    if !["pass", "deny", "drop", "redirect", "allow"].contains(where: link.has) {
      fault(
        place, found: "SecDefaultAction without a disruptive action",
        wanted: "one of pass, deny, drop, redirect, allow")
    }
    let phase = phase(of: link)
    if let other = defaultPlaces.updateValue(place, forKey: phase) {
      fault(
        place, found: "SecDefaultAction for phase \(phase) a second time",
        wanted: "one for each phase; \(other) has it")
    }
    defaults[phase] = actions.filter { $0.name.lowercased() != "phase" }
  }
}
