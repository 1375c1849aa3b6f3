// One request and its response on their way through the rules.
//
// The calls come in this order, each once: request line and headers, body, response headers, body, finish. What isn't
// there is left out (a refused request goes from headers to finish). Request line and headers are copied; the bytes of
// bodies must stay until the transaction is recycled.
// Owner: one thread.

/// A request on its way through the rules; see the head of this file.
public final class Transaction {
  let arena = Arena()
  let scratch: OperatorScratch
  var regex: RegexScratch { scratch.regex }
  var policy = Policy()
  var scan: ScanScratch?
  var connection = ConnectionFacts(clientAddress: "", clientPort: 0, serverAddress: "", serverPort: 0)
  var id = ""
  /// Nanoseconds since 1970 at the start, and at the newest call that told the time.
  var started: Int64 = 0
  var now: Int64 = 0
  var random: UInt64 = 0
  var isEnforcing = false
  var engine = EngineMode.off

  // MARK: Variables

  /// Values by variable.
  let values = ValueTable()
  /// TX by slot; a count of -1 means unset.
  let slots = TrivialList<ByteView>(capacity: 256)
  /// TX variables whose names were made at run time.
  let extras = TrivialList<Argument>()
  let environment = TrivialList<Argument>()
  /// MATCHED_VARS of the rule at hand and its chain.
  let matched = TrivialList<MatchedVariable>()
  /// Keys of the collections that were opened.
  var openCollections: [(variable: Variable, key: [UInt8])] = []
  var identity: (user: ByteView, session: ByteView, resource: ByteView) = (.empty, .empty, .empty)
  var content = BodyContent()

  // MARK: What rules changed about the rest

  var exceptions = RuleExceptions()
  var bodyProcessor: BodyProcessorKind?
  var forcesRequestBody = false
  /// The body, or the number of arguments, is such that the rules don't see all of it.
  var hasBodyError = false
  var hasTooManyArguments = false
  var requestBodyAccess = false
  var responseBodyAccess = false
  var allowed: AllowScope?

  // MARK: The walk

  let hits = TrivialList<Hit>(capacity: 256)
  /// By position in the phase: the rule's first and last hit; -1: none.
  let hitHeads = TrivialList<Int32>(capacity: 512)
  let hitTails = TrivialList<Int32>(capacity: 512)
  let candidates = TrivialList<UInt64>()
  let scannedGroups = TrivialList<Bool>()
  let forms = FormTable()
  let pieces = TrivialList<ByteView>(capacity: 64)
  var phase = 0

  // MARK: Outcome

  /// Rules that matched, in order; those with `nolog` only where all are kept.
  public internal(set) var matches: [RuleMatch] = []
  /// What would have been done, were the rules enforced.
  public internal(set) var wouldBlock: Intervention?
  /// Limits that were hit and other things that make the answer less than certain, for the log.
  public internal(set) var notes: [String] = []
  /// Keeps matches of rules with `nolog` too: for people who tune.
  public var keepsAllMatches = false
  /// Where to note what rules cost; nil, as it is but for people who tune: nowhere.
  public var profile: RuleProfile?
  var pending: Intervention?
  var highestSeverity = 255
  var scores: [(name: String, added: Int)] = []
  var limitsExceeded = false
  /// Whether the operator's last answer is one that a limit cut short.
  var gaveUp = false
  /// The rule whose texts are being expanded.
  var currentRule: CompiledRule?

  init() {
    scratch = OperatorScratch(arena: arena)
  }

  deinit {
    values.free()
    slots.free()
    extras.free()
    environment.free()
    matched.free()
    hits.free()
    hitHeads.free()
    hitTails.free()
    candidates.free()
    scannedGroups.free()
    forms.free()
    pieces.free()
  }

  /// What a TX slot holds that isn't set.
  static var unset: ByteView { ByteView(start: ByteView.empty.start, count: -1) }

  func start(
    policy: Policy, scan: ScanScratch?, connection: ConnectionFacts, id: String, now: Int64, random: UInt64,
    enforcing: Bool
  ) {
    self.policy = policy
    self.scan = scan
    self.connection = connection
    self.id = id
    started = now
    self.now = now
    self.random = random
    isEnforcing = enforcing
    engine = policy.engine
    requestBodyAccess = policy.bodies.requestBodyAccess
    responseBodyAccess = policy.bodies.responseBodyAccess
    slots.fill(Transaction.unset, count: policy.slotNames.count)
    scalar(.uniqueID, arena.copy(id))
    let client = arena.copy(connection.clientAddress)
    scalar(.remoteAddr, client)
    scalar(.remoteHost, client)
    scalar(.remotePort, decimal(connection.clientPort))
    scalar(.serverAddr, arena.copy(connection.serverAddress))
    scalar(.serverPort, decimal(connection.serverPort))
    scalar(.webAppID, arena.copy(policy.webAppID))
    scalar(.urlencodedError, ByteView("0"))
    scalar(.modsecBuild, ByteView("kabuto"))
  }

  /// Back to nothing; the memory stays.
  func forget() {
    values.removeAll()
    slots.removeAll()
    extras.removeAll()
    environment.removeAll()
    matched.removeAll()
    openCollections.removeAll(keepingCapacity: true)
    identity = (.empty, .empty, .empty)
    content.clear()
    exceptions.clear()
    bodyProcessor = nil
    forcesRequestBody = false
    hasBodyError = false
    hasTooManyArguments = false
    allowed = nil
    hits.removeAll()
    hits.trim(above: 4096)
    phase = 0
    matches.removeAll(keepingCapacity: true)
    wouldBlock = nil
    notes.removeAll(keepingCapacity: true)
    keepsAllMatches = false
    profile = nil
    pending = nil
    highestSeverity = 255
    scores.removeAll(keepingCapacity: true)
    limitsExceeded = false
    scratch.captures.removeAll()
    scratch.limitExceeded = false
    arena.reset()
  }

  // MARK: - The calls, in order

  /// Phase 1. `uri` as sent (origin-form or absolute), `version` as sent (`HTTP/1.1`).
  public func request(method: ByteView, uri: ByteView, version: ByteView, headers: [Field]) -> Intervention? {
    readRequest(method: method, uri: uri, version: version, headers: headers)
    return run(phase: 1)
  }

  /// Whether the rules want the body (SecRequestBodyAccess, ctl:requestBodyAccess), known after phase 1.
  public var wantsRequestBody: Bool { engine != .off && requestBodyAccess }

  /// Phase 2, always run. `isComplete` is false where the body was longer than its limit and this is the first part.
  public func requestBody(_ body: ByteView, isComplete: Bool) -> Intervention? {
    if engine != .off { readRequestBody(body, isComplete: isComplete) }
    if let intervention = run(phase: 2) { return intervention }
    guard engine != .off, hasBodyError, policy.deniesUnreadableBodies, wouldBlock == nil, allowed == nil
    else {
      return nil
    }
    // No rule looks at REQBODY_ERROR: what can't be read isn't let pass for that.
    let intervention = Intervention(kind: .deny(status: 400), rule: 0, phase: 2)
    wouldBlock = intervention
    return isEnforcing && engine == .on ? intervention : nil
  }

  /// Phase 3.
  public func response(status: Int, version: ByteView, headers: [Field]) -> Intervention? {
    readResponse(status: status, version: version, headers: headers)
    return run(phase: 3)
  }

  /// Whether the rules want the response's body (access and media type), known after phase 3.
  public var wantsResponseBody: Bool {
    guard engine != .off, responseBodyAccess, let type = values[.responseContentType].first?.value else {
      return false
    }
    return policy.bodies.responseBodyTypes.contains(type.text.lowercased())
  }

  /// Phase 4, always run.
  public func responseBody(_ body: ByteView, isComplete: Bool) -> Intervention? {
    scalar(.outboundDataError, isComplete ? ByteView("0") : ByteView("1"))
    if !isComplete {
      notes.append(
        "the response's body is longer than SecResponseBodyLimit: only its beginning was inspected")
    }
    if engine != .off, !body.isEmpty {
      scalar(.responseBody, body)
      // What the backend said about its length may be missing or wrong.
      if isComplete { scalar(.responseContentLength, decimal(body.count)) }
    }
    return run(phase: 4)
  }

  /// Phase 5: logging rules, persistent collections. `now` in nanoseconds since 1970.
  public func finish(now: Int64) {
    self.now = now
    _ = run(phase: 5)
    if scratch.limitExceeded || limitsExceeded {
      notes.append("a pattern reached SecPcreMatchLimit: its rule's answer isn't certain")
    }
  }

  /// The request's anomaly score, as the rule set counts it: its blocking score, or that of its paranoia levels.
  public var score: Int { score(policy.scoreSlots.inbound) }

  /// The response's anomaly score, as the rule set counts it.
  public var outboundScore: Int { score(policy.scoreSlots.outbound) }

  private func score(_ places: ScoreSlots) -> Int {
    for slot in places.totals {
      if let value = number(slot), value != 0 { return Int(clamping: value) }
    }
    var sum: Int64 = 0
    for names in places.levels {
      for slot in names {
        guard let value = number(slot) else { continue }
        sum &+= value
        break
      }
    }
    return Int(clamping: sum)
  }

  /// The number in a TX variable; nil where it isn't set.
  public func number(_ name: String) -> Int64? {
    policy.slots[name].flatMap(number)
  }

  private func number(_ slot: Int) -> Int64? {
    slot < slots.count && slots[slot].count >= 0 ? slots[slot].leadingInteger : nil
  }

  /// A TX variable as text, for people who tune.
  public func variable(_ name: String) -> String? {
    guard let slot = policy.slots[name.lowercased()], slot < slots.count, slots[slot].count >= 0
    else {
      return extras.first { $0.name.text == name.lowercased() }?.value.text
    }
    return slots[slot].text
  }
}

extension Transaction {
  /// A variable of one value.
  func scalar(_ variable: Variable, _ value: ByteView) {
    values[variable].removeAll()
    values[variable].append(Argument(name: .empty, value: value))
  }

  func decimal(_ number: some BinaryInteger) -> ByteView {
    var value = Int64(clamping: number)
    let isNegative = value < 0
    return arena.build(20) { place in
      var digits = 0
      repeat {
        place[digits] = UInt8(48 + abs(Int(value % 10)))
        digits += 1
        value /= 10
      } while value != 0
      if isNegative {
        place[digits] = UInt8(ascii: "-")
        digits += 1
      }
      for index in 0..<digits / 2 { swap(&place[index], &place[digits - 1 - index]) }
      return digits
    }
  }
}
