// What is gone and what couldn't be read: only the first is mended.

import Foundation
import GuardRules
import Testing

@testable import Governance

@Suite struct MissingInputsTests {
  private static let rules = "rule public { Resources.*.Properties.Closed == true }"
  private static let open = #"{"Resources":{"A":{"Type":"AWS::S3::Bucket","Properties":{"Closed":false}}}}"#

  private func write(_ path: String, _ text: String = open) throws {
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
  }

  @Test func onlyWhatIsNotThereIsGone() throws {
    let folder = try TestFolder()
    try write(folder.file("there.json"))
    // Also where the system can't say: a name that no folder takes, a file that can't be passed through.
    let long = folder.file(String(repeating: "x", count: 300))
    let known = [
      folder.file("there.json"), folder.file("gone.json"), folder.file("there.json/x.json"), long,
      folder.file("told.json"), folder.file("sub/x.json"), "/elsewhere/x.json",
    ]
    let missing = MissingInputs(
      known, told: [folder.file("told.json")], asked: [folder.path], unread: [folder.file("sub")])
    #expect(missing.gone == [folder.file("gone.json"), folder.file("there.json/x.json")])
    #expect(missing.untold == [folder.file("sub/x.json")])
  }

  private func check(_ folder: TestFolder, _ paths: [String]) throws -> CheckResult {
    try Check(try RuleSet(text: Self.rules, name: "t.guard"), now: 0).run(paths)
  }

  @Test func whatCanNotBeReadIsNamed() throws {
    let folder = try TestFolder()
    try write(folder.file("in/good.json"))
    try write(folder.file("in/broken.json"), "{ broken")
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("in/nowhere.json"), withDestinationPath: "/nowhere/x")
    let missing = folder.file("missing")
    let result = try check(folder, [folder.file("in"), missing])
    let unread = [folder.file("in/broken.json"), folder.file("in/nowhere.json"), missing]
    #expect(result.unread.sorted() == unread.sorted())
    // A folder that can't be listed, since it is too deep.
    try write(folder.file("in/" + String(repeating: "d/", count: 70) + "x.json"))
    try write(folder.file("other.json"))
    let deep = try check(folder, [folder.file("in"), folder.file("other.json")])
    #expect(deep.unread == [folder.file("in")] && deep.inputs == 1)
  }

  @Test func whatCouldNotBeReadIsMarkedAndNotMended() throws {
    let folder = try TestFolder()
    let history = try FindingHistory(folder.file("data"))
    let names = ["in/broken.json", "in/gone.json", "in/good.json"].map { folder.file($0) }
    for name in names { try write(name) }
    func keep(at: Int64) throws -> HistoryChange {
      let result = try check(folder, [folder.file("in")])
      let told = Set(result.results.map(\.input))
      let missing = MissingInputs(
        try history.unfixedInputs(source: "check"), told: told, asked: [folder.file("in")],
        unread: result.unread)
      var extra = RunExtra()
      (extra.gone, extra.untold) = (missing.gone, missing.untold)
      return try history.record(result, scope: told.sorted(), source: "check", at: at, extra)
    }
    #expect(try keep(at: 1).opened.count == 3)
    try write(names[0], "{ broken")
    try FileManager.default.removeItem(atPath: names[1])
    let change = try keep(at: 2)
    #expect(change.fixed.map(\.input) == [names[1]] && change.unseen.map(\.input) == [names[0]])
    try write(names[0])
    let after = try keep(at: 3)
    #expect(after.seenAgain.map(\.input) == [names[0]] && after.reopened.isEmpty)
  }
}
