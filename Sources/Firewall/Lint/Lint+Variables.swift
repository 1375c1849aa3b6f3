// Checks of TX variables that are read and never set, or set and never read.
//
// Names that are made at run time (`tx.%{rule.id}-x`) may be any that begin and end so. What only counts whether a
// variable is there (`&TX:x "@eq 0"`) is no reading that misses anything: rule sets ask for their options so. Scores are
// read by the log.

/// Where TX variables are written and read.
private struct VariableUses {
  /// By name in lower case: the first place.
  var set: [String: (place: Place, rule: Int)] = [:]
  var read: [String: (place: Place, rule: Int)] = [:]
  var order: [String] = []
  var counted: Set<String> = []
  /// What names that are made at run time begin and end with.
  var madeSet: [(prefix: String, suffix: String)] = []
  var patterns: [String] = []
  var readsAll = false

  mutating func noteSet(_ name: String, _ place: Place, _ rule: Int) {
    if set[name] == nil { set[name] = (place, rule) }
    if !order.contains(name) { order.append(name) }
  }
  mutating func noteRead(_ name: String, _ place: Place, _ rule: Int) {
    if read[name] == nil { read[name] = (place, rule) }
    if !order.contains(name) { order.append(name) }
  }

  /// `%{tx.name}` in a text.
  mutating func macros(in text: String, _ place: Place, _ rule: Int) {
    var rest = Array(text.lowercased().utf8)[...]
    let open = Array("%{tx".utf8)
    while let percent = rest.firstIndex(of: UInt8(ascii: "%")) {
      rest = rest[percent...]
      guard rest.starts(with: open), rest.count > open.count + 1,
        let close = rest.firstIndex(of: UInt8(ascii: "}"))
      else {
        rest = rest.dropFirst()
        continue
      }
      let name = rest[(percent + open.count)..<close]
      if name.first == Ascii.dot || name.first == Ascii.colon {
        noteRead(String(decoding: name.dropFirst(), as: UTF8.self), place, rule)
      }
      rest = rest[close...]
    }
  }

  /// `tx.name=value`, the name perhaps with macros in it.
  mutating func setting(_ text: String, _ place: Place, _ rule: Int) {
    let isRemoval = text.hasPrefix("!")
    var name = ""
    var depth = 0
    for character in text.dropFirst(isRemoval ? 1 : 0).lowercased() {
      if character == "{" { depth += 1 }
      if character == "}" { depth -= 1 }
      if character == "=", depth <= 0 { break }
      name.append(character)
    }
    guard name.hasPrefix("tx.") || name.hasPrefix("tx:"), !isRemoval else { return }
    name.removeFirst(3)
    if let open = name.firstIndex(of: "%"), let close = name.lastIndex(of: "}") {
      madeSet.append((String(name[..<open]), String(name[name.index(after: close)...])))
    } else {
      noteSet(name, place, rule)
    }
  }
}

extension Lint {
  /// Options of the Core Rule Set that are off where its set-up doesn't set them (crs-setup.conf, 3.3 and 4).
  private static let options: Set<String> = [
    "high_risk_country_codes", "block_search_ip", "block_spammer_ip", "block_suspicious_ip",
    "block_harvester_ip",
    "dos_burst_time_slice", "dos_counter_threshold", "dos_block_timeout", "crs_validate_utf8_encoding",
    "enable_default_collections", "crs_skip_response_analysis",
  ]

  mutating func checkVariables() {
    var uses = VariableUses()
    for rule in rules {
      for link in rule.draft.links {
        for action in link.actions {
          let argument = action.argument ?? ""
          uses.macros(in: argument, link.place, rule.id)
          if action.name.lowercased() == "setvar" {
            uses.setting(argument.trimmingQuotes, link.place, rule.id)
          }
        }
        guard let syntax = link.syntax else { continue }
        uses.macros(in: syntax.operation.argument, link.place, rule.id)
        for target in syntax.targets where target.mode != .exclude && target.collection.lowercased() == "tx" {
          switch target.selector {
          case .all: uses.readsAll = true
          case .name(let name):
            if target.mode == .count {
              uses.counted.insert(name.lowercased())
            } else {
              uses.noteRead(name.lowercased(), link.place, rule.id)
            }
          case .regex(let pattern): uses.patterns.append(pattern)
          case .xpath: break
          }
        }
      }
    }
    let patterns = uses.patterns.compactMap {
      try? Regex(Array("(?i)\($0)".utf8), options: policy.regexOptions)
    }
    let scratch = RegexScratch()
    func isReadByPattern(_ name: String) -> Bool {
      Array(name.utf8).withUnsafeBytes { raw in
        patterns.contains { $0.firstMatch(in: ByteView(raw), scratch) == .match }
      }
    }
    for name in uses.order {
      if name.count == 1, let digit = name.utf8.first, digit &- 48 < 10 { continue }
      if let (place, rule) = uses.read[name], uses.set[name] == nil {
        if uses.counted.contains(name) || Lint.options.contains(name) { continue }
        if uses.madeSet.contains(where: { name.hasPrefix($0.prefix) && name.hasSuffix($0.suffix) }) {
          continue
        }
        warn(
          .neverSet, rules.first { $0.id == rule }, at: place, "TX:\(name) is read, and no rule sets it",
          "a setvar before, or another name")
      } else if let (place, rule) = uses.set[name], uses.read[name] == nil, !uses.counted.contains(name) {
        if uses.readsAll || name.contains("anomaly_score") || isReadByPattern(name) { continue }
        warn(
          .neverRead, rules.first { $0.id == rule }, at: place, "TX:\(name) is set, and nothing reads it",
          "the setvar taken out, or a rule that reads it")
      }
    }
  }
}
