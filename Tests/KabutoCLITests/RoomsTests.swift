// The tree itself: arrows between rooms point down, pure rooms touch nothing outside (docs/ARCHITECTURE.md).

import Foundation
import Testing

@Suite struct RoomsTests {
  static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Sources")

  /// A room and the rooms it may use.
  static let rooms: [String: Set<String>] = [
    "MarketData": [],
    "FeedProtocols": ["MarketData"],
    "ExchangeSimulator": ["MarketData", "FeedProtocols"],
    "TickerPlant": ["MarketData", "FeedProtocols", "CHardware"],
    "Distribution": ["MarketData", "TickerPlant"],
    "Firewall": ["CHardware", "CVectorscan", "CPCRE2", "CXML", "CInjection"],
    "FirewallProxy": ["Firewall"],
    "Estate": [],
    "Continuity": ["MarketData", "TickerPlant"],
    "Backbone": [
      "MarketData", "FeedProtocols", "TickerPlant", "Continuity", "Estate", "FeedHandler", "CNats",
    ],
    "Lab": ["Estate", "MarketData", "CNetwork"],
    "FeedHandler": ["MarketData", "FeedProtocols", "TickerPlant", "ExchangeSimulator", "CZlib", "CNetwork"],
    "PriceStore": ["MarketData", "TickerPlant"],
    "Gateway": ["MarketData", "FeedProtocols", "TickerPlant", "Distribution", "PriceStore"],
    "GuardRules": ["CPCRE2"],
    "Resources": ["GuardRules"],
    "Controls": ["GuardRules"],
    "Governance": ["GuardRules", "Resources", "Controls"],
    "KabutoCLI": [
      "MarketData", "FeedProtocols", "ExchangeSimulator", "TickerPlant", "Distribution", "FeedHandler",
      "PriceStore", "Gateway", "Firewall", "FirewallProxy", "Estate", "Continuity", "Backbone", "Lab",
      "GuardRules", "Resources", "Controls", "Governance",
    ],
  ]
  static let pure = [
    "MarketData", "FeedProtocols", "ExchangeSimulator", "TickerPlant", "Distribution", "Firewall", "Estate",
    "Continuity", "GuardRules", "Resources", "Controls",
  ]
  /// What reaches outside: files, sockets, clocks, processes, threads, chance.
  static let outside = [
    "FileManager", "FileHandle", "clock_gettime", "gettimeofday", "Date()", "Process(", "Thread(", "Thread {",
    "socket(", "open(path", "URLSession", "SystemRandomNumberGenerator", ".random(", "getenv", "ProcessInfo",
    "ContinuousClock", "DispatchQueue", " print(",
  ]

  static func files(of room: String) throws -> [(name: String, text: String)] {
    let folder = sources.appendingPathComponent(room)
    let names = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
    return try names.filter { $0.hasSuffix(".swift") }.map {
      ($0, try String(contentsOf: folder.appendingPathComponent($0), encoding: .utf8))
    }
  }

  @Test(arguments: rooms.keys.sorted()) func arrowsPointDown(room: String) throws {
    let allowed = try #require(Self.rooms[room])
    let all = Set(Self.rooms.keys).union([
      "CZlib", "CHardware", "CNetwork", "CVectorscan", "CPCRE2", "CXML", "CInjection", "CNats",
    ])
    let files = try Self.files(of: room)
    #expect(!files.isEmpty)
    for file in files {
      for line in file.text.split(separator: "\n") {
        let words = line.split(separator: " ")
        guard let place = words.firstIndex(of: "import"), place <= 1, place + 1 < words.count
        else { continue }
        let imported = String(words[place + 1])
        if all.contains(imported) {
          #expect(
            allowed.contains(imported), "\(room)/\(file.name) imports \(imported), which is not below it")
        }
      }
    }
  }

  @Test(arguments: pure) func pureRoomsTouchNothingOutside(room: String) throws {
    for file in try Self.files(of: room) {
      for (number, line) in file.text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
        let code = line.split(separator: "//", maxSplits: 1, omittingEmptySubsequences: false).first ?? ""
        for word in Self.outside where code.contains(word) {
          Issue.record("\(room)/\(file.name):\(number + 1) reaches outside: \(word)")
        }
        for library in ["import NIO", "import GRDB", "import Glibc", "import Dispatch", "import Logging"]
        where code.contains(library) {
          Issue.record("\(room)/\(file.name):\(number + 1): \(library) has no place in a pure room")
        }
      }
    }
  }

  /// `try!`, `fatalError` and forced casts have no place on anything that comes from outside.
  @Test(arguments: rooms.keys.sorted()) func nothingTrapsOnPurpose(room: String) throws {
    for file in try Self.files(of: room) {
      for (number, line) in file.text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
        let code = line.split(separator: "//", maxSplits: 1, omittingEmptySubsequences: false).first ?? ""
        for word in ["try!", "fatalError(", " as! "] where code.contains(word) {
          Issue.record("\(room)/\(file.name):\(number + 1): \(word)")
        }
      }
    }
  }
}
