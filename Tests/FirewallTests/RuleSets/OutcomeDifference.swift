// Two outcomes of one request compared: rule by rule, with value, place, captures (as they show in messages), scores and
// notes.
//
// Two things may differ by design (docs/RATIONALE.md, "Long values are searched within a bound"): of a value
// longer than 2 KiB only the fact of the match is compared, and where a pattern of the plain evaluation has reached its
// limit there is no certain answer to compare with.

import Firewall

enum OutcomeDifference {
  static let longValueBytes = 2048

  /// Nil where they are equal.
  static func between(plain: EngineOutcome, fast: EngineOutcome, isLong: Bool) -> String? {
    // A long value in pieces can meet the limit where the whole doesn't, and the other way round.
    if (plain.notes + fast.notes).contains(where: { $0.contains("SecPcreMatchLimit") }) { return nil }
    let (a, b) = (plain.matches.map { text($0, isLong) }, fast.matches.map { text($0, isLong) })
    if a != b {
      let place =
        zip(a, b).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? min(a.count, b.count)
      return """
        match \(place) of \(a.count) and \(b.count):
          plain: \(place < a.count ? a[place] : "none")
          fast:  \(place < b.count ? b[place] : "none")
        """
    }
    if plain.score != fast.score { return "score \(plain.score) and \(fast.score)" }
    if plain.notes != fast.notes { return "notes \(plain.notes) and \(fast.notes)" }
    if plain.wouldBlock != fast.wouldBlock {
      return "wouldBlock \(String(describing: plain.wouldBlock)) and \(String(describing: fast.wouldBlock))"
    }
    if plain.interventions != fast.interventions {
      return "interventions \(plain.interventions) and \(fast.interventions)"
    }
    return nil
  }

  private static func text(_ match: RuleMatch, _ isLong: Bool) -> String {
    var text = "\(match.rule) \(match.phase) \(match.variable) \(match.severity) \(match.scores)"
    text += " \(match.place) \(match.tags.count) \(match.logged) \(match.transformations)"
    if isLong { return text }
    text += " \(match.offset)+\(match.length) \(match.message) | \(match.data) | "
    return text + String(decoding: match.value.prefix(200), as: UTF8.self) + " #\(match.value.hashValue)"
  }
}
