// The fan-out of one event loop: takes the plants' records into its images, marks lanes, and at each flush encodes
// what changed once a lane and gives it to who wants it (Distributor+Frames).
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
  /// By slot.
  var seated: [Client?] = []
  private var freeSlots: [Int32] = []
  /// Slots to be free again once `touched` is done.
  private var leaving: [Int32] = []
  /// Slots of clients that are to be passed over after the present flush.
  var beginningToLag: [Int32] = []
  var outbox = Outbox()
  /// Slots whose seats hold something.
  var touched: [Int32] = []
  /// The frame that is sent, after room for a transport's head.
  var frame = JSONWriter(capacity: 1 << 16)
  /// The items of the frame, where it may be sent to the next client as it is.
  var framed: [UInt32] = []
  var framedEncoding = StreamEncoding.json
  /// Events in it.
  var framedEvents = 0
  /// For sorting a lane's dirty instruments.
  var sortKeys: [(sequence: UInt64, instrument: Int32)] = []
  var waiting: [UInt64: Client] = [:]
  var pendingResumes: [PendingResume] = []
  private var nextHousekeeping: UInt64 = 0
  private var nextQuickBeats: UInt64 = 0
  /// Clients that asked for beats at a period of their own.
  var quick: [UInt64: Client] = [:]
  /// While beats are sent that say no position: they cost no budget.
  var isBeating = false
  var scratch = JSONWriter(capacity: 1 << 16)
  /// While a client's backlog is encoded: how many events with values this item stands for; else 0.
  var changesWaiting: UInt64 = 0
  /// How many of them the item tells as conflated or dropped.
  var conflatedNow: UInt64 = 0
  /// While a client's own message is answered: what it is sent doesn't wait for its budget.
  var isAnswering = false
  /// Whether every client must get its frame at the end of the present batch.
  var immediateDirty = false
  /// Markets of which half a message has come: nothing of them is shown meanwhile (Distributor+Incomplete).
  var incomplete: Set<Int> = []
  /// What clients asked for meanwhile, in their order.
  var waitingCommands: [WaitingCommand] = []

  /// Instruments of selective markets that somebody wants: when somebody wanted each last, milliseconds.
  var interest: [Int32: UInt64] = [:]
  /// Called when one is wanted anew or no more (`wantedInstruments`).
  public var interestChanged: (() -> Void)?

  /// Milliseconds between heartbeats to a client that gets nothing else.
  public var heartbeatMilliseconds: UInt64 = 5_000
  /// Bytes after which a frame is sent and another begun: well below what clients take by default.
  static let frameBytes = 256 << 10
  /// Bytes of encoded events after which clients are sent what has gathered, though more is coming.
  static let gatheredBytes = 1 << 20

  /// Trades in a snapshot, at most.
  static let snapshotTrades = 50

  /// What the loop counted.
  public struct Counters: Sendable {
    /// Records taken from rings.
    public var records: UInt64 = 0
    /// Events encoded, once each however many clients get them.
    public var encoded: UInt64 = 0
    /// Events copied into clients' frames.
    public var delivered: UInt64 = 0
    /// Changes that clients did not get because they were slow or over their budget.
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

  // MARK: - Clock

  /// Sends clients what has gathered: after batches that were taken with `more`.
  public func finishBatches(now: UInt64) {
    flushTouched(now: now)
    retryWaiting(now: now)
  }

  func flushImmediate(now: UInt64) {
    immediateDirty = false
    for lane in immediate { flush(lane, now: now) }
  }

  /// The flush clock: call it every 10 ms.
  public func tick(now: UInt64) {
    // What gathers for clients of every update leaves with `finishBatches`, unless they'd wait for nothing.
    var isDue = immediate.isEmpty
    for lane in lanes where lane.key.interval > 0 && !lane.dirty.isEmpty {
      let bucket = now / lane.key.interval
      if lastBucket[lane.id] != bucket {
        flush(lane, now: now)
        // What waits for the rest of its message goes out as soon as that has come.
        if lane.dirty.isEmpty { lastBucket[lane.id] = bucket }
        isDue = true
      }
    }
    if isDue { flushTouched(now: now) }
    for client in waiting.values { serveBacklog(client, now: now) }
    retryWaiting(now: now)
    if now >= nextHousekeeping {
      nextHousekeeping = now + 1_000
      sendHeartbeats(now: now)
      if !interest.isEmpty { forgetUnwanted(now: now) }
    }
    if !quick.isEmpty, now >= nextQuickBeats {
      nextQuickBeats = now + Self.quickBeatMilliseconds
      sendQuickBeats(now: now)
    }
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
  /// - Parameter heartbeat: milliseconds between beats to it, within `heartbeatRange`; nil = in a long silence alone.
  public func add(
    transport: any ClientTransport, limits: ClientLimits, encoding: StreamEncoding = .json,
    heartbeat: Int? = nil, now: UInt64
  ) -> Client {
    let slot = freeSlots.popLast() ?? Int32(truncatingIfNeeded: seated.count)
    let client = Client(
      id: nextClientID, slot: slot, transport: transport, limits: limits, encoding: encoding, now: now)
    nextClientID += 1
    clients[client.id] = client
    if let heartbeat {
      let range = Self.heartbeatRange
      client.heartbeatMilliseconds = UInt64(min(max(heartbeat, range.lowerBound), range.upperBound))
      if UInt64(max(0, heartbeat)) < heartbeatMilliseconds {
        quick[client.id] = client
        // The first one comes at once: it says that the period is kept.
        client.lastSent = 0
      }
    }
    if Int(slot) == seated.count { seated.append(client) } else { seated[Int(slot)] = client }
    outbox.admit(Int(slot))
    return client
  }

  func freeLeaving() {
    freeSlots += leaving
    leaving.removeAll()
  }

  /// Forgets a connection and all it wanted.
  public func remove(_ client: Client) {
    guard clients.removeValue(forKey: client.id) != nil else { return }
    for channel in StreamChannel.allCases { removeAll(client, channel) }
    waiting[client.id] = nil
    quick[client.id] = nil
    client.lag = nil
    client.backlog = [:]
    client.served = [:]
    pendingResumes.removeAll { $0.client === client }
    client.transport = nil
    let (numbers, capacity) = outbox.take(Int(client.slot))
    outbox.release(numbers, capacity: capacity)
    // A slot that is in the list of those to be sent isn't given to another before that list is done.
    seated[Int(client.slot)] = nil
    if client.touched { leaving.append(client.slot) } else { freeSlots.append(client.slot) }
  }

  /// Tells every client that this server ends soon, and where else the same is served.
  public func announceMove(
    inMilliseconds: Int, reason: String, endpoints: [GatewayEndpoint] = [], now: UInt64
  ) {
    guard !clients.isEmpty else { return }
    scratch.removeAll()
    scratch.raw("{\"type\":\"move\",\"in_ms\":")
    scratch.integer(UInt64(max(0, inMilliseconds)))
    scratch.raw(",\"reason\":")
    scratch.string(reason)
    scratch.raw(",\"endpoints\":")
    scratch.endpoints(endpoints)
    scratch.raw("}")
    answer(Array(clients.values))
    flushTouched(now: now)
  }

  /// Ends every connection.
  public func closeAll(code: UInt16, reason: String) {
    for client in Array(clients.values) {
      client.transport?.close(code: code, reason: reason)
      remove(client)
    }
  }
}
