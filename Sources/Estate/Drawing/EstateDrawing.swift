// An estate as SVG. What fails together looks alike: a box around a zone and a site, a pattern of dashes for each
// carrier, a mark for each location, a border for each rail. Names are always written: colour is never the only sign.

/// See the head of this file.
public struct EstateDrawing {
  private let estate: Estate
  private let layout: DrawingLayout
  private let loss: Loss
  private let carriers: [String]
  private let rails: [String]
  private var out = ""

  /// The drawing, with what is lost crossed out.
  public static func svg(_ estate: Estate, without failures: [Failure] = []) -> String {
    var drawing = EstateDrawing(estate, failures)
    drawing.draw()
    return drawing.out
  }

  private init(_ estate: Estate, _ failures: [Failure]) {
    self.estate = estate
    layout = DrawingLayout(estate)
    loss = estate.loss(of: failures)
    var carriers: [String] = []
    for carrier in estate.links.compactMap(\.carrier) where !carriers.contains(carrier) {
      carriers.append(carrier)
    }
    self.carriers = carriers
    rails = estate.rails
  }

  private mutating func line(_ text: String) { out += text + "\n" }

  private func text(_ x: Double, _ y: Double, _ style: String, _ text: String, limit: Int = 22) -> String {
    "<text x=\"\(x)\" y=\"\(y)\" class=\"\(style)\">\(text.clipped(to: limit).escaped)</text>"
  }

  private func box(_ box: DrawingLayout.Box, _ style: String, radius: Double) -> String {
    "<rect x=\"\(box.x)\" y=\"\(box.y)\" width=\"\(box.width)\" height=\"\(box.height)\" rx=\"\(radius)\" class=\"\(style)\"/>"
  }

  /// Two strokes through what is lost.
  private func cross(_ box: DrawingLayout.Box) -> String {
    let (right, bottom) = (box.x + box.width, box.y + box.height)
    return
      "<path class=\"cross\" d=\"M\(box.x) \(box.y) L\(right) \(bottom) M\(right) \(box.y) L\(box.x) \(bottom)\"/>"
  }

  private mutating func draw() {
    line(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(layout.width) \(layout.height)\" role=\"img\" "
        + "width=\"\(layout.width)\" height=\"\(layout.height)\" aria-label=\"\(estate.name.escaped)\">")
    line("<style>\(DrawingStyle.svg)</style>")
    line("<rect class=\"paper\" width=\"100%\" height=\"100%\"/>")
    for (site, box) in layout.sites { drawSite(site, box) }
    var lanes: [String: Int] = [:]
    for link in estate.links {
      let ends = [link.from, link.to].sorted().joined(separator: " ")
      drawLink(link, lane: lanes[ends, default: 0])
      lanes[ends, default: 0] += 1
    }
    for server in estate.backbone?.servers ?? [] { drawServer(server) }
    for node in estate.nodes { drawNode(node) }
    line("</svg>")
  }

  private mutating func drawSite(_ site: Site, _ frame: DrawingLayout.Box) {
    let kind =
      switch site.kind {
      case .datacenter: "▣ "
      case .cloud: "☁ "
      case .location: "◆ "
      }
    let words = Words.site(site.kind)
    line("<g><title>\(words.escaped): \(site.name.escaped)</title>\(box(frame, "site", radius: 14))")
    line(text(frame.x + 14, frame.y + 23, "site-name", kind + site.name) + "</g>")
    for zone in site.zones {
      guard let own = layout.zones[zone] else { continue }
      let isLost = loss.zones.contains(zone)
      line(
        "<g><title>\(Words.zone.escaped): \(zone.escaped)</title>\(box(own, isLost ? "zone lost" : "zone", radius: 8))"
      )
      line(text(own.x + 10, own.y + 20, isLost ? "zone-name lost" : "zone-name", zone))
      if isLost { line(cross(own)) }
      line("</g>")
    }
  }

  private mutating func drawLink(_ link: Link, lane: Int) {
    guard let path = layout.path(of: link, lane: lane) else { return }
    let isLost = loss.links.contains(link.name)
    let carrier = link.carrier.flatMap(carriers.firstIndex).map { " carrier\($0 % 6)" } ?? ""
    let style = "link\(carrier)\(link.role == .standby ? " standby" : "")\(isLost ? " lost" : "")"
    let marks = [
      link.location.map { "◆ \($0)" }, link.carrier.map { "↔ \($0)" },
      link.role == .standby ? "standby" : nil, isLost ? "✕" : nil,
    ].compactMap(\.self)
    let figures =
      "\(Shape.milliseconds(link.latencyMicroseconds)) ms"
      + (link.bandwidthMegabits.map { " · \($0) Mbit/s" } ?? "")
    line("<g><title>\(Words.link(link).escaped)</title><path class=\"\(style)\" d=\"\(path.curve)\"/>")
    for end in [path.start, path.end] {
      line("<circle class=\"\(style) end\" cx=\"\(end.0)\" cy=\"\(end.1)\" r=\"4\"/>")
    }
    let (x, y) = path.label
    let rows = [link.name, marks.joined(separator: " "), figures].filter { !$0.isEmpty }
    let wide = Double(rows.map { min(26, $0.count) }.max() ?? 0) * 6.3 + 12
    let high = Double(rows.count) * 13 + 6
    line(
      "<rect class=\"label\" x=\"\(x - wide / 2)\" y=\"\(y - high / 2)\" width=\"\(wide)\" height=\"\(high)\" rx=\"4\"/>"
    )
    for (number, row) in rows.enumerated() {
      let style = number == 0 ? "link-name" : "link-text"
      line(text(x, y - high / 2 + 13 + Double(number) * 13, isLost ? style + " lost" : style, row, limit: 26))
    }
    line("</g>")
  }

  private mutating func drawServer(_ server: BackboneDescription.Server) {
    guard let frame = layout.items[server.name] else { return }
    let isLost = loss.servers.contains(server.name)
    let rail = (rails.firstIndex(of: server.rail) ?? 0) % 4
    line("<g><title>\(Words.server(server).escaped)</title>")
    line(box(frame, "server rail\(rail)\(isLost ? " lost" : "")", radius: 20))
    line(text(frame.middleX, frame.y + 19, isLost ? "item-name lost" : "item-name", server.name, limit: 18))
    let keeps = server.keepsStreams ? " · ⛁" : ""
    line(text(frame.middleX, frame.y + 35, "item-text", "rail \(server.rail)\(keeps)", limit: 22))
    if isLost { line(cross(frame)) }
    line("</g>")
  }

  private mutating func drawNode(_ node: Node) {
    guard let frame = layout.items[node.name] else { return }
    let isLost = loss.nodes.contains(node.name)
    line("<g><title>\(Words.node(node).escaped)</title>")
    line(box(frame, isLost ? "node lost" : "node", radius: 3))
    line(text(frame.middleX, frame.y + 19, isLost ? "item-name lost" : "item-name", node.name, limit: 18))
    let roles = node.roles.map(\.rawValue).joined(separator: " · ")
    line(text(frame.middleX, frame.y + 35, "item-text", roles, limit: 24))
    if isLost { line(cross(frame)) }
    line("</g>")
  }
}
