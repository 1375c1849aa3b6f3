// Which files a folder means, and where in its resource a value stands.

import Foundation
import GuardRules
import Resources
import TestChance
import Testing

@testable import Governance

@Suite struct InputListTests {
  @Test func linkedFoldersAreLookedAtAndCirclesEnd() throws {
    let folder = try TestFolder()
    let manager = FileManager.default
    for name in ["real/deep", "inputs"] {
      try manager.createDirectory(atPath: "\(folder.path)/\(name)", withIntermediateDirectories: true)
    }
    for name in ["real/a.yaml", "real/deep/b.json", "inputs/c.yaml", "real/notes.txt"] {
      try "{}".write(toFile: "\(folder.path)/\(name)", atomically: true, encoding: .utf8)
    }
    try manager.createSymbolicLink(atPath: "\(folder.path)/inputs/link", withDestinationPath: "../real")
    try manager.createSymbolicLink(atPath: "\(folder.path)/real/deep/up", withDestinationPath: "../../inputs")
    let inputs = "\(folder.path)/inputs"
    let found = try FileList.files([inputs], endings: ["yaml", "json"])
    #expect(found == ["c.yaml", "link/a.yaml", "link/deep/b.json"].map { "\(inputs)/\($0)" })
  }

  @Test func theWayToAValueIsTheSameHoweverOftenItIsAskedFor() throws {
    let document = try Value.reading(
      yaml: """
        Resources:
          A:
            Type: AWS::S3::Bucket
            Properties: {Rules: [{From: 1, To: [x, [y]]}, [], {From: 2}], Name: n}
          B: {Type: AWS::SNS::Topic, Properties: {Name: n}}
        """, .documents)
    var all: [Value] = []
    func collect(_ value: Value) {
      all.append(value)
      for member in value.members { collect(member.value) }
      if case .list(let values) = value.content { values.forEach(collect) }
    }
    for resource in try #require(document["Resources"]).members { collect(resource.value) }
    let index = ResourceIndex(document)
    for _ in 0..<2 {
      for value in all {
        let (found, once) = (index.owner(value), ResourceIndex(document).owner(value))
        #expect(found?.path == once?.path && found?.resource == once?.resource && once != nil)
      }
    }
    #expect(index.owner(document["Resources"]?["A"]?["Properties"]?["Rules"])?.path == "Properties.Rules")
  }
}
