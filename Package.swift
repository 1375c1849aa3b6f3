// swift-tools-version: 6.1
// The map of the project: each target is a room, arrows point down (docs/ARCHITECTURE.md).
import PackageDescription

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
  name: "kabuto",
  products: [.executable(name: "kabuto", targets: ["KabutoCLI"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
    .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
  ],
  targets: [
    // C: a map and a shim, nothing more.
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CVectorscan", pkgConfig: "libhs", providers: [.apt(["libvectorscan-dev"])]),
    .systemLibrary(name: "CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
    .systemLibrary(name: "CXML", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),
    .systemLibrary(name: "CInjection", pkgConfig: "modsecurity", providers: [.apt(["libmodsecurity-dev"])]),
    .systemLibrary(name: "CNats", pkgConfig: "libnats", providers: [.apt(["libnats-dev"])]),
    .target(name: "CHardware"),
    .target(name: "CNetwork"),

    // Pure rooms: bytes and values in, values out. No socket, file, clock or randomness of their own.
    .target(name: "MarketData", swiftSettings: strict),
    .target(name: "FeedProtocols", dependencies: ["MarketData"], swiftSettings: strict),
    .target(name: "ExchangeSimulator", dependencies: ["MarketData", "FeedProtocols"], swiftSettings: strict),
    .target(
      name: "TickerPlant", dependencies: ["MarketData", "FeedProtocols", "CHardware"], swiftSettings: strict),
    .target(name: "Distribution", dependencies: ["MarketData", "TickerPlant"], swiftSettings: strict),
    .target(
      name: "GuardRules", dependencies: ["CPCRE2", .product(name: "Yams", package: "Yams")],
      swiftSettings: strict),
    .target(name: "Resources", dependencies: ["GuardRules"], swiftSettings: strict),
    .target(name: "Controls", dependencies: ["GuardRules"], swiftSettings: strict),
    .target(name: "Estate", dependencies: [.product(name: "Yams", package: "Yams")], swiftSettings: strict),
    .target(name: "Continuity", dependencies: ["MarketData", "TickerPlant"], swiftSettings: strict),
    .target(
      name: "Firewall", dependencies: ["CHardware", "CVectorscan", "CPCRE2", "CXML", "CInjection"],
      swiftSettings: strict),

    // Rooms that touch the world.
    .target(
      name: "FeedHandler",
      dependencies: [
        "MarketData", "FeedProtocols", "TickerPlant", "ExchangeSimulator", "CZlib", "CNetwork",
      ],
      swiftSettings: strict),
    .target(
      name: "PriceStore",
      dependencies: [
        "MarketData", "TickerPlant", .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "GRDBSQLite", package: "GRDB.swift"),
      ],
      swiftSettings: strict),
    .target(
      name: "Gateway",
      dependencies: [
        "MarketData", "FeedProtocols", "TickerPlant", "Distribution", "PriceStore",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOWebSocket", package: "swift-nio"),
        .product(name: "NIOFoundationCompat", package: "swift-nio"),
        .product(name: "NIOHTTPCompression", package: "swift-nio-extras"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ],
      resources: [.copy("Viewer"), .copy("openapi.json")],
      swiftSettings: strict),

    .target(
      name: "Backbone",
      dependencies: [
        "MarketData", "FeedProtocols", "TickerPlant", "Continuity", "Estate", "FeedHandler", "CNats",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    .target(
      name: "Governance",
      dependencies: [
        "GuardRules", "Resources", "Controls",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "GRDBSQLite", package: "GRDB.swift"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ],
      swiftSettings: strict),
    .target(
      name: "Lab",
      dependencies: [
        "Estate", "MarketData", "CNetwork",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOWebSocket", package: "swift-nio"),
      ],
      swiftSettings: strict),
    .target(
      name: "FirewallProxy",
      dependencies: [
        "Firewall",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOFoundationCompat", package: "swift-nio"),
        .product(name: "NIOHPACK", package: "swift-nio-http2"),
        .product(name: "NIOHTTP2", package: "swift-nio-http2"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ],
      swiftSettings: strict),

    // The command: parses, wires, reports.
    .executableTarget(
      name: "KabutoCLI",
      dependencies: [
        "MarketData", "FeedProtocols", "ExchangeSimulator", "TickerPlant", "Distribution", "FeedHandler",
        "PriceStore", "Gateway", "Firewall", "FirewallProxy", "Estate", "Continuity", "Backbone", "Lab",
        "GuardRules", "Resources", "Controls", "Governance",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Yams", package: "Yams"),
      ],
      swiftSettings: strict),

    // Chance that can be repeated, for tests.
    .target(name: "TestChance", path: "Tests/TestChance", swiftSettings: strict),
    .testTarget(name: "GuardRulesTests", dependencies: ["GuardRules", "TestChance"], swiftSettings: strict),
    .testTarget(
      name: "AccountsTests",
      dependencies: [
        "TestChance",
        "Governance", "Resources", "GuardRules", "Controls",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "GRDB", package: "GRDB.swift"),
      ], swiftSettings: strict),
    .testTarget(
      name: "ControlsTests", dependencies: ["Controls", "GuardRules", "TestChance"], swiftSettings: strict),
    .testTarget(
      name: "ResourcesTests", dependencies: ["Resources", "GuardRules", "TestChance"], swiftSettings: strict),
    .testTarget(name: "MarketDataTests", dependencies: ["MarketData"], swiftSettings: strict),
    .testTarget(
      name: "FeedProtocolsTests", dependencies: ["FeedProtocols", "MarketData"], swiftSettings: strict),
    .testTarget(
      name: "ExchangeSimulatorTests",
      dependencies: ["ExchangeSimulator", "FeedProtocols", "MarketData", "TickerPlant"], swiftSettings: strict
    ),
    .testTarget(
      name: "TickerPlantTests",
      dependencies: ["TickerPlant", "FeedProtocols", "MarketData", "ExchangeSimulator", "CHardware"],
      swiftSettings: strict),
    .testTarget(
      name: "DistributionTests",
      dependencies: ["Distribution", "TickerPlant", "FeedProtocols", "MarketData", "ExchangeSimulator"],
      swiftSettings: strict),
    .testTarget(
      name: "FeedHandlerTests",
      dependencies: ["FeedHandler", "FeedProtocols", "MarketData", "TickerPlant", "ExchangeSimulator"],
      swiftSettings: strict),
    .testTarget(
      name: "PriceStoreTests",
      dependencies: [
        "PriceStore", "MarketData", "TickerPlant", "ExchangeSimulator", "FeedProtocols",
        .product(name: "GRDB", package: "GRDB.swift"),
      ], swiftSettings: strict),
    .testTarget(
      name: "GatewayTests",
      dependencies: [
        "Gateway", "Distribution", "PriceStore", "FeedHandler", "TickerPlant", "MarketData", "FeedProtocols",
        "ExchangeSimulator",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ], swiftSettings: strict),
    .testTarget(name: "EstateTests", dependencies: ["Estate", "TestChance"], swiftSettings: strict),
    .testTarget(
      name: "ContinuityTests",
      dependencies: [
        "Continuity", "TickerPlant", "MarketData", "FeedProtocols", "FeedHandler", "ExchangeSimulator",
        "Distribution",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "BackboneTests",
      dependencies: [
        "Backbone", "Continuity", "Estate", "FeedHandler", "TickerPlant", "MarketData", "FeedProtocols",
        "ExchangeSimulator",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    .testTarget(name: "LabTests", dependencies: ["Lab", "Estate", "KabutoCLI"], swiftSettings: strict),
    .testTarget(
      name: "FirewallTests", dependencies: ["Firewall", .product(name: "Yams", package: "Yams")],
      swiftSettings: strict),
    .testTarget(
      name: "FirewallProxyTests",
      dependencies: [
        "FirewallProxy", "Firewall",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOHTTP2", package: "swift-nio-http2"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ], swiftSettings: strict),
    .testTarget(
      name: "KabutoCLITests", dependencies: ["KabutoCLI", "Gateway", "Distribution", "MarketData", "Estate"],
      swiftSettings: strict),
  ]
)
