// Carrying out the steps of a scenario.

import Estate
import Foundation

extension LabSession {
  func carryOut(_ step: LabStep) throws(LabFailure) {
    switch step {
    case .kill(let name): signal(name, SIGKILL)
    case .freeze(let name): signal(name, SIGSTOP)
    case .thaw(let name): signal(name, SIGCONT)
    case .start(let name):
      try startAgain(name)
      try waitUntilReady(name)
    case .restart(let name):
      nodes[name]?.end(within: 10)
      try startAgain(name)
      try waitUntilReady(name)
    case .takeOut(let name): signal(name, SIGUSR1)
    case .bringBack(let name):
      signal(name, SIGUSR2)
      try waitUntilReady(name)
    case .darken(let zone): try darken(zone)
    case .lighten(let zone): try lighten(zone)
    case .cut(let line): try set(line, .cut, 1)
    case .mend(let line): try set(line, .cut, 0)
    case .lose(let line, let share): try set(line, .loss, UInt64(share))
    case .hole(let line, let share): try set(line, .hole, UInt64(share))
    case .cutFeed(let site): try setFeed(site, "down")
    case .mendFeed(let site): try setFeed(site, "up")
    case .skew(let host, let seconds): try setClock(host, seconds)
    case .freezeDisk:
      try LabCommand.require(["/usr/sbin/fsfreeze", "--freeze", "\(entry.folder)/data"], run: entry.run)
    case .thawDisk:
      try LabCommand.require(["/usr/sbin/fsfreeze", "--unfreeze", "\(entry.folder)/data"], run: entry.run)
    case .burst: startBurst()
    case .calm: endBurst()
    case .wait(let milliseconds): try sleep(Double(milliseconds) / 1000)
    }
  }

  private func signal(_ name: String, _ number: Int32) {
    if nodes[name]?.signal(number) != true {
      faults.append("\(name) wasn't there to be signalled")
    }
  }

  private func set(_ line: String, _ key: LinkCommand.Key, _ value: UInt64) throws(LabFailure) {
    try network?.links.say(.set(name: line, .both, [.init(key, value)]))
  }

  private func setFeed(_ site: String, _ state: String) throws(LabFailure) {
    guard let number = layout.sites.firstIndex(where: { $0.name == site }) else { return }
    for segment in ["a", "b"] { try network?.set("exchange", "\(segment)\(number)", state) }
  }

  func setClock(_ host: String, _ seconds: Int) throws(LabFailure) {
    let path = "\(entry.folder)/clock-\(host)"
    guard FileManager.default.createFile(atPath: path, contents: Data("+\(seconds)\n".utf8)) else {
      throw LabFailure("\(path): can't be written")
    }
  }

  // MARK: - Zones

  private func names(in zone: String) -> [String] {
    layout.hosts.filter { $0.zone == zone }.flatMap { $0.servers + $0.nodes }
  }

  /// Silence first: a machine without power sends no farewell.
  private func darken(_ zone: String) throws(LabFailure) {
    guard let network, let router = layout.router(ofZone: zone) else { return }
    for line in layout.lines(at: router.name) { try set(line.name, .cut, 1) }
    try network.set(LabNetwork.switchName(zone), "br0", "down")
    for name in names(in: zone) { signal(name, SIGKILL) }
    for process in network.processes(of: router.name) { process.signal(SIGKILL) }
  }

  private func lighten(_ zone: String) throws(LabFailure) {
    guard let network, let router = layout.router(ofZone: zone) else { return }
    try network.set(LabNetwork.switchName(zone), "br0", "up")
    for line in layout.lines(at: router.name) { try set(line.name, .cut, 0) }
    try network.startRouter(router)
    // One after the other, as far as power comes back to machines at different times: all at once would be a test of this
    // one machine.
    let until = Date().addingTimeInterval(5)
    while !network.missingRoutes(of: router.name).isEmpty, Date() < until { try sleep(0.1) }
    for name in names(in: zone) {
      try startAgain(name)
      try sleep(0.2)
    }
    for name in names(in: zone) { try waitUntilReady(name) }
  }

  // MARK: - Bursts

  /// The exchange holds messages back for 225 ms and sends them within the next 25: ten times the rate in bursts.
  private func startBurst() {
    let flag = LabStopFlag()
    isBursting = flag
    let ids = publishers
    let thread = Thread {
      while !flag.isStopped {
        for process in ids { process.signal(SIGSTOP) }
        usleep(225_000)
        for process in ids { process.signal(SIGCONT) }
        usleep(25_000)
      }
      for process in ids { process.signal(SIGCONT) }
    }
    thread.start()
    burst = thread
  }

  private func endBurst() {
    isBursting.stop()
    while burst?.isFinished == false { usleep(5_000) }
    burst = nil
  }
}
