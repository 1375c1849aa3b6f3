// One line: a UDP socket that sends packets to a group (or to one host) in batches, through the line's own faults.
// Heartbeats and ends of session can be lost too, by numbers of their own, because when they come depends on time.
// Owner: the publisher's thread. Packets are slots of the publisher's ring; a slot is sent before it is used again.

import CNetwork
import Foundation
import MarketData

/// See the head of this file.
final class MoldLine {
  /// What a line has done.
  struct Counters {
    var packets: UInt64 = 0
    var messages: UInt64 = 0
    var bytes: UInt64 = 0
    var heartbeats: UInt64 = 0
    var errors: UInt64 = 0
    var firstError: String?
  }

  let name: String
  private(set) var impairment: LineImpairment
  private(set) var counters = Counters()
  private let socket: Int32
  private let address: ResolvedEndpoint
  private let ring: PacketRing
  private var statusRandom: SeededGenerator
  private let batch: UnsafeMutablePointer<kabuto_datagram>
  private var pending = 0

  /// Opens the socket.
  /// - Throws: `FeedSetupError`.
  init(
    _ endpoint: FeedEndpoint, interface: String?, number: Int, ring: PacketRing, rates: LineImpairment.Rates,
    seed: UInt64
  ) throws(FeedSetupError) {
    name = number == 0 ? "A" : "B"
    self.ring = ring
    impairment = LineImpairment(rates: rates, seed: seed, line: number)
    statusRandom = SeededGenerator(seed: StateDigest.mix(seed &+ 0x5354_4154 &+ UInt64(number)))
    address = try ResolvedEndpoint.first(endpoint, isStream: false)
    socket = try Self.open(address, interface: interface)
    batch = .allocate(capacity: Int(KABUTO_BATCH))
    batch.initialize(repeating: kabuto_datagram(), count: Int(KABUTO_BATCH))
  }

  deinit {
    close(socket)
    batch.deallocate()
  }

  private static func open(
    _ address: ResolvedEndpoint, interface: String?
  ) throws(FeedSetupError) -> Int32 {
    let descriptor = Foundation.socket(
      address.family, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw FeedSetupError("can't open a UDP socket: \(systemError())") }
    var failure: String?
    func set(_ level: Int32, _ option: Int32, _ value: some BitwiseCopyable, _ what: String) {
      let status = withUnsafeBytes(of: value) {
        setsockopt(descriptor, level, option, $0.baseAddress, socklen_t($0.count))
      }
      if status != 0, failure == nil { failure = "\(what): \(systemError())" }
    }
    var bytes: Int32 = 4 << 20
    // A wish: the kernel gives what it may.
    setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
    do throws(FeedSetupError) {
      if address.isMulticast {
        let index = try interface.map { text throws(FeedSetupError) in try NetworkInterfaces.index(of: text) }
        if address.family == AF_INET {
          if let index {
            set(
              Int32(IPPROTO_IP), IP_MULTICAST_IF,
              ip_mreqn(imr_multiaddr: in_addr(), imr_address: in_addr(), imr_ifindex: Int32(index)),
              "interface \"\(interface ?? "")\"")
          }
          set(Int32(IPPROTO_IP), IP_MULTICAST_TTL, Int32(1), "time to live 1")
          set(Int32(IPPROTO_IP), IP_MULTICAST_LOOP, Int32(1), "loop back")
        } else {
          if let index {
            set(Int32(IPPROTO_IPV6), IPV6_MULTICAST_IF, Int32(index), "interface \"\(interface ?? "")\"")
          }
          set(Int32(IPPROTO_IPV6), IPV6_MULTICAST_HOPS, Int32(1), "hop limit 1")
          set(Int32(IPPROTO_IPV6), IPV6_MULTICAST_LOOP, Int32(1), "loop back")
        }
      }
      if let failure { throw FeedSetupError(failure) }
    } catch {
      close(descriptor)
      throw error
    }
    return descriptor
  }

  /// A packet with messages is to be sent.
  func offer(_ slot: Int) {
    impairment.offer(slot) { [self] in add($0, isStatus: false) }
  }

  /// A heartbeat or an end of session is to be sent.
  func offerStatus(_ slot: Int) {
    if Double.fraction(of: statusRandom.next()) < impairment.rates.loss { return }
    counters.heartbeats += 1
    add(slot, isStatus: true)
  }

  /// Nothing follows for a while: what is held goes out.
  func flushHeld() {
    impairment.flush { [self] in add($0, isStatus: false) }
    send()
  }

  private func add(_ slot: Int, isStatus: Bool) {
    batch[pending].bytes = ring.slot(slot)
    batch[pending].count = UInt32(ring.byteCounts[slot])
    pending += 1
    counters.packets += isStatus ? 0 : 1
    counters.messages += isStatus ? 0 : UInt64(ring.messageCounts[slot])
    counters.bytes += UInt64(ring.byteCounts[slot])
    if pending == Int(KABUTO_BATCH) { send() }
  }

  /// Sends all that waits.
  func send() {
    var done = 0
    while done < pending {
      let sent = address.withAddress {
        kabuto_send(socket, batch + done, Int32(pending - done), $0, $1)
      }
      if sent > 0 {
        done += Int(sent)
      } else {
        // That packet is lost, as packets are.
        counters.errors += 1
        if counters.firstError == nil { counters.firstError = systemError() }
        done += 1
      }
    }
    pending = 0
  }
}

/// Packets that are being sent, of both lines. A packet waits for at most a batch and `LineImpairment.furthest` more
/// before the last line has sent it, which is less than the ring has slots.
final class PacketRing {
  static let slots = 256
  /// Most bytes of a packet: fits a datagram that no Ethernet fragments.
  static let packetBytes = 1_400

  let base: UnsafeMutableRawPointer
  var byteCounts = [Int](repeating: 0, count: slots)
  var messageCounts = [Int](repeating: 0, count: slots)

  init() { base = .allocate(byteCount: Self.slots * Self.packetBytes, alignment: 64) }
  deinit { base.deallocate() }

  func slot(_ index: Int) -> UnsafeMutableRawPointer { base + index * Self.packetBytes }
}
