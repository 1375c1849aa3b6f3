// The laboratory's network as it is built: addresses, delays, routes, failover, and what is left of it afterwards.

import Estate
import Foundation
import Testing

@testable import Lab

@Suite(.serialized) struct NetworkTests {
  /// Runs something in a network that is removed afterwards.
  static func withNetwork(
    _ estate: Estate, times: RouterConfiguration.Times = .init(), _ body: (LabNetwork) throws -> Void
  ) throws {
    let registry = LabRegistry(base: try TestEstates.folder())
    let logs = try TestEstates.folder()
    defer {
      try? FileManager.default.removeItem(atPath: registry.base)
      try? FileManager.default.removeItem(atPath: logs)
    }
    let entry = try registry.begin("t" + String(UInt16.random(in: 0 ... .max), radix: 16))
    defer { entry.remove() }
    let network = try LabNetwork(LabLayout(estate), entry: entry, logs: logs)
    try network.build()
    try network.startRouting(times)
    try network.waitForRoutes()
    try body(network)
  }

  static func probe(_ network: LabNetwork, _ from: String, _ to: String) throws -> PathProbe {
    let host = try #require(network.layout.host(of: to))
    return try PathProbe(
      from: network.entry.namespaceFile(from), to: network.entry.namespaceFile(to), address: host.address)
  }

  @Test(.enabled(if: TestEstates.hasRouters, "needs root, /dev/net/tun and FRR"))
  func aCutCarrierIsRoutedAround() throws {
    try Self.withNetwork(TestEstates.twoSites()) { network in
      let line = try #require(network.layout.lines.first { $0.carrier == "alpha" })
      let probe = try Self.probe(network, "plant-ta", "plant-oa")
      let calm = probe.run(seconds: 2) {}
      print("calm: \(calm)")
      #expect(calm.medianMilliseconds >= 5, "a round trip takes at least twice the delay of the line")
      #expect(calm.answered > 0)
      let cut = try probe.run(seconds: 5, after: 2) {
        try network.links.say(.set(name: line.name, .both, [.init(.cut, 1)]))
      }
      print("cut, BFD: \(cut)")
      let later = probe.run(seconds: 0.5) {}
      #expect(later.answered > 0)
      let statistics = try network.links.statistics()
      print("late: \(statistics.lateP50) \(statistics.lateP99) \(statistics.lateMax) µs")
    }
  }

  @Test(.enabled(if: TestEstates.hasRouters && ProcessInfo.processInfo.environment["KABUTO_FULL"] != nil))
  func withoutBFDTheHoldTimeDecides() throws {
    var times = RouterConfiguration.Times()
    times.bfd = nil
    try Self.withNetwork(TestEstates.twoSites(), times: times) { network in
      let line = try #require(network.layout.lines.first { $0.carrier == "alpha" })
      let cut = try Self.probe(network, "plant-ta", "plant-oa").run(seconds: 15, after: 2) {
        try network.links.say(.set(name: line.name, .both, [.init(.cut, 1)]))
      }
      print("cut, no BFD: \(cut)")
      #expect(cut.longestSilenceMilliseconds > 1000 && cut.longestSilenceMilliseconds < 12_000)
    }
  }
}
