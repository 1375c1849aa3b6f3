// Plays live MoldUDP64 lines: sockets and clock around a MoldReceiver.

import CNetwork
import FeedProtocols
import Foundation
import MarketData
import TickerPlant

/// Live lines, as they are prepared.
struct MoldLines: Sendable {
  /// Where to listen, line A first.
  var lines: [FeedEndpoint]
  /// The request server.
  var request: FeedEndpoint?
  /// Network interface to listen on.
  var interface: String?
  /// How arbitration decides.
  var configuration: LineArbiterConfiguration
  /// Requests a second.
  var requestsPerSecond: Int
  /// Days follow one another from the first, whatever the clock says.
  var hasFixedDay: Bool

  init(_ address: FeedAddress.Mold, hasFixedDay: Bool) {
    lines = address.lines
    request = address.request
    interface = address.interface
    requestsPerSecond = address.requestsPerSecond
    self.hasFixedDay = hasFixedDay
    configuration = LineArbiterConfiguration(lines: address.lines.count)
    configuration.heartbeatNanoseconds = address.heartbeatMilliseconds * 1_000_000
    configuration.waitNanoseconds = address.waitMilliseconds * 1_000_000
    configuration.hasRequestServer = address.request != nil
  }
}

extension FeedThread {
  /// Batches taken from one line before the other has its turn.
  private static var mostBatches: Int { 4 }

  func playLines(_ lines: MoldLines) throws(FeedSetupError) {
    var sockets: [DatagramSocket] = []
    for line in lines.lines {
      sockets.append(try DatagramSocket(listeningTo: line, interface: lines.interface))
    }
    if let request = lines.request { sockets.append(try DatagramSocket(connectedTo: request)) }
    if let least = sockets.map(\.kernelBytes).min(), least < Int(DatagramSocket.bufferBytes) {
      outlets.log(
        .warning,
        "\(feed.source): the kernel holds at most \(least >> 10) KiB for a line, "
          + "\(DatagramSocket.bufferBytes >> 20) MiB are wanted: raise net.core.rmem_max, or bursts will be lost"
      )
    }
    var configuration = lines.configuration
    var duty: RelayDuty?
    if let relay = outlets.relay {
      // Another plant is one more line, and answers as a request server does.
      duty = RelayDuty(
        relay, ownLines: lines.lines.count, heartbeat: configuration.heartbeatNanoseconds,
        at: Self.monotonic())
      configuration.ownLines = configuration.lines
      configuration.lines += 1
      configuration.hasRequestServer = true
    }
    var receiver = MoldReceiver(
      configuration, requestsPerSecond: lines.requestsPerSecond, plant: plant, firstDay: feed.date,
      hasFixedDay: lines.hasFixedDay)
    receiver.retained = duty?.retained
    if let relay = outlets.relay { receiver.relayName = { relay.node } }
    var descriptors = sockets.map(\.descriptor)
    if let relay = outlets.relay { descriptors.append(relay.signal.descriptor) }
    // The request server's socket is the last of ours, but its line comes behind another plant's.
    let requestSocket = lines.request == nil ? nil : sockets.count - 1
    let requestLine = receiver.arbiter.requestLine
    var ready = [UInt8](repeating: 0, count: descriptors.count)
    let tickNanoseconds = min(10_000_000, lines.configuration.heartbeatNanoseconds / 10)
    var tickAt: UInt64 = 0
    var dayAt: UInt64 = 0
    var wasLate = false
    var hasEnded = false
    while !stops {
      var now = Self.monotonic()
      let polledAt = now
      let due = min(tickAt, receiver.arbiter.nextDue(after: now) ?? .max)
      let pause = due > now ? min(due - now, tickNanoseconds) : 0
      let isReady = kabuto_wait(descriptors, &ready, Int32(descriptors.count), pause) > 0
      now = Self.monotonic()
      if now >= dayAt {
        // Before anything is read: a process that stood still over midnight must not name a new session by the old day.
        dayAt = now + 10_000_000_000
        receiver.today = feed.today
      }
      if isReady {
        for _ in 0..<Self.mostBatches {
          var hasMore = false
          for (place, socket) in sockets.enumerated() where ready[place] != 0 {
            now = Self.monotonic()
            let line = place == requestSocket ? requestLine : place
            let received = socket.receive { datagram in
              receiver.take(
                datagram.bytes, line: line,
                receivedAt: datagram.receivedAt > 0 ? datagram.receivedAt : Self.wallClock(), at: now,
                plant: &plant)
              if datagram.dropped > 0 { receiver.countDropped(UInt64(datagram.dropped), line: line) }
            }
            if DatagramSocket.isFull(received) { hasMore = true }
          }
          receiver.takeHistory { archive($0) }
          publish()
          if !hasMore { break }
        }
      }
      now = Self.monotonic()
      // After a pause (a full ring, a snapshot) the sockets are read before anybody is called silent.
      let isLate = now &- polledAt > 5 &* tickNanoseconds
      if isLate, !wasLate {
        wasLate = true
      } else if now >= tickAt || due <= now {
        wasLate = false
        tickAt = now + tickNanoseconds
        receiver.tick(at: now, plant: &plant)
      }
      if duty != nil {
        outlets.relay?.signal.clear()
        duty?.take(into: &receiver, plant: &plant, receivedAt: Self.wallClock(), at: now)
        if outlets.relay?.takeRebuild() ?? false {
          receiver.rebuild(
            from: bases.filter { $0.epoch == plant.epoch }.map { ($0.sequence, $0.bytes) }, at: now)
        }
      }
      let requests = receiver.outgoing
      receiver.outgoing.removeAll(keepingCapacity: true)
      for request in requests {
        // A second plant gets what the first still has.
        if let duty, receiver.isHealing,
          let packet = duty.retained.packet(request.session, from: request.sequence, most: Int(request.count))
        {
          receiver.take(packet, line: requestLine, receivedAt: Self.wallClock(), at: now, plant: &plant)
          continue
        }
        var writer = ByteWriter(capacity: MoldUDP64Request.byteCount)
        request.encode(into: &writer)
        if let requestSocket { sockets[requestSocket].send(writer.bytes) }
        // Other plants are asked where the request server lacks something, or there is none.
        if let duty, requestSocket == nil || duty.isWanted { duty.relay.carrier.ask(request) }
      }
      for note in receiver.notes { outlets.log(note.level, "\(feed.source): \(note.text)") }
      receiver.notes.removeAll(keepingCapacity: true)
      receiver.takeHistory { archive($0) }
      if hasEnded != (plant.sourceState == .ended) {
        hasEnded.toggle()
        // The day's last state, and its digest.
        if hasEnded {
          publish()
          saveSnapshot()
        }
      }
      lineReports = report(receiver, lines, now)
      requestReport = receiver.requests
      publish()
      duty?.work(receiver.arbiter, isEnded: hasEnded, at: now)
    }
  }

  private func report(_ receiver: borrowing MoldReceiver, _ lines: MoldLines, _ now: UInt64) -> [LineReport] {
    guard isReportDue(now) else { return lineReports }
    var reports: [LineReport] = []
    for (place, statistics) in receiver.arbiter.lines.enumerated() {
      let isOwn = place < lines.lines.count
      reports.append(
        LineReport(
          name: isOwn ? (place == 0 ? "A" : "B") : "C",
          address: isOwn ? lines.lines[place].description : outlets.relay?.node ?? "",
          statistics: statistics,
          quietNanoseconds: statistics.heardAt == 0 ? nil : now &- statistics.heardAt))
    }
    return reports
  }
}
