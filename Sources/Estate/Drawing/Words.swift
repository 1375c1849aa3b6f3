// What is said about an estate, in English and Japanese.

enum Words {
  static let zone = "zone / ゾーン"

  static func site(_ kind: Site.Kind) -> String {
    switch kind {
    case .datacenter: "data center / データセンター"
    case .cloud: "cloud / クラウド"
    case .location: "location where lines are handed over / 回線の接続拠点"
    }
  }

  static func link(_ link: Link) -> String {
    var parts = [
      "link / 回線: \(link.name)", "\(link.from) – \(link.to)",
      link.role == .active ? "active / 現用" : "standby / 予備",
    ]
    if let carrier = link.carrier { parts.append("carrier / 通信事業者: \(carrier)") }
    if let location = link.location { parts.append("location / 接続拠点: \(location)") }
    for (system, budget) in link.budgets.sorted(by: { $0.key < $1.key }) {
      parts.append("budget / 割当 \(system): \(budget) Mbit/s")
    }
    return parts.joined(separator: "\n")
  }

  static func server(_ server: BackboneDescription.Server) -> String {
    "message server / メッセージサーバー: \(server.name)\nrail / 系統: \(server.rail)\n\(server.address):\(server.port)"
      + (server.keepsStreams ? "\nkeeps what must last / 永続データを保持" : "")
  }

  static func node(_ node: Node) -> String {
    var parts = ["node / ノード: \(node.name)", "\(node.address):\(node.port)"]
    if !node.markets.isEmpty { parts.append("markets / 市場: \(node.markets.joined(separator: ", "))") }
    if node.roles.contains(.gateway) { parts.append("streams / 併合する系列: \(node.streams)") }
    return parts.joined(separator: "\n")
  }

  static func kind(_ kind: Failure.Kind) -> (en: String, ja: String) {
    switch kind {
    case .site: ("site", "拠点")
    case .zone: ("zone", "ゾーン")
    case .carrier: ("carrier", "通信事業者")
    case .location: ("location", "接続拠点")
    case .rail: ("rail", "系統")
    case .link: ("link", "回線")
    case .server: ("server", "サーバー")
    case .node: ("node", "ノード")
    }
  }

  static func nearness(_ nearness: Nearness) -> (en: String, ja: String) {
    switch nearness {
    case .sameZone: ("same zone", "同じゾーン")
    case .sameSite: ("same site", "同じ拠点")
    case .otherSite: ("other site", "別の拠点")
    }
  }

  static func effect(_ effect: StreamChange.Effect) -> (en: String, ja: String) {
    switch effect {
    case .unchanged: ("○ goes on", "○ 変化なし")
    case .thinner: ("◐ goes on with one stream less", "◐ 系列が減るが継続")
    case .switched: ("△ switches", "△ 切り替え")
    case .lost: ("✕ loses all streams", "✕ すべて失う")
    }
  }
}
