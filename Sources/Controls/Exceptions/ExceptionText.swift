// Changes of a file of exceptions that leave the rest of its text as it is: a record more, an approval. Whatever comes of it is
// read again by who calls this, and compared with what was meant, before it is written anywhere.

/// See the head of this file.
public enum ExceptionText {
  /// The text with a record more at its end.
  /// - Returns: nil where the text isn't a list in lines (`exceptions:` and items below).
  public static func adding(_ record: ExceptionRecord, to text: String) -> String? {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    while lines.last?.allSatisfy({ $0 == " " || $0 == "\r" }) == true { lines.removeLast() }
    if lines.isEmpty { lines = ["exceptions:"] }
    guard let head = lines.firstIndex(where: { $0.hasPrefix("exceptions:") }) else { return nil }
    let behind = lines[head].dropFirst("exceptions:".count).prefix { $0 != "#" }.filter {
      $0 != " " && $0 != "\r"
    }
    if behind == "[]" { lines[head] = "exceptions:" } else if !behind.isEmpty { return nil }
    let item = lines[(head + 1)...].first { line in
      line.drop { $0 == " " }.hasPrefix("- ")
    }
    let indent = String(repeating: " ", count: item?.prefix { $0 == " " }.count ?? 2)
    lines += record.lines(indent: indent, isItem: true)
    return lines.joined(separator: "\n") + "\n"
  }

  /// The text with another approval of a record.
  /// - Parameters:
  ///   - first: the record's first line, from 1.
  ///   - column: the column of its fields, from 1.
  ///   - end: the first line of what follows it, from 1; nil = nothing does.
  public static func approving(
    _ record: ExceptionRecord, in text: String, first: Int, column: Int, end: Int?
  ) -> String? {
    guard let approval = record.approvalLine, first >= 1, column >= 1 else { return nil }
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    var last = min((end ?? lines.count + 1) - 1, lines.count)
    guard first - 1 < last else { return nil }
    let indent = String(repeating: " ", count: column - 1)
    // An approval that is there already goes, with the lines below that belong to it.
    let isField = { (line: String) in
      line.hasPrefix(indent) && line.dropFirst(indent.count).hasPrefix("approved:")
    }
    if let old = lines[first..<last].firstIndex(where: isField) {
      var next = old + 1
      while next < last, lines[next].prefix(while: { $0 == " " }).count >= column, !lines[next].isEmpty {
        next += 1
      }
      lines.removeSubrange(old..<next)
      last -= next - old
    }
    // Blank lines and comments at the end belong to what follows.
    while last > first,
      lines[last - 1].drop(while: { $0 == " " || $0 == "\r" }).first.map({ $0 == "#" }) ?? true
    {
      last -= 1
    }
    lines.insert(indent + approval, at: last)
    return lines.joined(separator: "\n")
  }
}
