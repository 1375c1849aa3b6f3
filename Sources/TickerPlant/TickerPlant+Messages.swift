// From bytes to the functions that apply them. Four passes go over the messages, a few at a time, close behind each
// other: the first cuts and checks frames and starts loading the order's slot and the book's head; the second looks
// into the slot and starts loading the price level; the third finds where a new order's price stands, and starts
// loading the level that it will join; the fourth applies. Without them nearly each message of a large market would
// wait for memory three times. What was found ahead is a guess: each use checks it.

import CHardware
import FeedProtocols
import MarketData

extension TickerPlant {
  /// Messages that a pass takes at once: enough work for memory to answer meanwhile, and few enough loads under way.
  private static var step: Int { 8 }

  /// Slots of an order table up to which a market stays in the processor's cache: there is nothing to wait for.
  static var cachedOrders: Int { 1 << 14 }

  /// Applies framed messages (two-byte big-endian length, then the message) with consecutive sequence numbers.
  ///
  /// Messages at or below `sequence` are passed over; a jump beyond it is declared as a gap. A frame that is cut
  /// off at the end of `bytes` counts as malformed.
  /// - Parameters:
  ///   - bytes: the frames.
  ///   - firstSequence: the first frame's sequence number, from 1.
  ///   - receivedAt: when the host received them, nanoseconds since 1970; 0 where nobody knows.
  /// - Returns: how many frames there were.
  @discardableResult
  public mutating func apply(
    framed bytes: UnsafeRawBufferPointer, firstSequence: UInt64, receivedAt: UInt64 = 0
  ) -> Int {
    guard let base = bytes.baseAddress else { return 0 }
    self.receivedAt = receivedAt
    var place = 0
    var cut = 0
    var looked = 0
    var applied = 0
    window.begin()
    repeat {
      cut = cutFrames(bytes, at: &place, from: cut, to: applied &+ 4 &* Self.step)
      if orders.capacity > Self.cachedOrders {
        let lookEnd = max(looked, min(cut, applied &+ 3 &* Self.step))
        lookAhead(base, end: bytes.count, from: looked, to: lookEnd)
        looked = lookEnd
        locateLevels(before: applied &+ 2 &* Self.step)
      } else {
        looked = cut
      }
      let end = min(cut, applied &+ Self.step)
      while applied < end {
        take(applied, base, sequence: firstSequence &+ UInt64(truncatingIfNeeded: applied))
        applied &+= 1
      }
    } while applied < cut
    guard place + 2 <= bytes.count else { return applied }
    // The last frame is cut off.
    if begins(firstSequence &+ UInt64(applied)) { counters.malformed &+= 1 }
    return applied + 1
  }

  /// Counts a message that is known to be malformed: it has a sequence number and no effect.
  public mutating func applyMalformed(sequence: UInt64) {
    if begins(sequence) { counters.malformed &+= 1 }
  }

  // MARK: - Ahead

  /// First pass. Types without an order or instrument load something of no use: to ask for the type would cost more.
  /// - Returns: how many have been cut now.
  @inline(never)
  private mutating func cutFrames(
    _ bytes: UnsafeRawBufferPointer, at place: inout Int, from: Int, to end: Int
  ) -> Int {
    guard let base = bytes.baseAddress else { return from }
    let roomy = bytes.count &- 2 &- MessageWindow.reach
    var cut = from
    var offset = place
    while cut < end {
      if offset <= roomy {
        let length = window.cut(cut, base, at: offset)
        let message = base + (offset &+ 2)
        offset &+= 2 &+ length
        if offset > bytes.count {
          offset &-= 2 &+ length
          break
        }
        let reference = message.loadUnaligned(fromByteOffset: 11, as: UInt64.self).bigEndian
        kabuto_prefetch(orders.bucket(reference))
        if message.load(as: UInt8.self) == OrderReplace.type {
          kabuto_prefetch(orders.bucket(message.loadUnaligned(fromByteOffset: 19, as: UInt64.self).bigEndian))
        }
        let locate = message.loadUnaligned(fromByteOffset: 1, as: UInt16.self).bigEndian
        instruments.books.prefetch(instruments.likelyIndex(ofLocate: locate))
      } else if let length = window.cutLast(cut, bytes, at: offset) {
        offset &+= 2 &+ length
      } else {
        break
      }
      cut &+= 1
    }
    place = offset
    return cut
  }

  /// Second pass: starts loading the price level of the order, or the levels among which it will stand. Without
  /// branches, because whether the order is there is as good as random.
  @inline(never)
  private mutating func lookAhead(_ base: UnsafeRawPointer, end: Int, from: Int, to last: Int) {
    // Before the first instrument there is nothing to look at.
    guard instruments.count > 0 else { return }
    let roomy = end &- MessageWindow.reach
    var number = from
    while number < last {
      let (offset, type) = window[number]
      number &+= 1
      if offset > roomy { return }
      let message = base + offset
      let reference = message.loadUnaligned(fromByteOffset: 11, as: UInt64.self).bigEndian
      let bucket = orders.bucket(reference)
      kabuto_prefetch(bucket + (bucket[0].passed | bucket[1].shares == 0 ? 0 : 2))
      let inSecond = bucket[1].reference == reference ? 1 : 0
      let isThere = 0 &- (inSecond | (bucket[0].reference == reference ? 1 : 0))
      let locate = message.loadUnaligned(fromByteOffset: 1, as: UInt16.self).bigEndian
      // 'B' and 'S' differ in the lowest bit.
      let wanted =
        instruments.likelyIndex(ofLocate: locate) &* 2
        &+ Int(message.load(fromByteOffset: 19, as: UInt8.self) & 1)
      let side = Int(bucket[inSecond].side) & isThere | wanted & ~isThere
      instruments.books.prefetch(side: side, level: Int(bucket[inSecond].level) & isThere)
      let replaces = type == OrderReplace.type ? 1 : 0
      let price = message.loadUnaligned(fromByteOffset: 32 &- replaces, as: UInt32.self).bigEndian
      let enters = (type == AddOrder.type ? 1 : 0) | (type == AddOrderAttributed.type ? 1 : 0) | replaces
      window.note(number &- 1, side: side, rank: BookSide.rank(price, side), enters: enters)
      if type == OrderExecuted.type { instruments.prefetchTrading(side >> 1) }
    }
  }

  /// Third pass: finds where the price of a new order stands, and starts loading its level.
  @inline(never)
  private mutating func locateLevels(before end: Int) {
    window.locate(before: end) { side, rank in instruments.books.prefetchLevel(side: side, rank: rank) }
  }

  // MARK: - Applying

  /// Whether the message with that number is new; then it is the one that is being applied.
  @inline(__always)
  private mutating func begins(_ next: UInt64) -> Bool {
    guard next > sequence else {
      counters.repeated &+= 1
      return false
    }
    if next != sequence &+ 1 { declareGap(from: sequence + 1, through: next - 1) }
    sequence = next
    counters.messages &+= 1
    touched = -1
    return true
  }

  /// Applies a message whose type, length and side have been checked; type 0 = malformed.
  @inline(__always)
  private mutating func take(
    _ number: Int, _ base: UnsafeRawPointer, sequence next: UInt64
  ) {
    guard begins(next) else { return }
    let message = window[number]
    let start = base + message.offset
    do throws(ITCHError) {
      switch message.type {
      case AddOrder.type:
        try takeAddOrder(start, position: window.position(number))
      case OrderDelete.type:
        let message = OrderDelete(reading: Self.span(start, OrderDelete.byteCount).bytes)
        advance(to: message.header.timestamp)
        deleteOrder(message)
      case OrderReplace.type:
        takeReplaceOrder(start, position: window.position(number))
      case OrderExecuted.type:
        let message = OrderExecuted(reading: Self.span(start, OrderExecuted.byteCount).bytes)
        advance(to: message.header.timestamp)
        executeOrder(message)
      case OrderCancel.type:
        let message = OrderCancel(reading: Self.span(start, OrderCancel.byteCount).bytes)
        advance(to: message.header.timestamp)
        cancelOrder(message)
      case AddOrderAttributed.type:
        let m = try AddOrderAttributed(reading: Self.span(start, AddOrderAttributed.byteCount).bytes)
        advance(to: m.header.timestamp)
        addOrder(
          AddOrder(
            header: m.header, reference: m.reference, side: m.side, shares: m.shares, stock: m.stock,
            price: m.price),
          attribution: m.attribution.rawValue, position: window.position(number))
      case OrderExecutedWithPrice.type:
        let message = OrderExecutedWithPrice(
          reading: Self.span(start, OrderExecutedWithPrice.byteCount).bytes)
        advance(to: message.header.timestamp)
        executeOrder(message)
      case NonCrossTrade.type:
        let message = try NonCrossTrade(reading: Self.span(start, NonCrossTrade.byteCount).bytes)
        advance(to: message.header.timestamp)
        hiddenTrade(message)
      case 0: counters.malformed &+= 1
      case let type: try applyRare(Self.span(start, window.length(ofType: type)).bytes)
      }
    } catch { counters.malformed &+= 1 }
  }

  // Functions of their own, which read the message themselves: handed over, its fields would go through memory.

  @inline(never)
  private mutating func takeAddOrder(_ start: UnsafeRawPointer, position: Int) throws(ITCHError) {
    let message = try AddOrder(reading: Self.span(start, AddOrder.byteCount).bytes)
    advance(to: message.header.timestamp)
    addOrder(message, attribution: 0, position: position)
  }

  @inline(never)
  private mutating func takeReplaceOrder(_ start: UnsafeRawPointer, position: Int) {
    let message = OrderReplace(reading: Self.span(start, OrderReplace.byteCount).bytes)
    advance(to: message.header.timestamp)
    replaceOrder(message, position: position)
  }

  /// The bytes of a message. Where the length is its type's constant, the checks of the span fall away.
  @inline(__always)
  private static func span(_ start: UnsafeRawPointer, _ count: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: start, count: count)
  }
}
