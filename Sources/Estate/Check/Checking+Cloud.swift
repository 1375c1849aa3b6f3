// What an estate says of Amazon's cloud: zones that are zones of it, in regions that are used, each once.

extension Checking {
  mutating func cloud() {
    guard let aws = estate.aws else { return }
    let place = place
    var seen: [String: String] = [:]
    for (zone, name) in aws.zones.sorted(by: { $0.key < $1.key }) {
      let at = place("aws", "zones", .key(zone))
      require(
        zone, among: zones, .unknownZone, at,
        "aws.zones names zone \(Self.quoted(zone)), which no site has", "zones")
      if let other = seen.updateValue(zone, forKey: name) {
        tell(
          .listedTwice, at, "zones \(Self.quoted(other)) and \(Self.quoted(zone)) are both \(name)",
          "a zone of AWS for each")
      }
      if let site = estate.site(ofZone: zone), site.kind != .cloud {
        tell(
          .zoneElsewhere, at,
          "zone \(Self.quoted(zone)) is \(name), but its site \(Self.quoted(site.name)) is no cloud",
          "zones of sites of kind cloud")
      }
      let region = CloudDescription.region(ofZone: name)
      if region == nil {
        tell(.badValue, at, "\(Self.quoted(name)) is no name of a zone", "such as ap-northeast-3a")
      } else if let region, !aws.regions.isEmpty, !aws.regions.contains(region) {
        tell(
          .zoneElsewhere, at, "zone \(Self.quoted(zone)) is in \(region), which aws.regions doesn't have",
          "regions: \(Self.shown(aws.regions))")
      }
    }
    for (key, list) in [
      ("accounts", aws.accounts), ("regions", aws.regions), ("instance_types", aws.instanceTypes),
    ] {
      var known: Set<String> = []
      for (number, name) in list.enumerated() where !known.insert(name).inserted {
        tell(
          .listedTwice, place("aws", .key(key), .index(number)),
          "aws.\(key) lists \(Self.quoted(name)) twice",
          "each name once")
      }
    }
    for (number, service) in estate.services.enumerated() where Set(service.ports).count < service.ports.count
    {
      tell(
        .listedTwice, place("services", .index(number), "ports"),
        "service \(Self.quoted(service.name)) lists a port twice", "each port once")
    }
  }
}

extension CloudDescription {
  /// `ap-northeast-3` of `ap-northeast-3a`; nil = it is no name of a zone.
  public static func region(ofZone name: String) -> String? {
    guard let last = name.utf8.last, (97...122).contains(last) else { return nil }
    let region = name.dropLast()
    guard let digit = region.utf8.last, (48...57).contains(digit), region.contains("-") else { return nil }
    return String(region)
  }

  /// Regions that are used: those that are named, else those of the zones; in alphabetical order.
  public var usedRegions: [String] {
    (regions.isEmpty ? Set(zones.values.compactMap(Self.region)) : Set(regions)).sorted()
  }
}
