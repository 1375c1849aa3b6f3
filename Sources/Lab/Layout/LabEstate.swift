// The estate as the laboratory runs it. Of what a person wrote it changes only what one machine and a published feed
// need; `changes` says what. Pure.
//   - loopback addresses become addresses of their own: 127.A.B.C is 10.127.B.C;
//   - the first market's feed is the laboratory's exchange on lines A and B, with a request server;
//   - files and folders are in the run's folder;
//   - firewalls aren't run: the laboratory measures the path of prices, and compiling rules would load the machine.

public import Estate

/// See the head of this file.
public struct LabEstate: Sendable, Equatable {
  /// The estate that it is done to.
  public var estate: Estate
  /// What was changed, for people.
  public var changes: [String] = []

  /// Where the exchange publishes if the estate doesn't say.
  static let lines = "239.1.0.1:26400,239.1.0.2:26400"
  static let request = "192.0.2.1:26401"

  /// The estate without a backbone, to compare with: each gateway is its own plant, and hears the feed itself.
  public static func independent(_ estate: Estate) -> Estate {
    var alone = estate
    alone.backbone = nil
    alone.nodes = estate.nodes.filter { $0.roles.contains(.gateway) }
    for index in alone.nodes.indices {
      alone.nodes[index].roles = [.plant, .gateway]
      alone.nodes[index].data = nil
    }
    return alone
  }

  /// - Parameters:
  ///   - folder: of the run: data and credentials go there.
  ///   - reference: path of the feed's reference file.
  ///   - zone: IANA name of the time zone of the feed.
  public init(_ original: Estate, folder: String, reference: String?, zone: String?) {
    estate = original
    moveAddresses()
    setFeed(reference: reference, zone: zone)
    for index in estate.nodes.indices {
      if estate.nodes[index].data != nil {
        estate.nodes[index].data = "\(folder)/data/\(estate.nodes[index].name)"
      }
      if estate.nodes[index].roles.contains(.plant) {
        estate.nodes[index].feedInterface = estate.nodes[index].feedInterface ?? "feed0"
      }
      if estate.nodes[index].roles.contains(.firewall), estate.nodes[index].roles.count > 1 {
        estate.nodes[index].roles.removeAll { $0 == .firewall }
      }
    }
    if original.nodes.contains(where: { $0.roles.contains(.firewall) }) {
      changes.append("firewalls aren't run")
    }
    if estate.backbone?.credentials != nil { estate.backbone?.credentials = "\(folder)/credentials" }
  }

  static func moved(_ address: String) -> String {
    guard let number = IPv4(address), number.isLoopback else { return address }
    return "10.127.\(number.number >> 8 & 255).\(number.number & 255)"
  }

  private mutating func moveAddresses() {
    let before = estate
    for index in estate.nodes.indices {
      estate.nodes[index].address = Self.moved(estate.nodes[index].address)
    }
    if var servers = estate.backbone?.servers {
      for index in servers.indices { servers[index].address = Self.moved(servers[index].address) }
      estate.backbone?.servers = servers
    }
    if before != estate { changes.append("loopback addresses 127.A.B.C are 10.127.B.C") }
  }

  private mutating func setFeed(reference: String?, zone: String?) {
    guard !estate.markets.isEmpty else { return }
    let feed = estate.markets[0].feed
    var address = MoldAddress(feed) == nil ? "mold:\(Self.lines)" : feed
    var options: [String] = []
    if !address.contains("request=") { options.append("request=\(Self.request)") }
    if !address.contains("interface=") { options.append("interface=feed0") }
    if !options.isEmpty { address += (address.contains("?") ? "&" : "?") + options.joined(separator: "&") }
    if address != feed { changes.append("the feed of \(estate.markets[0].code) is \(address)") }
    estate.markets[0].feed = address
    if let reference { estate.markets[0].reference = reference }
    if let zone { estate.markets[0].timeZone = zone }
    for index in estate.nodes.indices { estate.nodes[index].feeds[estate.markets[0].code] = nil }
  }
}
