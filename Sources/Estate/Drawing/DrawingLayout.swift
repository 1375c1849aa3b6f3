// Where things stand in the drawing: sites are columns, locations one column after the first site, zones below each
// other, servers and nodes two a row within their zone.

struct DrawingLayout {
  struct Box {
    var x, y, width, height: Double
    var middleX: Double { x + width / 2 }
    var middleY: Double { y + height / 2 }
  }

  static let item = (width: 138.0, height: 46.0, gap: 10.0)

  private(set) var sites: [(site: Site, box: Box)] = []
  private(set) var zones: [String: Box] = [:]
  private(set) var items: [String: Box] = [:]
  /// Which column a zone is in.
  private(set) var columns: [String: Int] = [:]
  private(set) var width = 0.0
  private(set) var height = 0.0

  init(_ estate: Estate) {
    let places = estate.sites.filter { $0.kind == .location }
    var columns = estate.sites.filter { $0.kind != .location }.map { [$0] }
    if !places.isEmpty { columns.insert(places, at: min(1, columns.count)) }
    var x = 20.0
    for (number, column) in columns.enumerated() {
      let isPlaces = column.first?.kind == .location
      let width = isPlaces ? 150.0 : Self.item.width * 2 + Self.item.gap * 3 + 24
      // Locations begin lower, where the lines that they hand over are.
      var y = isPlaces ? 90.0 : 24.0
      for site in column {
        let top = y
        y += 34
        for zone in site.zones {
          let contents = Self.contents(of: zone, estate)
          let rows = Double((contents.count + 1) / 2)
          let box = Box(
            x: x + 12, y: y, width: width - 24,
            height: 34 + rows * (Self.item.height + Self.item.gap) + (rows == 0 ? 14 : 0))
          zones[zone] = box
          self.columns[zone] = number
          for (place, name) in contents.enumerated() {
            items[name] = Box(
              x: box.x + Self.item.gap + Double(place % 2) * (Self.item.width + Self.item.gap),
              y: box.y + 30 + Double(place / 2) * (Self.item.height + Self.item.gap), width: Self.item.width,
              height: Self.item.height)
          }
          y += box.height + 64
        }
        y -= site.zones.isEmpty ? 0 : 52
        sites.append((site, Box(x: x, y: top, width: width, height: y - top)))
        height = max(height, y + 20)
        y += 60
      }
      x += width + 250
    }
    width = max(360, x - 230)
  }

  /// Servers, then nodes, of a zone.
  private static func contents(of zone: String, _ estate: Estate) -> [String] {
    (estate.backbone?.servers ?? []).filter { $0.zone == zone }.map(\.name)
      + estate.nodes.filter { $0.zone == zone }.map(\.name)
  }

  /// The line of a link and where its label stands.
  func path(of link: Link, lane: Int) -> (
    curve: String, start: (Double, Double), end: (Double, Double), label: (Double, Double)
  )? {
    guard var a = zones[link.from], var b = zones[link.to], var from = columns[link.from],
      var to = columns[link.to]
    else { return nil }
    if from > to || (from == to && a.y > b.y) {
      swap(&a, &b)
      swap(&from, &to)
    }
    let shift = Double(lane) * 26
    if from == to {
      let between = zones.values.contains { $0.x == a.x && $0.y > a.y && $0.y < b.y }
      if !between {
        let x = a.middleX + shift
        let (start, end) = ((x, a.y + a.height), (x, b.y))
        return ("M\(start.0) \(start.1) L\(end.0) \(end.1)", start, end, (x, (start.1 + end.1) / 2))
      }
      let x = a.x + a.width
      let (start, end) = ((x, a.middleY + shift), (x, b.middleY - shift))
      let out = x + 90
      return (
        "M\(x) \(start.1) C\(out) \(start.1) \(out) \(end.1) \(x) \(end.1)", start, end,
        (x + 68, (start.1 + end.1) / 2)
      )
    }
    let (start, end) = ((a.x + a.width, a.middleY + shift), (b.x, b.middleY + shift))
    let middle = (start.0 + end.0) / 2
    return (
      "M\(start.0) \(start.1) C\(middle) \(start.1) \(middle) \(end.1) \(end.0) \(end.1)", start, end,
      (middle, (start.1 + end.1) / 2)
    )
  }
}
