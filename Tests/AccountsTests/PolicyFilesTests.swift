// Policies in a folder: of an earlier run what is still as it was written goes, and nothing else.

import Foundation
import Testing

@testable import Controls
@testable import Governance

@Suite struct PolicyFilesTests {
  private func with(_ body: (String, PolicyFiles) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kabuto-\(UUID().uuidString)")
      .path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder, PolicyFiles(folder))
  }

  private func policies(_ count: Int, _ action: String = "s3:*") -> [GeneratedPolicy] {
    (0..<count).map {
      GeneratedPolicy(
        name: "kabuto-catalogue-\($0 + 1)",
        document: PolicyDocument([PolicyStatement(.deny, ["\(action)\($0)"])]))
    }
  }

  private func names(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).filter { !$0.hasPrefix(".") }.sorted()
  }

  private func write(_ text: String, _ path: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
  }

  @Test func aShorterRunLeavesNothingOfALongerOne() throws {
    try with { folder, files in
      let first = try files.write(policies(4))
      #expect(first.paths.count == 4 && first.removed.isEmpty && first.kept.isEmpty)
      try write("mine", folder + "/notes.json")
      try write("mine", folder + "/README")
      let second = try files.write(policies(2, "ec2:*"))
      #expect(
        second.paths.map { ($0 as NSString).lastPathComponent } == [
          "kabuto-catalogue-1.json", "kabuto-catalogue-2.json",
        ])
      #expect(
        second.removed.map { ($0 as NSString).lastPathComponent } == [
          "kabuto-catalogue-3.json", "kabuto-catalogue-4.json",
        ])
      #expect(second.kept.isEmpty)
      #expect(
        try names(folder) == ["README", "kabuto-catalogue-1.json", "kabuto-catalogue-2.json", "notes.json"])
      #expect(
        try String(contentsOfFile: folder + "/kabuto-catalogue-1.json", encoding: .utf8).contains("ec2:*0"))
      #expect(try files.write(policies(3)).paths.count == 3)
      #expect(try files.write([]).removed.count == 3)
      #expect(try names(folder) == ["README", "notes.json"])
    }
  }

  @Test func whatWasChangedOrIsNotListedStaysAndIsTold() throws {
    try with { folder, files in
      _ = try files.write(policies(3))
      try write("by hand", folder + "/kabuto-catalogue-2.json")
      try write("of an older program", folder + "/kabuto-catalogue-9.json")
      // A name that leads elsewhere isn't followed.
      try FileManager.default.removeItem(atPath: folder + "/kabuto-catalogue-3.json")
      try write(policies(3)[2].document.text, folder + "/elsewhere")
      try FileManager.default.createSymbolicLink(
        atPath: folder + "/kabuto-catalogue-3.json", withDestinationPath: folder + "/elsewhere")
      let again = try files.write(policies(1))
      #expect(again.removed.isEmpty)
      #expect(again.kept.count == 3)
      #expect(again.kept[0].contains("kabuto-catalogue-2.json: of an earlier run, and changed since"))
      #expect(again.kept[2].contains("kabuto-catalogue-9.json: not of this run"))
      #expect(try names(folder).count == 5)
      #expect(try String(contentsOfFile: folder + "/kabuto-catalogue-2.json", encoding: .utf8) == "by hand")
    }
  }

  /// Ended before, between or after any of its files, the next run knows what both wrote.
  @Test func aRunThatWasEndedIsCleanedUpAfter() throws {
    for written in 0...4 {
      try with { folder, files in
        _ = try files.write(policies(2, "old:*"))
        let list = folder + "/" + PolicyFiles.listName
        let before = try String(contentsOfFile: list, encoding: .utf8)
        _ = try files.write(policies(4))
        let after = try String(contentsOfFile: list, encoding: .utf8)
        // As it is in the middle: the list has both, some files are new.
        try write(after + before, list)
        for number in written..<4 {
          let path = folder + "/kabuto-catalogue-\(number + 1).json"
          if number < 2 {
            try write(policies(2, "old:*")[number].document.text, path)
          } else {
            try FileManager.default.removeItem(atPath: path)
          }
        }
        let last = try files.write(policies(1, "new:*"))
        #expect(last.kept.isEmpty, "\(written)")
        #expect(try names(folder) == ["kabuto-catalogue-1.json"], "\(written)")
      }
    }
  }

  @Test func aListThatIsNotOursIsAFault() throws {
    let hash = String(repeating: "a", count: 64)
    for line in [
      "x", "\(hash)  ../kabuto-x.json", "\(hash)  notes.json", "\(hash.uppercased())  kabuto-x.json",
      "\(hash) kabuto-x.json",
    ] {
      try with { folder, files in
        _ = try files.write(policies(1))
        try write("\(line)\n", folder + "/" + PolicyFiles.listName)
        let told = #expect(throws: GovernanceFaults.self) { _ = try files.write(policies(2)) }
        #expect(told?.description.contains("\(PolicyFiles.listName):1: found") == true, "\(line)")
        #expect(try names(folder).count == 1)
      }
    }
  }
}
