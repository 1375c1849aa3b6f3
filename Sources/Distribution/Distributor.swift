// The fan-out of one event loop: takes the plants' records into its images, marks lanes, and at each flush encodes
// what changed once a lane and copies it to who wants it.
// Owner: one event loop; not Sendable. Pure: time comes in, frames go out through `ClientTransport`.
// Cost: proportional to changed instruments × their subscribers; clients without news aren't visited.

import MarketData
import TickerPlant

/// See the head of this file.
public final class Distributor {
  var markets: [MarketImage]
  /// All instruments of all markets, by the image's own index. Grows; never shrinks.
  var images: UnsafeMutablePointer<InstrumentImage>
  var imageCount = 0
  var imageCapacity = 1024
  /// `CODE` and `CODE.MARKET` → index; -2 where a code is in several markets.
  var byName: [String: Int32] = [:]
  var lanes: [Lane] = []
  /// The lanes that somebody is in.
  var lanesByChannel: [[Lane]] = Array(repeating: [], count: StreamChannel.allCases.count)
  private var laneByKey: [LaneKey: Lane] = [:]
  private var immediate: [Lane] = []
  private var lastBucket: [Int32: UInt64] = [:]
  var clients: [UInt64: Client] = [:]
  private var nextClientID: UInt64 = 1
  private var touched: [Client] = []
  private var waiting: [UInt64: Client] = [:]
  var pendingResumes: [PendingResume] = []
  private var nextHousekeeping: UInt64 = 0
  var scratch = JSONWriter(capacity: 1 << 16)
  /// Whether every client must get its frame at the end of the present batch.
  var immediateDirty = false
  /// Markets of which half a message has come: nothing is shown meanwhile.
  var incomplete: Set<Int> = []

  /// Milliseconds between heartbeats to a client that gets nothing else.
  public var heartbeatMilliseconds: UInt64 = 5_000
  /// Bytes after which a frame is sent and another begun: well below what clients take by default.
  static let frameBytes = 256 << 10

  /// What the loop counted.
  public struct Counters: Sendable {
    /// Records taken from rings.
    public var records: UInt64 = 0
    /// Events encoded, once each however many clients get them.
    public var encoded: UInt64 = 0
    /// Events copied into clients' frames.
    public var delivered: UInt64 = 0
    /// Values replaced by newer ones before a client took them.
    public var conflated: UInt64 = 0
    /// Frames sent.
    public var frames: UInt64 = 0
    /// Clients dropped because they took nothing.
    public var stuck: UInt64 = 0
  }

  /// What the loop counted.
  public internal(set) var counters = Counters()

  /// A fan-out over markets; a record's tag is the index of its market here.
  public init(markets: [MarketDescription]) {
    self.markets = markets.map(MarketImage.init)
    images = .allocate(capacity: imageCapacity)
  }

  deinit {
    for index in 0..<imageCount { images[index].deallocate() }
    images.deinitialize(count: imageCount)
    images.deallocate()
  }

  /// True while a client wants every update: then the loop must be woken for each batch.
  public var wantsImmediate: Bool { !immediate.isEmpty }

  /// Clients connected.
  public var clientCount: Int { clients.count }

  // MARK: - Frames out

  func flushImmediate(now: UInt64) {
    immediateDirty = false
    for lane in immediate { flush(lane, now: now) }
  }

  /// The flush clock: call it every 10 ms.
  public func tick(now: UInt64) {
    guard incomplete.isEmpty else { return }
    for lane in lanes where lane.key.interval > 0 && !lane.dirty.isEmpty {
      let bucket = now / lane.key.interval
      if lastBucket[lane.id] != bucket {
        lastBucket[lane.id] = bucket
        flush(lane, now: now)
      }
    }
    flushTouched(now: now)
    for client in waiting.values { serveBacklog(client, now: now) }
    if !pendingResumes.isEmpty { retryResumes(now: now) }
    if now >= nextHousekeeping {
      nextHousekeeping = now + 1_000
      housekeeping(now: now)
    }
  }

  /// Encodes what a lane gathered and copies it to its subscribers.
  func flush(_ lane: Lane, now: UInt64) {
    guard !lane.dirty.isEmpty else { return }
    if lane.dirty.count > 1 {
      // In the order of their sequence: a client that loses its line between two frames can resume.
      lane.dirty.sort {
        sequence(of: Int($0), in: lane.key.channel) < sequence(of: Int($1), in: lane.key.channel)
      }
    }
    for entry in lane.dirty {
      let index = Int(entry)
      let mask = lane.masks[index]
      let from = lane.from[index]
      lane.masks[index] = 0
      scratch.removeAll()
      let events = encode(lane.key, index, mask: mask, from: from)
      guard events > 0 else { continue }
      counters.encoded &+= UInt64(events)
      for client in lane.subscribers[index] { deliver(client, lane, index, mask, from, events, now) }
      // Who wants the instrument by name gets it through the lane of that, which is the faster one.
      let channel = lane.key.channel.rawValue
      for client in lane.everyone where client.wanted[channel][entry] == nil {
        deliver(client, lane, index, mask, from, events, now)
      }
    }
    lane.dirty.removeAll(keepingCapacity: true)
  }

  @inline(__always)
  private func deliver(
    _ client: Client, _ lane: Lane, _ index: Int, _ mask: UInt64, _ from: Int, _ events: Int, _ now: UInt64
  ) {
    if !client.served.isEmpty, passes(client, lane, index, mask, from, now) { return }
    guard client.isClear else {
      postpone(client, lane, index, mask, from, now)
      return
    }
    client.append(scratch.bytes)
    client.events += events - 1
    counters.delivered &+= UInt64(events)
    if client.frame.count >= Self.frameBytes {
      send(client, now, isPart: true)
    } else if !client.touched {
      client.touched = true
      touched.append(client)
    }
  }

  /// True where the client has what the lane flushes, or gets the rest of it by itself.
  private func passes(
    _ client: Client, _ lane: Lane, _ index: Int, _ mask: UInt64, _ from: Int, _ now: UInt64
  ) -> Bool {
    let key = Client.BacklogKey(lane: lane.id, instrument: Int32(truncatingIfNeeded: index))
    guard let until = client.served.removeValue(forKey: key), mask & Lane.snapshotBit == 0 else {
      return false
    }
    if newest(lane.key.channel, index) <= until {
      if mask & Lane.staleBit != 0 { postpone(client, lane, index, Lane.staleBit, .max, now) }
      return true
    }
    guard lane.key.channel == .trades else { return false }
    postpone(client, lane, index, mask, max(from, Int(until)), now)
    return true
  }

  /// What `Client.served` keeps: a sequence, for trades their number.
  private func newest(_ channel: StreamChannel, _ index: Int) -> UInt64 {
    channel == .trades ? UInt64(images[index].trades.total) : sequence(of: index, in: channel)
  }

  /// Sends what changed of an instrument to one client, or lets it wait where the client takes nothing now.
  func offer(_ client: Client, _ lane: Lane, _ index: Int, _ mask: UInt64, from: Int = 0, now: UInt64) {
    guard client.isClear else { return postpone(client, lane, index, mask, from, now) }
    scratch.removeAll()
    let events = encode(lane.key, index, mask: mask, from: from)
    guard events > 0 else { return }
    client.append(scratch.bytes)
    client.events += events - 1
    counters.delivered &+= UInt64(events)
    if client.frame.count >= Self.frameBytes { send(client, now, isPart: true) }
  }

  /// The transport is full: remembers what changed instead of queueing it.
  private func postpone(
    _ client: Client, _ lane: Lane, _ index: Int, _ mask: UInt64, _ from: Int, _ now: UInt64
  ) {
    if client.backlog.isEmpty {
      client.backlogSince = now
      waiting[client.id] = client
    }
    let key = Client.BacklogKey(lane: lane.id, instrument: Int32(truncatingIfNeeded: index))
    let packed = lane.key.channel == .quotes || lane.key.channel == .books ? mask : Self.pack(mask, from)
    if let old = client.backlog[key] {
      client.conflated &+= 1
      counters.conflated &+= 1
      client.backlog[key] =
        lane.key.channel == .quotes || lane.key.channel == .books ? old | packed : Self.merge(old, packed)
    } else {
      client.backlog[key] = packed
    }
  }

  private static let numberMask: UInt64 = (1 << 48) - 1

  /// For trades and bars: flags, and the number of the first item not sent.
  private static func pack(_ mask: UInt64, _ from: Int) -> UInt64 {
    (mask & (Lane.snapshotBit | Lane.staleBit)) | (mask & 1) << 60 | min(UInt64(clamping: from), numberMask)
  }

  private static func merge(_ a: UInt64, _ b: UInt64) -> UInt64 {
    ((a | b) & ~numberMask) | min(a & numberMask, b & numberMask)
  }

  /// Sends what waited for a client, if its transport takes it now.
  public func serveBacklog(_ client: Client, now: UInt64) {
    guard client.transport != nil, !client.isSending else { return }
    guard client.transport?.canTakeMore ?? false else {
      if now &- client.backlogSince > client.limits.stuckMilliseconds {
        counters.stuck &+= 1
        client.transport?.close(
          code: 4001,
          reason:
            "too slow: nothing was taken for \(client.limits.stuckMilliseconds / 1000) s; reconnect and resume"
        )
        remove(client)
      }
      return
    }
    let entries = client.backlog.sorted {
      sequence(of: Int($0.key.instrument), in: lanes[Int($0.key.lane)].key.channel)
        < sequence(of: Int($1.key.instrument), in: lanes[Int($1.key.lane)].key.channel)
    }
    var left = entries[...]
    while let (key, packed) = left.first {
      guard client.transport?.canTakeMore ?? false else { break }
      left = left.dropFirst()
      client.backlog[key] = nil
      let lane = lanes[Int(key.lane)]
      scratch.removeAll()
      let simple = lane.key.channel == .quotes || lane.key.channel == .books
      let mask = simple ? packed : (packed & (Lane.snapshotBit | Lane.staleBit)) | (packed >> 60 & 1)
      let number = packed & Self.numberMask
      let events = encode(
        lane.key, Int(key.instrument), mask: mask, from: number == Self.numberMask ? .max : Int(number))
      if lane.masks[Int(key.instrument)] != 0, lane.key.channel != .bars {
        client.served[key] = newest(lane.key.channel, Int(key.instrument))
      }
      guard events > 0 else { continue }
      client.append(scratch.bytes)
      client.events += events - 1
      counters.delivered &+= UInt64(events)
      if client.frame.count >= Self.frameBytes { send(client, now, isPart: true) }
    }
    if client.events > 0 { send(client, now) }
    if client.backlog.isEmpty { waiting[client.id] = nil } else { client.backlogSince = now }
  }

  /// Sends what a client's frame holds; `isPart`: more of the same follows.
  func send(_ client: Client, _ now: UInt64, isPart: Bool = false) {
    client.isSettled = !isPart && client.backlog.isEmpty
    counters.frames &+= 1
    client.flush(now: now)
  }

  func flushTouched(now: UInt64) {
    guard !touched.isEmpty else { return }
    for client in touched where client.touched { send(client, now) }
    touched.removeAll(keepingCapacity: true)
  }

  func sequence(of index: Int, in channel: StreamChannel) -> UInt64 {
    switch channel {
    case .quotes: images[index].quoteSequence
    case .books: images[index].bookSequence
    case .trades: images[index].tradeSequence
    case .bars: images[index].barSequence
    }
  }

  // MARK: - Lanes and clients

  func lane(for key: LaneKey) -> Lane {
    if let lane = laneByKey[key] { return lane }
    let lane = Lane(id: Int32(lanes.count), key: key, instruments: imageCount)
    lanes.append(lane)
    laneByKey[key] = lane
    return lane
  }

  /// Counts who is in a lane: one that nobody is in costs no record anything.
  func count(_ change: Int, in lane: Lane) {
    let before = lane.members
    lane.members += change
    if before == 0, lane.members > 0 {
      lanesByChannel[lane.key.channel.rawValue].append(lane)
      if lane.key.interval == 0 { immediate.append(lane) }
    } else if before > 0, lane.members == 0 {
      lanesByChannel[lane.key.channel.rawValue].removeAll { $0 === lane }
      immediate.removeAll { $0 === lane }
      for index in lane.dirty { lane.masks[Int(index)] = 0 }
      lane.dirty.removeAll()
    }
  }

  /// Takes a connection in.
  public func add(transport: any ClientTransport, limits: ClientLimits, now: UInt64) -> Client {
    let client = Client(id: nextClientID, transport: transport, limits: limits, now: now)
    nextClientID += 1
    clients[client.id] = client
    return client
  }

  /// Forgets a connection and all it wanted.
  public func remove(_ client: Client) {
    guard clients.removeValue(forKey: client.id) != nil else { return }
    for channel in StreamChannel.allCases { removeAll(client, channel) }
    waiting[client.id] = nil
    client.backlog = [:]
    client.served = [:]
    client.touched = false
    pendingResumes.removeAll { $0.client === client }
    client.transport = nil
  }

  private func housekeeping(now: UInt64) {
    guard clients.values.contains(where: { now &- $0.lastSent >= heartbeatMilliseconds }) else { return }
    // A heartbeat says how far a client is: nothing older may wait in a slow lane.
    for lane in lanes { flush(lane, now: now) }
    flushTouched(now: now)
    for client in clients.values where now &- client.lastSent >= heartbeatMilliseconds {
      guard client.isClear else { continue }
      scratch.removeAll()
      heartbeat(into: &scratch)
      client.append(scratch.bytes)
      send(client, now)
    }
  }

  /// Tells every client that this server ends soon.
  public func announceMove(inMilliseconds: Int, reason: String, now: UInt64) {
    scratch.removeAll()
    scratch.raw("{\"type\":\"move\",\"in_ms\":")
    scratch.integer(UInt64(max(0, inMilliseconds)))
    scratch.raw(",\"reason\":")
    scratch.string(reason)
    scratch.raw("}")
    for client in clients.values {
      client.append(scratch.bytes)
      send(client, now)
    }
  }

  /// Ends every connection.
  public func closeAll(code: UInt16, reason: String) {
    for client in Array(clients.values) {
      client.transport?.close(code: code, reason: reason)
      remove(client)
    }
  }
}
