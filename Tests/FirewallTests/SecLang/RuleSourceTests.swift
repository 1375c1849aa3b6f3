// Files that include files.

import Firewall
import Testing

@Suite struct RuleSourceTests {
  static func read(_ files: [String: String], _ paths: [String] = ["/r/main.conf"]) -> RuleSource {
    RuleSource(paths: paths, loader: MemoryLoader(files: files))
  }

  static func markers(_ source: RuleSource) -> [String] {
    source.directives.map { directive in
      guard case .marker(let name) = directive.kind else { return "\(directive.kind)" }
      return "\(directive.place) \(name)"
    }
  }

  @Test func includedFilesStandWhereTheyAreNamedInAlphabeticalOrder() {
    let source = Self.read([
      "/r/main.conf": "SecMarker 1\nInclude rules/*.conf\nIncludeOptional none/*.conf\nSecMarker 2\n",
      "/r/rules/b.conf": "SecMarker b",
      "/r/rules/a.conf": "SecMarker a\nInclude ../x.conf",
      "/r/rules/../x.conf": "SecMarker x",
      "/r/rules/c.data": "not a rule",
    ])
    #expect(source.faults == [])
    #expect(
      Self.markers(source) == [
        "/r/main.conf:1 1", "/r/rules/a.conf:1 a", "/r/rules/../x.conf:1 x", "/r/rules/b.conf:1 b",
        "/r/main.conf:4 2",
      ])
    #expect(source.files == ["/r/main.conf", "/r/rules/a.conf", "/r/rules/../x.conf", "/r/rules/b.conf"])
  }

  @Test func faultsOfAllFilesAreReportedWithTheirPlaces() {
    let source = Self.read([
      "/r/main.conf": "Include gone.conf\nInclude rules/*.conf\nInclude none*.conf\nSecMarker",
      "/r/rules/a.conf": "SecMarker\nInclude \"../main.conf\"\nInclude",
    ])
    #expect(
      source.faults.map(\.description) == [
        "/r/main.conf:4: error: SecMarker with 0 arguments; it takes 1, in double quotes where it holds blanks",
        "/r/main.conf:1: error: `/r/gone.conf` can't be read: no such file; name a file that is there and may be"
          + " read",
        "/r/rules/a.conf:1: error: SecMarker with 0 arguments; it takes 1, in double quotes where it holds blanks",
        "/r/rules/a.conf:3: error: Include with 0 arguments; it takes 1, in double quotes where it holds blanks",
        "/r/rules/a.conf:2: error: `/r/rules/../main.conf` includes itself, by way of 2 files; take one of the"
          + " Include lines out",
        "/r/main.conf:3: error: no file matches `/r/none*.conf`; name files that are there, or write"
          + " IncludeOptional",
      ])
  }

  @Test func depthAndNumberOfFilesAreBounded() {
    var deep: [String: String] = [:]
    for level in 0...40 { deep["/\(level)"] = "Include \(level + 1)" }
    #expect(
      Self.read(deep, ["/0"]).faults.map(\.description) == [
        "/31:1: error: files that include one another more than 32 deep; include them side by side"
      ])
    // Each file includes the next one twice: a million files, were they not counted.
    var wide: [String: String] = ["/20": "SecMarker x"]
    for level in 0..<20 { wide["/\(level)"] = "Include \(level + 1)\nInclude \(level + 1)" }
    let source = Self.read(wide, ["/0"])
    #expect(source.files.count == RuleSource.fileLimit)
    #expect(source.faults.map(\.found) == ["more than 2000 files"])
  }
}
