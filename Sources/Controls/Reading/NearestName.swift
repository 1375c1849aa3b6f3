// The name that was probably meant.

/// See the head of this file.
public enum NearestName {
  /// The nearest of some names by exchanged, missing and superfluous characters; nil = none is near.
  public static func of(_ word: String, in names: some Sequence<String>) -> String? {
    let most = max(1, min(3, word.count / 3))
    var best: (name: String, distance: Int)?
    for name in names {
      let distance = Self.distance(word.lowercased(), name.lowercased())
      if distance <= most, distance < best?.distance ?? Int.max { best = (name, distance) }
    }
    return best?.name
  }

  /// `; did you mean "x"?`, or nothing.
  static func hint(_ word: String, in names: some Sequence<String>) -> String {
    of(word, in: names).map { "; did you mean \"\($0)\"?" } ?? ""
  }

  /// Edits between two texts, two exchanged neighbours counted as one (optimal string alignment).
  private static func distance(_ one: String, _ other: String) -> Int {
    let (a, b) = (Array(one.unicodeScalars.prefix(64)), Array(other.unicodeScalars.prefix(64)))
    var before: [Int] = []
    var last = Array(0...b.count)
    for i in 0..<a.count {
      var row = [i + 1]
      for j in 0..<b.count {
        var least = min(row[j] + 1, last[j + 1] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, before[j - 1] + 1) }
        row.append(least)
      }
      (before, last) = (last, row)
    }
    return last[b.count]
  }
}
