// The laboratory's scenarios (DESIGN, Lab): what is broken, for how long, how it heals. Pure: a scenario is data, and
// which machine it means is worked out from the layout; `LabSession` carries the steps out.

/// A fault that the laboratory can make.
public enum ScenarioName: String, Sendable, CaseIterable {
  case control
  case plantKilled = "plant-killed"
  case plantFrozen = "plant-frozen"
  case gatewayKilled = "gateway-killed"
  case natsKilled = "nats-killed"
  case zoneLost = "zone-lost"
  case siteLost = "site-lost"
  case sitePartitioned = "site-partitioned"
  case carrierCut = "carrier-cut"
  case carrierBrownout = "carrier-brownout"
  case partialOutage = "partial-outage"
  case locationLost = "location-lost"
  case bfdOff = "bfd-off"
  case feedLinesLost = "feed-lines-lost"
  case clockSkew = "clock-skew"
  case slowDisk = "slow-disk"
  case plannedRemoval = "planned-removal"
  case rollingUpgrade = "rolling-upgrade"
  case burstDuringFault = "burst-during-fault"

  /// Scenarios of the design whose subject isn't there yet, and why.
  public static let later = [
    "migration": "moving systems in steps is not built yet; the scenario comes with it"
  ]
}

/// Something done to the laboratory.
public enum LabStep: Sendable, Equatable {
  /// SIGKILL to the process of a node or message server.
  case kill(String)
  /// SIGSTOP, SIGCONT.
  case freeze(String)
  case thaw(String)
  /// Starts it again and waits until it is ready.
  case start(String)
  /// Ends it as an operator does (SIGTERM), waits for its end, starts it and waits until it is ready.
  case restart(String)
  /// Takes a node out of service as an operator does (SIGUSR1), and brings it back (SIGUSR2): its process goes on.
  case takeOut(String)
  case bringBack(String)
  /// A zone without power: its lines and its switch go silent, then its processes are gone.
  case darken(zone: String)
  case lighten(zone: String)
  /// Nothing gets through; no end is told.
  case cut(line: String)
  case mend(line: String)
  /// Of a million frames so many are lost; of a million flows so many get nothing through.
  case lose(line: String, perMillion: UInt32)
  case hole(line: String, perMillion: UInt32)
  /// Both segments of the exchange's lines to a site.
  case cutFeed(site: String)
  case mendFeed(site: String)
  /// Clocks of a host go wrong by so many seconds.
  case skew(host: String, seconds: Int)
  /// Writes and syncs of the nodes' disks wait.
  case freezeDisk
  case thawDisk
  /// Messages of each quarter second come within a tenth of it.
  case burst
  case calm
  case wait(milliseconds: Int)
}

/// See the head of this file.
public struct Scenario: Sendable {
  /// Its name.
  public let name: ScenarioName
  /// What happens and what it shows, for people.
  public let explanation: String
  /// The same in Japanese.
  public let explanationJapanese: String
  /// How long the fault lasts, and how long one watches after it, seconds.
  public var faultSeconds = 4.0
  /// How long is watched after it is healed, seconds.
  public var afterSeconds = 4.0
  /// Routers run without BFD.
  public var withoutBFD = false

  /// The fault and what heals it.
  public struct Steps: Sendable, Equatable {
    /// What is broken.
    public var fault: [LabStep] = []
    /// What is mended.
    public var heal: [LabStep] = []
    /// What was chosen, for people.
    public var target = ""
  }

  /// Steps of a repetition; nil: the estate has nothing that this scenario could break.
  /// - Parameters:
  ///   - repetition: from 0; targets take turns.
  ///   - roles: names of nodes that are plants, that are gateways.
  func steps(
    _ layout: LabLayout, repetition: Int, plants: [String], gateways: [String], servers: [String]
  ) -> Steps? {
    func turn<T>(_ all: [T]) -> T? { all.isEmpty ? nil : all[repetition % all.count] }
    func one(_ name: String?, _ fault: (String) -> [LabStep], _ heal: (String) -> [LabStep]) -> Steps? {
      name.map { Steps(fault: fault($0), heal: heal($0), target: $0) }
    }
    func lines(
      _ lines: [LabLayout.Line], _ target: String, _ fault: (String) -> LabStep, _ heal: (String) -> [LabStep]
    )
      -> Steps?
    {
      lines.isEmpty
        ? nil
        : Steps(fault: lines.map { fault($0.name) }, heal: lines.flatMap { heal($0.name) }, target: target)
    }
    let carrier = layout.carriers.first
    let carried = layout.lines.filter { $0.carrier != nil && $0.carrier == carrier }
    switch name {
    case .control: return Steps(target: "nothing")
    case .plantKilled: return one(turn(plants), { [.kill($0)] }, { [.start($0)] })
    case .plantFrozen: return one(turn(plants), { [.freeze($0)] }, { [.thaw($0)] })
    case .gatewayKilled: return one(turn(gateways), { [.kill($0)] }, { [.start($0)] })
    case .natsKilled: return one(turn(servers), { [.kill($0)] }, { [.start($0)] })
    case .zoneLost:
      guard layout.sites.flatMap(\.zones).count > 1 else { return nil }
      return one(
        turn(layout.sites.flatMap(\.zones)), { [.darken(zone: $0)] }, { [.lighten(zone: $0)] })
    case .siteLost:
      guard layout.sites.count > 1, let site = turn(layout.sites) else { return nil }
      return Steps(
        fault: site.zones.map { .darken(zone: $0) } + [.cutFeed(site: site.name)],
        heal: [.mendFeed(site: site.name)] + site.zones.map { .lighten(zone: $0) }, target: site.name)
    case .sitePartitioned:
      return lines(layout.carrierLines, "all lines between sites", { .cut(line: $0) }, { [.mend(line: $0)] })
    case .carrierCut, .bfdOff:
      return lines(carried, carrier ?? "", { .cut(line: $0) }, { [.mend(line: $0)] })
    case .carrierBrownout:
      return lines(
        carried, carrier ?? "", { .lose(line: $0, perMillion: 200_000) }, { [.lose(line: $0, perMillion: 0)] }
      )
    case .partialOutage:
      return lines(
        carried, carrier ?? "", { .hole(line: $0, perMillion: 500_000) }, { [.hole(line: $0, perMillion: 0)] }
      )
    case .locationLost:
      guard let location = layout.locations.first else { return nil }
      return lines(
        layout.lines(at: location.name), location.name, { .cut(line: $0) }, { [.mend(line: $0)] })
    case .feedLinesLost:
      return one(turn(layout.sites.map(\.name)), { [.cutFeed(site: $0)] }, { [.mendFeed(site: $0)] })
    case .clockSkew:
      return one(
        turn(layout.hosts.filter { !$0.nodes.isEmpty }.map(\.name)), { [.skew(host: $0, seconds: 5)] },
        { [.skew(host: $0, seconds: 0)] })
    case .slowDisk: return Steps(fault: [.freezeDisk], heal: [.thawDisk], target: "disks of all nodes")
    case .plannedRemoval:
      return one(
        turn(gateways + plants.filter { !gateways.contains($0) }), { [.takeOut($0)] }, { [.bringBack($0)] })
    case .rollingUpgrade:
      let nodes = plants + gateways.filter { !plants.contains($0) } + servers
      return Steps(fault: nodes.flatMap { [.restart($0), .wait(milliseconds: 1_000)] }, target: "all nodes")
    case .burstDuringFault:
      return one(
        turn(plants), { [.burst, .wait(milliseconds: 500), .kill($0)] }, { [.start($0), .calm] })
    }
  }
}

extension Scenario {
  /// All of them.
  public static let all: [Scenario] = ScenarioName.allCases.map { named($0) }

  /// A scenario by its name.
  public static func named(_ name: ScenarioName) -> Scenario {
    switch name {
    case .control:
      Scenario(
        name, "Nothing is broken: what the others are measured against.", "何も壊さない。他の筋書きの基準。")
    case .plantKilled:
      Scenario(
        name, "A plant's process is killed (SIGKILL), and started again. Gateways take the other streams.",
        "プラントを強制終了し、再起動する。ゲートウェイは別の系列を使う。")
    case .plantFrozen:
      Scenario(
        name, "A plant stops without ending (SIGSTOP): its connections stay, its heartbeats don't.",
        "プラントが応答なしのまま止まる。接続は残るが心拍が途絶える。")
    case .gatewayKilled:
      Scenario(
        name, "A gateway's process is killed. Its clients resume elsewhere.",
        "ゲートウェイを強制終了する。利用者は別の接続先で再開する。")
    case .natsKilled:
      Scenario(
        name, "A message server is killed. The other rail carries.", "NATS サーバーを強制終了する。もう一方の系統が運ぶ。")
    case .zoneLost:
      Scenario(
        name, "A zone loses power: its lines and switch go silent, its processes are gone.",
        "ゾーンの電源断。回線とスイッチが沈黙し、プロセスが消える。", fault: 5, after: 7)
    case .siteLost:
      Scenario(
        name, "A site loses power, with its feed lines. Clients before it reach the other site.",
        "サイトの電源断(配信回線を含む)。利用者はもう一方のサイトへ。", fault: 5, after: 8)
    case .sitePartitioned:
      Scenario(
        name,
        "All lines between the sites are cut; both go on by themselves, and agree when they see one another again.",
        "サイト間の全回線断。両サイトは独立に続き、復旧後に一致する。", fault: 5, after: 5)
    case .carrierCut:
      Scenario(
        name, "A carrier's lines carry nothing, without an end told. BFD finds out, BGP takes the other way.",
        "通信事業者の回線断(リンクは上がったまま)。BFD が検知し BGP が迂回する。")
    case .carrierBrownout:
      Scenario(
        name, "A carrier loses one packet in five: no link goes down, and BFD may not notice.",
        "通信事業者の品質低下(5 個に 1 個を損失)。リンクは切れない。", fault: 6)
    case .partialOutage:
      Scenario(
        name, "Half of the flows over a carrier get nothing through; the others and BFD may be fine.",
        "一部の通信だけが届かない部分障害。", fault: 6)
    case .locationLost:
      Scenario(
        name, "The location where an active line is handed over is lost with all its lines.",
        "接続拠点の喪失。")
    case .bfdOff:
      Scenario(
        name, "The carrier is cut, and routers run without BFD: the hold time of 9 s decides.",
        "BFD なしでの回線断。保持時間 9 秒で切り替わる。", fault: 12, after: 6, withoutBFD: true)
    case .feedLinesLost:
      Scenario(
        name, "Both lines of the exchange to a site are lost. The site takes the other site's stream.",
        "一方のサイトの取引所回線が両方断。他サイトの系列を使う。")
    case .clockSkew:
      Scenario(
        name, "The clock of one host jumps by 5 s. Nothing may depend on two clocks agreeing.",
        "1 台の時計が 5 秒ずれる。")
    case .slowDisk:
      Scenario(
        name, "Disks don't write for seconds. Prices go on; what is kept waits.",
        "ディスクが数秒間書き込めない。配信は続く。")
    case .plannedRemoval:
      Scenario(
        name,
        "A node is taken out of service by command and brought back: clients are told to move, gateways take other streams.",
        "計画的な切り離しと復帰。利用者は移動を促され、ゲートウェイは別の系列を使う。")
    case .rollingUpgrade:
      Scenario(
        name, "Every node is ended as planned and started again, one after the other.",
        "全ノードを順に計画停止して再起動する。", fault: 0, after: 4)
    case .burstDuringFault:
      Scenario(
        name, "The load is ten times as high in bursts while a plant is killed.",
        "プラント強制終了中に負荷が 10 倍の塊で届く。")
    }
  }

  private init(
    _ name: ScenarioName, _ explanation: String, _ japanese: String, fault: Double = 4, after: Double = 4,
    withoutBFD: Bool = false
  ) {
    self.init(
      name: name, explanation: explanation, explanationJapanese: japanese, faultSeconds: fault,
      afterSeconds: after, withoutBFD: withoutBFD)
  }
}
