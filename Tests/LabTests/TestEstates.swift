// Estates that the laboratory's tests build, and what they need of the machine.

import Estate
import Foundation

@testable import Lab

enum TestEstates {
  /// Two sites of two zones, two carriers through two locations: `osk` lies behind both.
  static func twoSites() -> Estate {
    var estate = Estate(name: "test-two-sites")
    estate.markets = [
      Market(
        code: "XTKS", feed: "mold:239.1.1.1:26400,239.1.1.2:26400?request=10.9.0.1:26401&interface=feed0")
    ]
    estate.sites = [Site(name: "tky", zones: ["ta", "tb"]), Site(name: "osk", zones: ["oa", "ob"])]
    var number = 0
    func link(
      _ from: String, _ to: String, _ microseconds: Int, carrier: String? = nil, location: String? = nil,
      standby: Bool = false
    ) {
      number += 1
      var link = Link(name: "link\(number)", from: from, to: to, latencyMicroseconds: microseconds)
      link.carrier = carrier
      link.location = location
      link.role = standby ? .standby : .active
      link.bandwidthMegabits = carrier == nil ? nil : 100
      estate.links.append(link)
    }
    link("ta", "tb", 1250)
    link("oa", "ob", 1250)
    link("ta", "oa", 2500, carrier: "alpha", location: "dx1")
    link("tb", "ob", 2500, carrier: "beta", location: "dx2", standby: true)
    for (index, zone) in ["ta", "tb", "oa", "ob"].enumerated() {
      estate.nodes.append(
        Node(name: "plant-\(zone)", zone: zone, address: "10.1.\(index + 1).11", roles: [.plant]))
      estate.nodes.append(
        Node(name: "gateway-\(zone)", zone: zone, address: "10.1.\(index + 1).21", roles: [.gateway]))
    }
    return estate
  }

  /// Whether namespaces and TAP devices can be made here.
  static let hasNamespaces =
    getuid() == 0 && access("/dev/net/tun", R_OK | W_OK) == 0
    && access("/usr/sbin/ip", X_OK) == 0
  /// Whether FRR is there as well.
  static let hasRouters =
    hasNamespaces && access("/usr/lib/frr/bgpd", X_OK) == 0
    && access("/usr/lib/frr/bfdd", X_OK) == 0

  /// A folder that a test may fill.
  static func folder() throws -> String {
    let path = NSTemporaryDirectory() + "/lab-tests-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
  }
}
