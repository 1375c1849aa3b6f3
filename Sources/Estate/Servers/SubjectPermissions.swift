// Which subjects a node may publish and hear: the table of docs/BACKBONE.md. What says something of a node carries that
// node's name, and only that node may say it; questions carry the name of the one who is asked.

/// See the head of this file.
public struct SubjectPermissions: Sendable, Equatable {
  /// Subjects that may be published.
  public var publish: [String] = []
  /// Subjects that may be heard.
  public var subscribe: [String] = []

  /// Those of a node of an estate.
  public init(_ node: Node, in estate: Estate) {
    let name = node.name
    publish = ["node.\(name).beat", "node.\(name).status"]
    subscribe = ["node.*.beat", "node.\(name).command", "node.all.tell", "_INBOX.\(name).>"]
    let (isPlant, isStore, isGateway) = (
      node.roles.contains(.plant), node.roles.contains(.store), node.roles.contains(.gateway)
    )
    guard isPlant || isStore || isGateway else { return }
    // For the page of the estate, which each of them has.
    publish.append("node.all.tell")
    subscribe.append("node.*.status")
    for market in estate.markets(of: node) {
      if isPlant {
        publish += [
          "px.\(market).\(name).>", "feed.\(market).\(name)", "beat.\(market).\(name)",
          "keep.ticks.\(market)",
        ]
        publish.append("ask.\(market).*.feed")
        subscribe += ["want.\(market).\(name)", "ask.\(market).\(name).*", "feed.\(market).*"]
      }
      if isGateway || isStore { publish.append("want.\(market).*") }
      publish += ["replay", "snapshot", "digest"].map { "ask.\(market).*.\($0)" }
      subscribe += ["px.\(market).>", "beat.\(market).*"]
    }
    if isGateway { publish.append("keep.usage.\(name)") }
    // The second word is the rail whose keeper is asked. Who makes a stream or a consumer can have it publish under any
    // subject: that is for stores, which don't face clients. The others read the kept configuration, and neither ticks
    // nor what tenants of other gateways used.
    publish += [
      "$JS.*.API.STREAM.INFO.KEEP_CONFIGURATION",
      "$JS.*.API.DIRECT.GET.KEEP_CONFIGURATION.keep.configuration",
    ]
    if isStore {
      publish += [
        "$JS.*.API.INFO", "$JS.*.API.STREAM.INFO.*", "$JS.*.API.DIRECT.GET.>",
        "$JS.*.API.STREAM.NAMES", "$JS.*.API.STREAM.CREATE.*", "$JS.*.API.STREAM.UPDATE.*",
        "$JS.*.API.CONSUMER.>", "$JS.ACK.>",
      ]
    }
    subscribe.append("keep.configuration")
  }

  private init(publish: [String], subscribe: [String]) {
    self.publish = publish
    self.subscribe = subscribe
  }

  /// Those of the operator: commands, configuration, kept streams; hears all.
  public static let ofOperator = SubjectPermissions(
    publish: ["node.*.command", "node.all.tell", "keep.configuration", "$JS.*.API.>", "$JS.ACK.>"],
    subscribe: [">"])
}
