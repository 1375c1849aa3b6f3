// How far two names are apart, for faults that suggest the one that may be meant.

enum EditDistance {
  /// Levenshtein's distance of two names, ASCII case aside; of a long `name` only the beginning counts.
  static func between(_ name: String, _ known: String) -> Int {
    let (a, b) = (Array(name.lowercased().utf8.prefix(64)), Array(known.lowercased().utf8))
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, y) in b.enumerated() {
        let above = row[j + 1]
        row[j + 1] = x == y ? diagonal : min(diagonal, above, row[j]) + 1
        diagonal = above
      }
    }
    return row[b.count]
  }
}
