// The estates that the program carries: without a fault, and the same as the files of Estates/.

import Foundation
import Testing

@testable import Estate

let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent()

/// An example, which is known to be good.
func example(_ name: String) throws -> Estate {
  let text = try #require(EstateExamples.text(named: name))
  return try #require(EstateFile.read(text).estate)
}

@Suite struct EstateTests {
  @Test(arguments: EstateExamples.names) func examplesHaveNoFaultAndAreTheFiles(name: String) throws {
    let text = try #require(EstateExamples.text(named: name))
    let file = repository.appendingPathComponent("Estates/\(name).yaml")
    #expect(try String(contentsOf: file, encoding: .utf8) == text)
    let (estate, faults) = EstateFile.read(text)
    #expect(faults.map { $0.text(file: name) } == [])
    #expect(estate?.name == name)
  }

  @Test func everyExampleFileIsCarried() throws {
    let files = try FileManager.default.contentsOfDirectory(
      atPath: repository.appendingPathComponent("Estates").path)
    // `loopback` names files of the machine that it is tried on (README); it is no example of an estate's shape.
    #expect(
      Set(files.filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) })
        == Set(EstateExamples.names).union(["loopback"]))
    let loopback = EstateFile.read(
      try String(contentsOf: repository.appendingPathComponent("Estates/loopback.yaml"), encoding: .utf8))
    #expect(loopback.faults == [])
    #expect(EstateExamples.text(named: "nothing") == nil)
  }

  @Test(arguments: EstateExamples.names) func whatIsWrittenIsReadAsTheSame(name: String) throws {
    let estate = try example(name)
    let text = EstateText.write(estate)
    let (again, faults) = EstateFile.read(text)
    #expect(faults == [], "\(text)")
    #expect(again == estate)
    #expect(again?.configurationHash == estate.configurationHash)
    #expect(again.map(EstateText.write) == text)
  }
}
