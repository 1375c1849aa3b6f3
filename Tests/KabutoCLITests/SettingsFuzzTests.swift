// Settings from file, environment and flags as nobody would write them: all faults come with their place, or a
// configuration that is within every limit.

import Distribution
import Foundation
import Gateway
import MarketData
import Testing

@testable import KabutoCLI

@Suite("Settings Fuzz") struct SettingsFuzzTests {
  private static let seed: UInt64 = {
    let given = ProcessInfo.processInfo.environment["KABUTO_SEED"].flatMap { UInt64($0, radix: 16) }
    let seed = given ?? UInt64.random(in: 1...0xffff_ffff)
    print("KabutoCLITests: KABUTO_SEED=\(String(seed, radix: 16))")
    return seed
  }()
  private static let values = [
    "127.0.0.1:8080", "[::1]:0", ":1", "host:99999", "true", "no", "0", "1", "-1", "60", "1e3",
    "99999999999999999999",
    "", "''", "\"\\0\"", "[a, b]", "{a: b}", "&a *a", "*b", "!!binary x", "|\n  text", "? x", "株", "info",
    "json",
    "- a", "<<: *c", "~", "2026-11-24", "%", "@", "`", "\t", "1_000", "0x10", "0o7", ".inf",
  ]

  @Test func variablesOfTheTestsAreNoSettings() throws {
    let ours = ["KABUTO_SEED": "7f3a", "KABUTO_FULL": "1", "KABUTO_FUZZ_SECONDS": "5", "KABUTO_HOME": "/"]
    for (name, value) in ours {
      let read = ServeConfiguration.resolve(file: nil, environment: [name: value], flags: [:], feeds: [])
      #expect((try? read.get()) != nil, "\(name)")
    }
    let slip = ServeConfiguration.resolve(file: nil, environment: ["KABUTO_FEED": "x"], flags: [:], feeds: [])
    #expect((try? slip.get()) == nil)
  }

  @Test func everyFileIsReadOrRefusedWithItsFaults() throws {
    var digest = StateDigest()
    digest.combine(Self.seed)
    digest.combine("settings")
    var random = SeededGenerator(seed: digest.value)
    func below(_ bound: Int) -> Int { Int(random.next() % UInt64(max(1, bound))) }
    let folder = try TemporaryFolder()
    let seconds = ProcessInfo.processInfo.environment["KABUTO_FUZZ_SECONDS"].flatMap(Double.init) ?? 0
    let end = Date().addingTimeInterval(seconds)
    var (taken, refused, round) = (0, 0, 0)
    while round < 1_500 || Date() < end {
      round += 1
      var text = ""
      for _ in 0..<below(5) {
        var name = ServeConfiguration.names[below(ServeConfiguration.names.count)]
        if below(10) == 0 { name = String(name.dropLast()) }
        text += "\(name)\(below(20) == 0 ? "" : ": ")\(Self.values[below(Self.values.count)])\n"
      }
      var bytes = Array(text.utf8)
      if below(5) == 0, !bytes.isEmpty {
        bytes[below(bytes.count)] = UInt8(truncatingIfNeeded: random.next())
      }
      let file = try folder.file("settings.yaml", bytes)
      var environment: [String: String] = [:]
      var flags: [String: String] = [:]
      for _ in 0..<below(3) {
        let name = ServeConfiguration.names[below(ServeConfiguration.names.count)]
        environment["KABUTO_" + name.uppercased()] = Self.values[below(Self.values.count)]
        flags[ServeConfiguration.names[below(ServeConfiguration.names.count)]] =
          Self.values[below(Self.values.count)]
      }
      let note: Comment = "KABUTO_SEED=\(String(Self.seed, radix: 16)) round \(round): \(text)"
      switch ServeConfiguration.resolve(file: file, environment: environment, flags: flags, feeds: []) {
      case .success(let configuration):
        taken += 1
        let gateway = configuration.gateway
        #expect((0...65_535).contains(configuration.listenPort) && !configuration.listenHost.isEmpty, note)
        #expect(gateway.connections > 0 && gateway.headBytes >= 1_024 && gateway.handshakeSeconds > 0, note)
        #expect(gateway.answerSeconds > 0 && gateway.client.subscriptions > 0 && gateway.loops <= 64, note)
      case .failure(let error):
        refused += 1
        #expect(!error.faults.isEmpty, note)
        // Each names its place: file and line, variable, flag, or the two settings that don't go together.
        for fault in error.faults {
          #expect(
            fault.hasPrefix(file) || fault.hasPrefix("environment KABUTO_") || fault.hasPrefix("--")
              || fault.hasPrefix("tls_certificate and tls_key"), "\(fault) \(note)")
        }
      }
    }
    #expect(taken > 50 && refused > 50, "\(taken) taken, \(refused) refused")
  }
}
