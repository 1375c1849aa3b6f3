// Whether two hosts reach one another, as the network alone decides: a datagram each few milliseconds from one to the
// other and back. Owner: one thread; both sockets are in the namespaces of their hosts.

import CNetwork
import Foundation

/// What a probe saw.
struct PathProbeResult: Sendable, Equatable, Codable {
  /// The longest time between two answers, milliseconds.
  var longestSilenceMilliseconds: Double
  /// Round trips, milliseconds.
  var medianMilliseconds: Double
  var p99Milliseconds: Double
  var sent: Int
  var answered: Int
}

/// See the head of this file.
final class PathProbe {
  private let one: Int32
  private let other: Int32
  private var address: sockaddr_in

  /// - Parameters: files of two namespaces, and the address of the second.
  init(from: String, to: String, address: IPv4) throws(LabFailure) {
    one = kabuto_open_socket(from, Int32(SOCK_DGRAM.rawValue))
    other = kabuto_open_socket(to, Int32(SOCK_DGRAM.rawValue))
    // Any port: that of the probe before may still be open.
    let bound = one >= 0 && other >= 0 ? Self.bind(other, Self.socketAddress(address, port: 0)) : nil
    self.address = bound ?? Self.socketAddress(address, port: 0)
    if bound == nil { throw LabFailure("probe to \(address): \(String(cString: strerror(errno)))") }
  }

  deinit {
    if one >= 0 { close(one) }
    if other >= 0 { close(other) }
  }

  static func socketAddress(_ address: IPv4, port: UInt16) -> sockaddr_in {
    var result = sockaddr_in()
    result.sin_family = sa_family_t(AF_INET)
    result.sin_port = port.bigEndian
    result.sin_addr.s_addr = address.number.bigEndian
    return result
  }

  /// - Returns: the address with the port that it was given; nil where it can't be bound.
  private static func bind(_ socket: Int32, _ address: sockaddr_in) -> sockaddr_in? {
    var address = address
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutableBytes(of: &address) { bytes in
      guard let base = bytes.bindMemory(to: sockaddr.self).baseAddress else { return false }
      return Glibc.bind(socket, base, length) == 0 && getsockname(socket, base, &length) == 0
    }
    return isBound ? address : nil
  }

  /// Sends for so long. `during` is called once, after `after` seconds.
  func run(
    seconds: Double, interval: Double = 0.002, after: Double = 0, until flag: LabStopFlag = LabStopFlag(),
    during: () throws -> Void
  ) rethrows -> PathProbeResult {
    let start = LinkEmulator.now()
    var end = start + UInt64(seconds * 1e9)
    var called = false
    var sent = 0
    var last = start
    var silence: UInt64 = 0
    var trips: [UInt64] = []
    while true {
      let now = LinkEmulator.now()
      if flag.isStopped { end = min(end, now) }
      if now >= end { break }
      if !called, now >= start + UInt64(after * 1e9) {
        called = true
        try during()
      }
      if now >= start + UInt64(Double(sent) * interval * 1e9) {
        sendTime(now)
        sent += 1
      }
      var ready: [UInt8] = [0, 0]
      let due = start + UInt64(Double(sent) * interval * 1e9)
      _ = kabuto_wait([one, other], &ready, 2, due > now ? due - now : 0)
      if ready[1] != 0 { echo() }
      if ready[0] != 0 {
        while let time = receive() {
          let now = LinkEmulator.now()
          trips.append(now - time)
          silence = max(silence, now - last)
          last = now
        }
      }
    }
    silence = max(silence, end > last ? end - last : 0)
    trips.sort()
    func at(_ share: Double) -> Double {
      trips.isEmpty ? .infinity : Double(trips[min(trips.count - 1, Int(Double(trips.count) * share))]) / 1e6
    }
    return PathProbeResult(
      longestSilenceMilliseconds: Double(silence) / 1e6, medianMilliseconds: at(0.5),
      p99Milliseconds: at(0.99),
      sent: sent, answered: trips.count)
  }

  private func sendTime(_ time: UInt64) {
    withUnsafeBytes(of: time) { bytes in
      withUnsafeBytes(of: address) { to in
        _ = sendto(
          one, bytes.baseAddress, bytes.count, 0, to.bindMemory(to: sockaddr.self).baseAddress,
          socklen_t(to.count))
      }
    }
  }

  private func echo() {
    var buffer = [UInt8](repeating: 0, count: 64)
    var sender = sockaddr_in()
    while true {
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      let count = withUnsafeMutableBytes(of: &sender) {
        recvfrom(other, &buffer, buffer.count, 0, $0.bindMemory(to: sockaddr.self).baseAddress, &length)
      }
      guard count > 0 else { return }
      withUnsafeBytes(of: sender) {
        _ = sendto(other, buffer, count, 0, $0.bindMemory(to: sockaddr.self).baseAddress, length)
      }
    }
  }

  private func receive() -> UInt64? {
    var time: UInt64 = 0
    let count = withUnsafeMutableBytes(of: &time) { recv(one, $0.baseAddress, $0.count, 0) }
    return count == 8 ? time : nil
  }
}

/// A probe on a thread of its own, for as long as somebody wants to know.
///
/// @unchecked Sendable: `result` is written by the thread before it says that it is done, and read after.
final class ProbeThread: @unchecked Sendable {
  private let flag = LabStopFlag()
  private let done = DispatchSemaphore(value: 0)
  private var result: PathProbeResult?

  init(_ probe: PathProbe) {
    // Handed over: nobody else has it.
    nonisolated(unsafe) let own = probe
    let thread = Thread { [self] in
      result = own.run(seconds: 3_600, interval: 0.01, until: flag) {}
      done.signal()
    }
    thread.start()
  }

  /// Stops; the longest silence, milliseconds.
  func end() -> Double? {
    flag.stop()
    done.wait()
    return result?.longestSilenceMilliseconds
  }
}
