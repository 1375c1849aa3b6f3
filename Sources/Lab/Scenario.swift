// The laboratory's scenarios by name (DESIGN, Lab).

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
  case rollingUpgrade = "rolling-upgrade"
  case burstDuringFault = "burst-during-fault"
}
