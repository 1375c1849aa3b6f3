// What a run of the laboratory is asked to do.

public import Estate
import Foundation

/// See the head of this file.
public struct LabPlan: Sendable {
  /// What is done.
  public var scenario: Scenario
  /// The estate that it is done to.
  public var estate: Estate
  /// Repetitions of the fault.
  public var runs = 5
  /// Stretches without a fault before them, to compare with.
  public var controls = 2
  /// Decides the market.
  public var seed: UInt64 = 1
  /// Messages a second, and instruments.
  public var rate = 1_000
  /// Instruments of the market.
  public var instruments = 50
  /// How long a fault lasts; nil: as long as the scenario says.
  public var faultSeconds: Double?
  /// Clients before each site: the first holds one connection, the second two.
  public var clientsPerSite = 2
  /// Folder for the report, the records and the logs.
  public var folder: String
  /// The `kabuto` program.
  public var program: String
  /// Where runs are written down.
  public var registry = LabRegistry()

  /// With these values.
  public init(_ scenario: Scenario, estate: Estate, folder: String, program: String) {
    self.scenario = scenario
    self.estate = estate
    self.folder = folder
    self.program = program
  }

  var secondsOfFault: Double { faultSeconds ?? scenario.faultSeconds }

  /// What the caller lacks; nil: nothing.
  public static var lackingRights: String? {
    getuid() == 0 ? nil : "root: network namespaces and TAP devices need it; run it with sudo"
  }

  /// What the machine lacks for it, each with what to do; the caller's rights are no property of the machine.
  public static func lacking(_ scenario: ScenarioName) -> [String] {
    var lacking: [String] = []
    if access("/dev/net/tun", getuid() == 0 ? R_OK | W_OK : F_OK) != 0 {
      lacking.append("/dev/net/tun: the link emulator makes TAP devices; load the kernel's module tun")
    }
    for (path, package) in [
      ("/usr/sbin/ip", "iproute2"), ("/usr/lib/frr/bgpd", "frr"), ("/usr/lib/frr/bfdd", "frr"),
      ("/usr/sbin/nats-server", "nats-server"), ("/usr/bin/chown", "coreutils"),
    ] where access(path, X_OK) != 0 {
      lacking.append("\(path): install Debian's package \(package)")
    }
    if scenario == .clockSkew, ClockSkew.library == nil {
      lacking.append("libfaketime, which lets one host's clock be wrong: install Debian's package faketime")
    }
    if scenario == .slowDisk {
      for path in ["/usr/sbin/losetup", "/usr/sbin/mkfs.ext4", "/usr/sbin/fsfreeze"]
      where access(path, X_OK) != 0 {
        lacking.append("\(path): install Debian's packages mount, e2fsprogs and util-linux")
      }
    }
    return lacking
  }
}

/// How a host's clock is made wrong: libfaketime reads the difference from a file.
enum ClockSkew {
  static var library: String? {
    [
      "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
      "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    ]
    .first { access($0, R_OK) == 0 }
  }

  static func environment(file: String) -> [String: String] {
    guard let library else { return [:] }
    return [
      "LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": file, "FAKETIME_NO_CACHE": "1",
      "DONT_FAKE_MONOTONIC": "1",
    ]
  }
}
