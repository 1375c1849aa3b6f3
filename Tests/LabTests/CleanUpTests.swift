// What a run has made is removed, also after kill -9, and nothing else is touched.

import Estate
import Foundation
import Testing

@testable import Lab

@Suite(.serialized) struct CleanUpTests {
  @Test func aProcessIsKnownByItsStartTimeToo() throws {
    let own = try #require(ProcessState.startTime(getpid()))
    #expect(own > 0)
    #expect(LabEntry.process("\(getpid()) \(own) name")?.0 == getpid())
    for bad in ["", "1 5", "x 5", "77", "-5 3"] { #expect(LabEntry.process(bad) == nil, "\(bad)") }
  }

  @Test func aFolderThatNoRunMadeIsLeftAlone() throws {
    let folder = try TestEstates.folder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let own = "\(folder)/own"
    try FileManager.default.createDirectory(atPath: "\(own)/logs", withIntermediateDirectories: true)
    #expect(throws: LabFailure.self) { try ReportFolder(own) }
    #expect(FileManager.default.fileExists(atPath: "\(own)/logs"))
  }

  @Test func aReportIsNeverThatOfAnEarlierRun() throws {
    let folder = try TestEstates.folder() + "/control"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let first = try ReportFolder(folder)
    #expect(throws: LabFailure.self, "another run has it") { try ReportFolder(folder) }
    for name in ["report.json", "client.record", "notes.txt"] {
      try "x".write(toFile: "\(folder)/\(name)", atomically: false, encoding: .utf8)
    }
    first.release()
    let second = try ReportFolder(folder)
    defer { second.release() }
    let left = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    #expect(left == [ReportFolder.mark, "notes.txt"])
  }

  @Test func passwordsAreForTheirOwnerOnly() throws {
    let registry = LabRegistry(base: try TestEstates.folder())
    defer { try? FileManager.default.removeItem(atPath: registry.base) }
    let entry = try registry.begin("ee")
    let path = "\(entry.folder)/credentials"
    try entry.writePrivately("a b\n", to: path)
    func rights(_ path: String) throws -> Int? {
      try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }
    #expect(try rights(path) == 0o600)
    #expect(try rights(entry.folder) == 0o711)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "a b\n")
  }

  @Test func loopDevicesAreFoundByTheirImage() {
    let text = "/dev/loop0: [2049]:12 (/run/x/disk.image)\n/dev/loop13: []: (/run/x/disk.image (deleted))\n"
    #expect(LabEntry.loops(in: text) == ["/dev/loop0", "/dev/loop13"])
    #expect(LabEntry.loops(in: "losetup: no\n") == [])
  }

  @Test func aLivingRunIsNoLeftover() throws {
    let registry = LabRegistry(base: try TestEstates.folder())
    defer { try? FileManager.default.removeItem(atPath: registry.base) }
    let entry = try registry.begin("aa")
    #expect(registry.leftovers().isEmpty)
    entry.remove()
    #expect(!FileManager.default.fileExists(atPath: entry.folder))
  }

  @Test func processesOfOthersAreNotEnded() throws {
    let registry = LabRegistry(base: try TestEstates.folder())
    let logs = try TestEstates.folder()
    defer {
      try? FileManager.default.removeItem(atPath: registry.base)
      try? FileManager.default.removeItem(atPath: logs)
    }
    let other = try registry.begin("bb")
    let bystander = try LabProcess("sleep", ["/bin/sleep", "60"], namespace: nil, entry: other, logs: logs)
    defer {
      bystander.end()
      other.remove()
    }
    let entry = try registry.begin("cc")
    // The id of a living process with a start time that isn't its own: the id was given again.
    try entry.note("processes", "\(bystander.id) \(bystander.startTime + 1) sleep")
    entry.remove()
    #expect(bystander.isRunning)
  }

  @Test func whatAKilledRunHasStartedIsEnded() throws {
    let registry = LabRegistry(base: try TestEstates.folder())
    let logs = try TestEstates.folder()
    defer {
      try? FileManager.default.removeItem(atPath: registry.base)
      try? FileManager.default.removeItem(atPath: logs)
    }
    let entry = try registry.begin("dd")
    let known = try LabProcess("known", ["/bin/sleep", "60"], namespace: nil, entry: entry, logs: logs)
    // A child of a child is in no list, but carries the mark. It says on its output who it is.
    let parent = try LabProcess(
      "parent", ["/bin/sh", "-c", "sleep 60 & echo $!; kill -9 $$"], namespace: nil, entry: entry, logs: logs)
    #expect(parent.wait(5))
    let child = try #require(Int32(parent.lastWords.trimmingCharacters(in: .whitespacesAndNewlines)))
    #expect(ProcessState.startTime(child) != nil)
    // The run's own process is gone.
    try "999999 1\n".write(toFile: "\(entry.folder)/owner", atomically: false, encoding: .utf8)
    #expect(registry.leftovers().map(\.run) == ["dd"])
    #expect(registry.cleanLeftovers().count == 1)
    #expect(!known.isRunning)
    #expect(ProcessState.startTime(child) == nil)
    #expect(registry.leftovers().isEmpty)
  }

  @Test(.enabled(if: TestEstates.hasNamespaces, "needs root and /dev/net/tun"))
  func namespacesOfAKilledRunAreRemoved() throws {
    let registry = LabRegistry(base: try TestEstates.folder())
    let logs = try TestEstates.folder()
    defer {
      try? FileManager.default.removeItem(atPath: registry.base)
      try? FileManager.default.removeItem(atPath: logs)
    }
    let entry = try registry.begin("e" + String(UInt16.random(in: 0 ... .max), radix: 16))
    var network: LabNetwork? = try LabNetwork(LabLayout(TestEstates.twoSites()), entry: entry, logs: logs)
    try network?.build()
    let file = entry.namespaceFile("r-ta")
    #expect(FileManager.default.fileExists(atPath: file))
    let inside = try LabProcess("inside", ["/bin/sleep", "60"], namespace: file, entry: entry, logs: logs)
    network = nil
    try "999999 1\n".write(toFile: "\(entry.folder)/owner", atomically: false, encoding: .utf8)
    #expect(registry.cleanLeftovers().count == 1)
    #expect(!inside.isRunning)
    #expect(!FileManager.default.fileExists(atPath: file))
  }

  @Test(.enabled(if: TestEstates.hasNamespaces, "needs root and /dev/net/tun"))
  func theEmulatorDelaysCutsAndCounts() throws {
    let registry = LabRegistry(base: try TestEstates.folder())
    let logs = try TestEstates.folder()
    defer {
      try? FileManager.default.removeItem(atPath: registry.base)
      try? FileManager.default.removeItem(atPath: logs)
    }
    let entry = try registry.begin("f" + String(UInt16.random(in: 0 ... .max), radix: 16))
    defer { entry.remove() }
    let network = try LabNetwork(LabLayout(TestEstates.twoSites()), entry: entry, logs: logs)
    try network.build()
    let line = try #require(network.layout.lines.first { $0.from == "r-ta" && $0.to == "r-tb" })
    let probe = try PathProbe(
      from: network.entry.namespaceFile("r-ta"), to: network.entry.namespaceFile("r-tb"),
      address: line.toAddress)
    let calm = probe.run(seconds: 0.5) {}
    #expect(calm.answered > 0)
    #expect(calm.medianMilliseconds >= 2.5)
    try network.links.say(.set(name: line.name, .forth, [.init(.cut, 1)]))
    // What was under way before the cut has arrived by now.
    _ = probe.run(seconds: 0.1) {}
    #expect(probe.run(seconds: 0.3) {}.answered == 0)
    try network.links.say(
      .set(name: line.name, .both, [.init(.cut, 0), .init(.delay, 0), .init(.loss, 500_000)]))
    let lossy = probe.run(seconds: 0.5) {}
    #expect(lossy.answered > 0 && lossy.answered < lossy.sent)
    let counts = try #require(try network.links.statistics().lines.first { $0.name == line.name })
    #expect(counts.forth.cut > 0 && counts.forth.loss > 0 && counts.back.frames > 0)
    #expect(throws: LabFailure.self) { try network.links.say(.set(name: "nothing", .both, [.init(.cut, 1)])) }
  }
}
