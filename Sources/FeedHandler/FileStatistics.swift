// What `kabuto stats` reports about files: what is in them, how much, from when to when, and all that is wrong.

import FeedProtocols

/// Figures of one feed (one or more files that follow one another).
public struct FileStatistics: Sendable, Hashable {
  /// A stretch of missing messages.
  public struct Gap: Sendable, Hashable, Codable {
    /// The MoldUDP64 session.
    public var session: String
    /// First missing sequence number.
    public var from: UInt64
    /// Last missing sequence number.
    public var through: UInt64
  }

  /// Bad messages and gaps that are listed one by one; the rest is only counted.
  public static let listLimit = 1_000

  /// The files.
  public var files: [String] = []
  /// `itch`, `pcap`, `pcapng`, or `mixed`.
  public var format = ""
  /// Messages of ITCH files whose length prefix was zero.
  public var zeroPrefixed: UInt64 = 0
  /// Good messages.
  public var messages: UInt64 = 0
  /// Good messages by type byte.
  public var typeCounts = [UInt64](repeating: 0, count: 256)
  /// Distinct instruments: codes, and locate codes that never came with one.
  public var instruments = 0
  /// Time of the first good message, nanoseconds since midnight.
  public var firstTimeNanoseconds: UInt64?
  /// Time of the last good message, nanoseconds since midnight.
  public var lastTimeNanoseconds: UInt64?
  /// Days begun: one, and one more for each further System Event `O`.
  public var days = 1
  /// MoldUDP64 sessions in order of appearance, each once.
  public var sessions: [String] = []
  /// Missing messages, the first `listLimit` stretches.
  public var gaps: [Gap] = []
  /// All stretches of missing messages.
  public var gapCount: UInt64 = 0
  /// All missing messages.
  public var missing: UInt64 = 0
  /// Messages that came again and were left out.
  public var duplicates: UInt64 = 0
  /// All bad messages.
  public var bad: UInt64 = 0
  /// The first `listLimit` bad messages.
  public var badMessages: [BadMessage] = []
  /// Bytes of content, decompressed.
  public var bytes: UInt64 = 0
  /// Bytes as stored.
  public var storedBytes: UInt64 = 0

  /// Nothing counted yet.
  public init() {}

  /// True where every byte was a message and none is missing.
  public var isClean: Bool { bad == 0 && gapCount == 0 }
}

extension FileStatistics {
  /// Reads a feed to its end.
  /// - Parameters:
  ///   - feed: a feed that hasn't been read yet.
  ///   - progress: told from time to time how many bytes are done, and how many there are.
  /// - Throws: `FeedFileError` where a file can't be read on.
  public static func gather(
    from feed: FeedFile, progress: (_ done: UInt64, _ total: UInt64) -> Void = { _, _ in }
  ) throws(FeedFileError) -> FileStatistics {
    var statistics = FileStatistics()
    var instruments = InstrumentCensus()
    var told: UInt64 = 0
    reading: while true {
      switch try feed.next(maxMessages: 65_536) {
      case .messages(let run):
        if run.startsDay { statistics.days += 1 }
        statistics.count(run, &instruments)
      case .bad(let message):
        statistics.bad += 1
        if statistics.badMessages.count < listLimit { statistics.badMessages.append(message) }
      case .gap(let session, let from, let through):
        statistics.gapCount += 1
        statistics.missing &+= through - from + 1
        if statistics.gaps.count < listLimit {
          statistics.gaps.append(Gap(session: session, from: from, through: through))
        }
      case .session(let session):
        if !statistics.sessions.contains(session), statistics.sessions.count < listLimit {
          statistics.sessions.append(session)
        }
      case .end: break reading
      }
      if feed.bytesDone - told >= 4 << 20 {
        told = feed.bytesDone
        progress(told, feed.totalBytes)
      }
    }
    progress(feed.bytesDone, feed.totalBytes)
    statistics.files = feed.paths
    let formats = Set(feed.formats)
    statistics.format = formats.count == 1 ? feed.formats[0].rawValue : "mixed"
    statistics.zeroPrefixed = feed.zeroPrefixedCount
    statistics.duplicates = feed.duplicateCount
    statistics.instruments = instruments.count
    statistics.bytes = feed.contentBytes
    statistics.storedBytes = feed.totalBytes
    return statistics
  }

  private mutating func count(_ run: MessageRun, _ instruments: inout InstrumentCensus) {
    let span = run.bytes.bytes
    var place = 2
    var time: UInt64 = 0
    if firstTimeNanoseconds == nil { firstTimeNanoseconds = span.u48(place + 5) }
    for _ in 0..<run.count {
      let type = span.u8(place)
      typeCounts[Int(type)] += 1
      time = span.u48(place + 5)
      let codeOffset = InstrumentCensus.codeOffset(ofType: type)
      instruments.see(locate: span.u16(place + 1), code: codeOffset == 0 ? 0 : span.u64(place + codeOffset))
      place += Int(span.u16(place - 2)) + 2
    }
    lastTimeNanoseconds = time
    messages += UInt64(run.count)
  }
}

/// Counts distinct instruments with a table by locate code, so that most messages cost one comparison.
struct InstrumentCensus {
  private var lastCode = [UInt64](repeating: 0, count: 65_536)
  private var seen = [Bool](repeating: false, count: 65_536)
  private var codes: Set<UInt64> = []
  private var nameless = 0

  /// Distinct codes, and locate codes without one.
  var count: Int { codes.count + nameless }

  /// Notes a message; `code` 0 = it names no instrument.
  mutating func see(locate: UInt16, code: UInt64) {
    let index = Int(locate)
    if code == 0 {
      guard locate != 0, !seen[index] else { return }
      seen[index] = true
      nameless += 1
    } else if lastCode[index] != code {
      if seen[index], lastCode[index] == 0, locate != 0 { nameless -= 1 }
      seen[index] = true
      lastCode[index] = code
      codes.insert(code)
    }
  }

  /// Where messages of a type name their instrument; 0 = nowhere.
  static func codeOffset(ofType type: UInt8) -> Int { Int(offsets[Int(type)]) }

  private static let offsets: [UInt8] = {
    var offsets = [UInt8](repeating: 0, count: 256)
    for type in [
      StockDirectory.type, StockTradingAction.type, RegSHORestriction.type, QuotingPeriodUpdate.type,
      AuctionCollar.type, OperationalHalt.type, RetailPriceImprovement.type, DirectListingPriceDiscovery.type,
    ] { offsets[Int(type)] = 11 }
    for type in [AddOrder.type, AddOrderAttributed.type, NonCrossTrade.type] { offsets[Int(type)] = 24 }
    offsets[Int(MarketParticipantPosition.type)] = 15
    offsets[Int(CrossTrade.type)] = 19
    offsets[Int(NetOrderImbalance.type)] = 28
    return offsets
  }()
}
