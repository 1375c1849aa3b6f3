// Frames out: a lane encodes an instrument that changed once, each subscriber's seat gets its number, and each
// client that got any is sent one frame. A client that can't take more remembers what changed instead.

import TickerPlant

extension Distributor {
  /// Encodes what a lane gathered, and gives it to its subscribers.
  func flush(_ lane: Lane, now: UInt64) {
    guard !lane.dirty.isEmpty else { return }
    let held = incomplete.isEmpty ? [] : setAside(lane)
    if lane.dirty.count > 1 { sortDirty(lane) }
    let channel = lane.key.channel.rawValue
    let named: UInt32 = 1 << UInt32(channel)
    for entry in lane.dirty {
      let index = Int(entry)
      let mask = lane.masks[index]
      let from = lane.from[index]
      lane.masks[index] = 0
      guard let number = encodeItem(lane, index, mask: mask, from: from) else { continue }
      if mask & Lane.specialBits == 0 {
        lane.changes[index] &+= outbox.items[Int(number)].events
      }
      let seats = outbox.seats
      for slot in lane.subscribers[index] where !seats[Int(slot)].push(number) {
        deliverSlowly(slot, number, now)
      }
      for slot in lane.everyone {
        // Who wants the instrument by name gets it through the lane of that, which is the faster one.
        if seats[Int(slot)].namedChannels & named != 0, seated[Int(slot)]?.wanted[channel][entry] != nil {
          continue
        }
        if !seats[Int(slot)].push(number) { deliverSlowly(slot, number, now) }
      }
    }
    lane.dirty.removeAll(keepingCapacity: true)
    lane.dirty.append(contentsOf: held)
    if !beginningToLag.isEmpty { beginLags(in: lane) }
  }

  /// In the order of their sequence: a client that loses its line between two frames can resume.
  private func sortDirty(_ lane: Lane) {
    let channel = lane.key.channel
    sortKeys.removeAll(keepingCapacity: true)
    var isSorted = true
    var last: UInt64 = 0
    for entry in lane.dirty {
      let key = sequence(of: Int(entry), in: channel)
      if key < last { isSorted = false }
      last = key
      sortKeys.append((key, entry))
    }
    guard !isSorted else { return }
    sortKeys.sort { $0.sequence < $1.sequence }
    for place in sortKeys.indices { lane.dirty[place] = sortKeys[place].instrument }
  }

  /// Encodes an item into the outbox; nil where there is nothing to tell.
  func encodeItem(_ lane: Lane, _ index: Int, mask: UInt64, from: Int) -> UInt32? {
    scratch.removeAll()
    let events =
      lane.key.encoding == .json
      ? encode(lane.key, index, mask: mask, from: from)
      : encodeBinary(lane.key, index, mask: mask, from: from)
    guard events > 0 else { return nil }
    counters.encoded &+= UInt64(events)
    return post(events: events, lane: lane.id, index, mask, from)
  }

  /// Puts what is in `scratch` into the outbox.
  func post(events: Int, lane: Int32, _ index: Int = 0, _ mask: UInt64 = 0, _ from: Int = 0) -> UInt32 {
    let offset = outbox.bytes.count
    outbox.bytes.raw(scratch.bytes)
    return outbox.close(
      from: offset, events: events, lane: lane, instrument: index, mask: mask, first: from)
  }

  /// A delivery that isn't a plain push: the first of a frame, a full seat, or a client to look at more closely.
  private func deliverSlowly(_ slot: Int32, _ number: UInt32, _ now: UInt64) {
    let item = outbox.items[Int(number)]
    if isPassedOver(slot, item) { return }
    guard let client = seated[Int(slot)] else { return }
    let lane = lanes[Int(item.lane)]
    let index = Int(item.instrument)
    if !client.served.isEmpty, passes(client, lane, index, item.mask, item.from, now) { return }
    guard client.isClear(now: now) else {
      postpone(client, lane, index, item.mask, item.from, events: Int(item.events), now)
      return considerLag(client, lane)
    }
    put(client, number, fast: client.served.isEmpty)
  }

  /// Puts a number into a client's seat.
  func put(_ client: Client, _ number: UInt32, fast: Bool) {
    guard !client.isGone else { return }
    outbox.reserve(Int(client.slot), fast: fast)
    _ = outbox.seats[Int(client.slot)].push(number)
    guard !client.touched else { return }
    client.touched = true
    touched.append(client.slot)
  }

  /// Gives a client what is in `scratch`: an answer, which is sent whatever else waits.
  func answer(_ client: Client) {
    guard clients[client.id] != nil else { return }
    put(client, post(events: 1, lane: OutboxItem.answer), fast: false)
  }

  /// The same for several.
  func answer(_ clients: [Client]) {
    guard !clients.isEmpty else { return }
    let number = post(events: 1, lane: OutboxItem.answer)
    for client in clients { put(client, number, fast: false) }
  }

  /// Gives a client what its own message called for, or lets it wait where the transport takes nothing now.
  func offer(_ client: Client, _ lane: Lane, _ index: Int, _ mask: UInt64, from: Int = 0, now: UInt64) {
    guard client.isOpen else { return postpone(client, lane, index, mask, from, now) }
    guard let number = encodeItem(lane, index, mask: mask, from: from) else { return }
    put(client, number, fast: false)
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
      let rest = mask & Lane.standingBits
      if rest != 0 { postpone(client, lane, index, rest, .max, now) }
      return true
    }
    guard lane.key.channel == .trades else { return false }
    postpone(client, lane, index, mask, max(from, Int(until)), now)
    return true
  }

  /// What `Client.served` keeps: a sequence, for trades their number.
  func newest(_ channel: StreamChannel, _ index: Int) -> UInt64 {
    channel == .trades ? UInt64(images[index].trades.total) : sequence(of: index, in: channel)
  }

  // MARK: - Frames

  /// Sends each client what its seat holds.
  func flushTouched(now: UInt64) {
    guard outbox.itemCount > 0 else { return }
    var place = 0
    while place < touched.count {
      if let client = seated[Int(touched[place])], client.touched { send(client, now) }
      place += 1
    }
    touched.removeAll(keepingCapacity: true)
    freeLeaving()
    framed.removeAll(keepingCapacity: true)
    outbox.truncate(to: OutboxMark(items: 0, bytes: 0))
  }

  /// Forgets items from a mark on; only where no other client was given one of them.
  func forgetItems(since mark: OutboxMark) {
    framed.removeAll(keepingCapacity: true)
    outbox.truncate(to: mark)
  }

  /// Sends a client what its seat holds, as one frame, or several where that is much.
  func send(_ client: Client, _ now: UInt64) {
    guard !client.isGone else { return }
    let (numbers, capacity) = outbox.take(Int(client.slot))
    client.touched = false
    guard numbers.count > 0 else { return }
    if client.transport?.canTakeMore ?? false {
      transmit(client, numbers, now)
    } else {
      transmitAnswers(client, numbers, now)
    }
    outbox.release(numbers, capacity: capacity)
  }

  private func transmit(_ client: Client, _ numbers: UnsafeMutableBufferPointer<UInt32>, _ now: UInt64) {
    // Many clients want the same: what the last one got is there already.
    if numbers.count == framed.count, client.encoding == framedEncoding,
      framed.withUnsafeBufferPointer({ $0.elementsEqual(numbers) })
    {
      return handOver(client, events: framedEvents, now)
    }
    framed.removeAll(keepingCapacity: true)
    let items = outbox.items
    var total = 1
    var events = 0
    for number in numbers {
      total += Int(items[Int(number)].byteCount) + 1
      events += Int(items[Int(number)].events)
    }
    guard total <= Self.frameBytes else { return transmitParts(client, numbers, now) }
    join(numbers, byteCount: total, client.encoding)
    framedEncoding = client.encoding
    framed.append(contentsOf: numbers)
    framedEvents = events
    handOver(client, events: events, now)
  }

  /// Makes a frame of items: in JSON `byteCount` bytes with brackets and commas.
  private func join(
    _ numbers: UnsafeMutableBufferPointer<UInt32>, byteCount: Int, _ encoding: StreamEncoding
  ) {
    // Who wants to give this frame to the next client says so again.
    framed.removeAll(keepingCapacity: true)
    if encoding == .binary { return joinBinary(numbers, byteCount: byteCount) }
    let items = outbox.items
    let bytes = outbox.bytes.pointer(at: 0)
    frame.begin(after: OutgoingFrame.headroomBytes)
    var place = frame.extend(by: byteCount)
    var separator = UInt8(ascii: "[")
    for number in numbers {
      let item = items + Int(number)
      let count = Int(item.pointee.byteCount)
      place.storeBytes(of: separator, as: UInt8.self)
      (place + 1).copyMemory(from: bytes + item.pointee.offset, byteCount: count)
      place += count + 1
      separator = UInt8(ascii: ",")
    }
    place.storeBytes(of: UInt8(ascii: "]"), as: UInt8.self)
  }

  /// The same of binary events, which need nothing between them; answers are wrapped. Not more than `byteCount` bytes
  /// but for what wrapping takes.
  private func joinBinary(_ numbers: UnsafeMutableBufferPointer<UInt32>, byteCount: Int) {
    let items = outbox.items
    let bytes = outbox.bytes.pointer(at: 0)
    frame.begin(after: OutgoingFrame.headroomBytes)
    let start = frame.extend(by: byteCount + Self.wrappingBytes * numbers.count)
    var place = start
    for number in numbers {
      let item = items + Int(number)
      let count = Int(item.pointee.byteCount)
      if item.pointee.lane == OutboxItem.answer {
        var rest = count + 1
        while rest > 0x7f {
          place.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, as: UInt8.self)
          place += 1
          rest >>= 7
        }
        place.storeBytes(of: UInt8(truncatingIfNeeded: rest), as: UInt8.self)
        (place + 1).storeBytes(of: BinaryEvent.text, as: UInt8.self)
        place += 2
      }
      place.copyMemory(from: bytes + item.pointee.offset, byteCount: count)
      place += count
    }
    frame.truncate(to: OutgoingFrame.headroomBytes + (place - start))
  }

  /// The most that a length and a kind before an answer take: an item has less than 2^32 bytes.
  private static let wrappingBytes = 6

  /// Frames of `frameBytes` and a little more each, while the client takes them; the rest it remembers.
  private func transmitParts(
    _ client: Client, _ numbers: UnsafeMutableBufferPointer<UInt32>, _ now: UInt64
  ) {
    var first = 0
    while first < numbers.count {
      guard client.transport?.canTakeMore ?? false else {
        let rest = UnsafeMutableBufferPointer(rebasing: numbers[first...])
        transmitAnswers(client, rest, now)
        break
      }
      var end = first
      var total = 1
      var events = 0
      while end < numbers.count, total < Self.frameBytes {
        let item = outbox.items + Int(numbers[end])
        total += Int(item.pointee.byteCount) + 1
        events += Int(item.pointee.events)
        end += 1
      }
      join(UnsafeMutableBufferPointer(rebasing: numbers[first..<end]), byteCount: total, client.encoding)
      handOver(client, events: events, isPart: end < numbers.count, now)
      first = end
    }
    frame.trim()
  }

  /// The client takes no more values now: answers are sent all the same, the rest it remembers.
  private func transmitAnswers(
    _ client: Client, _ numbers: UnsafeMutableBufferPointer<UInt32>, _ now: UInt64
  ) {
    for number in numbers {
      let item = outbox.items[Int(number)]
      if item.lane >= 0 {
        postpone(
          client, lanes[Int(item.lane)], Int(item.instrument), item.mask, item.from, events: Int(item.events),
          now)
        continue
      }
      var one = number
      withUnsafeMutablePointer(to: &one) {
        join(
          UnsafeMutableBufferPointer(start: $0, count: 1), byteCount: Int(item.byteCount) + 2, client.encoding
        )
      }
      handOver(client, events: 1, isPart: true, now)
    }
  }

  /// Hands the frame over. `isPart`: more of the same follows.
  private func handOver(_ client: Client, events: Int, isPart: Bool = false, _ now: UInt64) {
    // Of a short beat no position follows: lanes may hold something older.
    // Nor while half a message is there: what it changed is in no frame yet.
    client.isSettled = !isPart && client.backlog.isEmpty && !isBeating && incomplete.isEmpty
    counters.frames &+= 1
    counters.delivered &+= UInt64(events)
    client.delivered &+= UInt64(events)
    client.lastSent = now
    if !isBeating { client.lastWhole = now }
    let byteCount = frame.count - OutgoingFrame.headroomBytes
    if isBeating {
      // Costs nothing: who is over its budget must know all the same that the server is there.
    } else if isAnswering {
      client.budget.spendOnAnswer(byteCount)
    } else {
      client.budget.spend(byteCount)
    }
    // Sending may call back (the transport became writable, or closed): nothing may be put in meanwhile.
    client.isSending = true
    client.transport?.send(
      frame: OutgoingFrame(
        start: frame.pointer(at: OutgoingFrame.headroomBytes), byteCount: byteCount,
        encoding: client.encoding))
    client.isSending = false
  }
}
