// The estates that the program carries: the files of Estates/, word for word (a test compares them).

/// See the head of this file.
public enum EstateExamples {
  /// Their names.
  public static let names = ["embedded", "two-zones", "two-sites"]

  /// The text of the estate of a name; nil: there is none.
  public static func text(named name: String) -> String? {
    switch name {
    case "embedded": embedded
    case "two-zones": twoZones
    case "two-sites": twoSites
    default: nil
    }
  }

  /// One process on one machine.
  static let embedded = #"""
    # One process on one machine: what `kabuto serve` runs without an estate.
    estate: embedded
    version: 1

    markets:
      - code: XTKS
        feed: "sim:"
        time_zone: Asia/Tokyo

    sites:
      - name: here
        zones: [here]

    nodes:
      - name: kabuto
        zone: here
        address: 127.0.0.1
        roles: [plant, store, gateway, firewall]

    services:
      - name: quotes
        nodes: [kabuto]
        needs: [prices]

    tenants:
      - name: public
        markets: [XTKS]

    databases:
      - name: prices
        kind: sqlite
        zones: [kabuto]

    """#

  /// Two zones of one site, on one machine.
  static let twoZones = #"""
    # Two zones of one site. All addresses are of the loopback network, so it runs on one machine as it stands: two message
    # servers, two plants and two gateways that merge the streams of both plants.
    estate: two-zones
    version: 1

    markets:
      - code: XTKS
        feed: "sim:seed=1&instruments=400&speed=1"
        time_zone: Asia/Tokyo

    sites:
      - name: tokyo
        zones: [tky-a, tky-b]

    links:
      - name: tky-ab
        between: [tky-a, tky-b]
        latency_ms: 1.25
        bandwidth_mbps: 10000

    backbone:
      servers:
        - {name: nats-tky-a, zone: tky-a, rail: a, address: 127.0.1.10, keeps_streams: true}
        - {name: nats-tky-b, zone: tky-b, rail: b, address: 127.0.2.10, keeps_streams: true}

    nodes:
      - name: plant-tky-a
        zone: tky-a
        address: 127.0.1.21
        roles: [plant, store]
        data: data/plant-tky-a
      - name: plant-tky-b
        zone: tky-b
        address: 127.0.2.21
        roles: [plant, store]
        data: data/plant-tky-b
      - name: gw-tky-a
        zone: tky-a
        address: 127.0.1.31
        roles: [gateway, firewall]
        streams: 2
      - name: gw-tky-b
        zone: tky-b
        address: 127.0.2.31
        roles: [gateway, firewall]
        streams: 2

    services:
      - name: prices
        nodes: [plant-tky-a, plant-tky-b]
      - name: quotes
        nodes: [gw-tky-a, gw-tky-b]
        needs: [prices]

    tenants:
      - name: public
        markets: [XTKS]

    databases:
      - name: history
        kind: sqlite
        zones: [plant-tky-a, plant-tky-b]

    """#

  /// Two sites with two zones each.
  static let twoSites = #"""
    # Two sites with two zones each, both active. Two carriers lead from Tokyo to two locations, where the cloud's region in
    # Osaka takes over; the locations are joined too, so that a carrier and a location can be lost on different ways.
    # Rails a and b share no server and no zone. Latencies are one way: 0.25 ms in a zone, 1.25 between zones, 2.25 between
    # sites.
    estate: two-sites
    version: 1

    markets:
      - code: XTKS
        feed: "mold:239.1.0.1:26400,239.1.0.2:26400"
        time_zone: Asia/Tokyo

    sites:
      - name: tokyo
        zones: [tky-a, tky-b]
      - name: osaka
        kind: cloud
        zones: [osk-a, osk-b]
      - name: dx-1
        kind: location
        zones: [dx-1]
      - name: dx-2
        kind: location
        zones: [dx-2]

    links:
      - name: tky-ab
        between: [tky-a, tky-b]
        latency_ms: 1.25
        bandwidth_mbps: 10000
      - name: osk-ab
        between: [osk-a, osk-b]
        latency_ms: 1.25
        bandwidth_mbps: 10000
      - name: line-1
        between: [tky-a, dx-1]
        latency_ms: 1.75
        bandwidth_mbps: 1000
        carrier: north
        location: dx-1
        budgets: {prices: 400, history: 200}
      - name: line-2
        between: [tky-b, dx-2]
        latency_ms: 1.75
        bandwidth_mbps: 1000
        carrier: south
        location: dx-2
        role: standby
        budgets: {prices: 400, history: 200}
      - name: port-1
        between: [dx-1, osk-a]
        latency_ms: 0.5
        bandwidth_mbps: 1000
        location: dx-1
      - name: port-2
        between: [dx-2, osk-b]
        latency_ms: 0.5
        bandwidth_mbps: 1000
        location: dx-2
        role: standby
      - name: dx-12
        between: [dx-1, dx-2]
        latency_ms: 0.5
        bandwidth_mbps: 1000

    backbone:
      between_sites: gateways
      servers:
        - {name: nats-tky-a, zone: tky-a, rail: a, address: 10.1.1.10}
        - {name: nats-tky-b, zone: tky-b, rail: b, address: 10.1.2.10}
        - {name: nats-osk-a, zone: osk-a, rail: a, address: 10.2.1.10}
        - {name: nats-osk-b, zone: osk-b, rail: b, address: 10.2.2.10}
        # What must last, once a rail, at different sites.
        - {name: keep-tky, zone: tky-a, rail: a, address: 10.1.1.11, keeps_streams: true}
        - {name: keep-osk, zone: osk-b, rail: b, address: 10.2.2.11, keeps_streams: true}
      credentials: two-sites.credentials

    nodes:
      - name: plant-tky-a
        zone: tky-a
        address: 10.1.1.21
        roles: [plant, store]
        data: data/plant-tky-a
      - name: plant-tky-b
        zone: tky-b
        address: 10.1.2.21
        roles: [plant, store]
        data: data/plant-tky-b
      - name: plant-osk-a
        zone: osk-a
        address: 10.2.1.21
        roles: [plant, store]
        data: data/plant-osk-a
      - name: plant-osk-b
        zone: osk-b
        address: 10.2.2.21
        roles: [plant, store]
        data: data/plant-osk-b
      - name: gw-tky-a
        zone: tky-a
        address: 10.1.1.31
        roles: [gateway, firewall]
        streams: 2
      - name: gw-tky-b
        zone: tky-b
        address: 10.1.2.31
        roles: [gateway, firewall]
        streams: 2
      - name: gw-osk-a
        zone: osk-a
        address: 10.2.1.31
        roles: [gateway, firewall]
        streams: 2
      - name: gw-osk-b
        zone: osk-b
        address: 10.2.2.31
        roles: [gateway, firewall]
        streams: 2

    services:
      - name: prices
        nodes: [plant-tky-a, plant-tky-b, plant-osk-a, plant-osk-b]
      - name: quotes
        nodes: [gw-tky-a, gw-tky-b, gw-osk-a, gw-osk-b]
        needs: [prices]
        host: quotes.example.com

    tenants:
      - name: broker
        markets: [XTKS]
      - name: portal
        markets: [XTKS]
        entitlement: delayed

    databases:
      - name: history
        kind: sqlite
        zones: [plant-tky-a, plant-tky-b, plant-osk-a, plant-osk-b]

    """#
}
