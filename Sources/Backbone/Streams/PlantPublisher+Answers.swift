// What a publisher answers: replays from its history, the plant's state as soon as the feed thread has told it, and
// the digests of a window.

import Continuity
import FeedHandler
import MarketData
import TickerPlant

extension PlantPublisher {
  /// Most who wait for the state at once.
  private static var mostAwaiting: Int { 256 }

  func answerQuestions(at now: UInt64, wall: UInt64) {
    for question in takeQuestions() {
      switch question {
      case .want(let codes): publisher.want(codes, at: now)
      case .beat(let node, let header, let facts):
        ask(comparison.take(node, facts.windows, epoch: header.epoch, at: now))
      case .summary(let node, let theirs):
        let own = publisher.digest.summary(windowStart: theirs.start)
        if let difference = comparison.take(node, theirs: theirs, own: own, wall: wall) { found(difference) }
      case .stream(.replay(let from, let through, let epoch, let code), let reply, let rail):
        guard answers.hasRoom else { continue }
        awaitingState.removeAll { $0.reply == reply && $0.code == code }
        var parts: [[UInt8]] = []
        publisher.replay(from: from, through: through, epoch: epoch, code: code, wall: wall) {
          parts.append([UInt8]($0))
        }
        answers.add(parts, reply: reply, rail: rail, about: code, isUrgent: true, at: now)
      case .stream(.snapshot(let code), let reply, let rail):
        awaitingState.removeAll { $0.reply == reply && $0.code == code }
        guard awaitingState.count < Self.mostAwaiting else { continue }
        awaitingState.append((reply, rail, code))
        states.ask()
      case .stream(.digest(let start), let reply, let rail):
        guard let summary = publisher.digest.summary(windowStart: start) else { continue }
        // Each is about a window of its own.
        answers.add(
          [summary.encoded()], reply: reply, rail: rail, about: nil, isUrgent: false, replaces: false, at: now
        )
      }
    }
  }

  // MARK: - Comparison

  func subscribeComparison(_ subscriptions: inout [any BusSubscription]) throws(BusError) {
    let own = configuration.node
    let inbox = comparisonInbox
    for bus in buses {
      subscriptions.append(
        try bus.subscribe("beat.\(configuration.market).*") { [weak self] message in
          let node = message.lastWord
          guard node != own, let frame = try? StreamFrame(decoding: message.payload), let facts = frame.beat
          else { return }
          self?.put(.beat(node: node, frame.header, facts))
        })
      subscriptions.append(
        try bus.subscribe(inbox + ".*") { [weak self] message in
          guard let summary = WindowSummary(decoding: message.payload) else { return }
          self?.put(.summary(node: message.lastWord, summary))
        })
    }
  }

  private var comparisonInbox: String {
    "_INBOX.\(StreamSubjects.word(configuration.node)).digest\(configuration.market)"
  }

  func compareOwn(at now: UInt64, wall: UInt64) {
    for difference in comparison.unanswered(at: now, wall: wall) { found(difference) }
    guard publisher.state != .gap, let epoch = publisher.position?.epoch else { return }
    let key = EpochKey(epoch)
    let newest = key == comparedEpoch ? comparison.newestOwn : nil
    comparedEpoch = key
    ask(comparison.take(own: publisher.digest.fullWindows(after: newest), epoch: key, at: now))
    let unsaid = comparison.passedOver - saidPassedOver
    if unsaid > 0, now >= passedOverAt {
      saidPassedOver = comparison.passedOver
      passedOverAt = now + 60_000_000_000
      passedOver(unsaid)
    }
  }

  private func ask(_ steps: [PlantComparison.Step]) {
    for case .ask(let node, let start) in steps {
      let subject = StreamSubjects(market: configuration.market, node: node).digest
      guard let bus = buses.first(where: { $0.state.isConnected }) else { continue }
      bus.publish(
        subject, reply: "\(comparisonInbox).\(node)", bytes: StreamQuestion.digest(windowStart: start).encoded
      )
    }
  }

  /// The whole state has come: everybody who waits for it, or for an instrument of it, gets it.
  func answerWithState(at now: UInt64, wall: UInt64) {
    let awaiting = awaitingState
    awaitingState = []
    guard !awaiting.isEmpty else { return }
    told.withUnsafeBytes { records in
      let state = ToldState(records)
      guard let position = state.position else { return }
      func parts(
        _ records: UnsafeRawBufferPointer, _ code: InstrumentCode?, isList: Bool = false
      ) -> [[UInt8]] {
        var parts: [[UInt8]] = []
        SnapshotEncoder.encode(
          records, position: position, state: state.state, gap: state.gap, code: code, isList: isList,
          configuration: configuration.stream.configuration, incarnation: configuration.stream.incarnation,
          wall: wall
        ) { parts.append([UInt8]($0)) }
        return parts
      }
      var whole: [[UInt8]]?
      var list: [[UInt8]]?
      for (reply, rail, code) in awaiting {
        if code == StreamQuestion.list {
          if list == nil { list = parts(records, nil, isList: true) }
          answers.add(list ?? [], reply: reply, rail: rail, about: code, isUrgent: false, at: now)
        } else if let code {
          answers.add(
            parts(state.records(of: code), code), reply: reply, rail: rail, about: code, isUrgent: false,
            at: now)
        } else {
          if whole == nil { whole = parts(records, nil) }
          answers.add(
            whole ?? [], reply: reply, rail: rail, about: nil, isUrgent: false, at: now)
        }
      }
    }
  }
}

/// A plant's state as it was told, by instrument.
struct ToldState {
  private let bytes: UnsafeRawBufferPointer
  private var ranges: [InstrumentCode: Range<Int>] = [:]
  private(set) var position: StreamPosition?
  private(set) var state = SourceState.recovering
  private(set) var gap: (from: UInt64, through: UInt64) = (0, 0)

  /// Looks through the records of `TickerPlant.emitAll(announcing: 0)`.
  init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
    var cursor = UpdateCursor(bytes)
    var code: InstrumentCode?
    var begin = 0
    var place = 0
    func end(_ place: Int) { if let code { ranges[code] = begin..<place } }
    while cursor.next() {
      if cursor.kind == .source {
        let source = cursor.payload(as: SourcePayload.self)
        // The last one says how it is; the first that half of it was told.
        state = SourceState(rawValue: UInt8(truncatingIfNeeded: source.state)) ?? .silent
        gap = (source.gapFrom, source.gapThrough)
        position = StreamPosition(
          epoch: EpochName(
            session: source.session, date: CalendarDate(daysSince1970: Int(clamping: source.date))),
          sequence: cursor.header.sequence)
        end(place)
        code = nil
      } else if cursor.kind == .instrument {
        end(place)
        code = cursor.payload(as: FactsPayload.self).code
        begin = place
      }
      place += Int(cursor.header.byteCount)
    }
    end(place)
  }

  /// The records of one instrument; none where there is none.
  func records(of code: InstrumentCode) -> UnsafeRawBufferPointer {
    guard let range = ranges[code] else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    return UnsafeRawBufferPointer(rebasing: bytes[range])
  }
}

/// Answers that go out as fast as their rail takes them, so that they don't crowd out the stream: replays first, for
/// who waits for one shows old prices meanwhile; then in the order of the questions. A newer question of the same asker
/// about the same replaces the older. What a rail refuses (its budget, no connection) is kept and tried again, for a while.
struct AnswerQueue {
  /// As much may wait on a rail before more is added.
  private static var mostWaiting: Int { 1 << 20 }
  /// Bytes held for all who wait.
  private static var mostBytes: Int { 256 << 20 }
  /// Who got nothing for so long has asked again, or is gone.
  private static var patience: UInt64 { 10_000_000_000 }

  private struct Answer {
    var parts: [[UInt8]]
    var next = 0
    var reply: String
    var rail: Int
    var code: InstrumentCode?
    var isUrgent: Bool
    var movedAt: UInt64

    var leftBytes: Int { parts[next...].reduce(0) { $0 + $1.count } }
  }

  private var answers: [Answer] = []
  private var heldBytes = 0
  private(set) var sentBytes: UInt64 = 0

  /// Whether another answer is taken.
  var hasRoom: Bool { heldBytes < Self.mostBytes }

  /// Adds an answer; where too much is held it is left out, and who asked asks again.
  mutating func add(
    _ parts: [[UInt8]], reply: String, rail: Int, about code: InstrumentCode?, isUrgent: Bool,
    replaces: Bool = true, at now: UInt64
  ) {
    if replaces { remove { $0.reply == reply && $0.code == code } }
    guard hasRoom, !parts.isEmpty else { return }
    heldBytes += parts.reduce(0) { $0 + $1.count }
    answers.append(
      Answer(parts: parts, reply: reply, rail: rail, code: code, isUrgent: isUrgent, movedAt: now))
  }

  private mutating func remove(_ isOver: (Answer) -> Bool) {
    guard answers.contains(where: isOver) else { return }
    for answer in answers where isOver(answer) { heldBytes -= answer.leftBytes }
    answers.removeAll(where: isOver)
  }

  /// Sends what the rails take now.
  /// - Returns: whether something is left.
  mutating func send(over buses: [any Bus], at now: UInt64) -> Bool {
    guard !answers.isEmpty else { return false }
    remove { now &- $0.movedAt >= Self.patience && now > $0.movedAt }
    for (rail, bus) in buses.enumerated() {
      while bus.waitingBytes < Self.mostWaiting,
        let place = answers.firstIndex(where: { $0.rail == rail && $0.isUrgent })
          ?? answers.firstIndex(where: { $0.rail == rail })
      {
        let part = answers[place].parts[answers[place].next]
        let isSent = part.withUnsafeBytes { bus.publish(answers[place].reply, reply: nil, $0, more: false) }
        // Not passed over: an answer with a hole is none.
        guard isSent else { break }
        sentBytes += UInt64(part.count)
        heldBytes -= part.count
        answers[place].next += 1
        answers[place].movedAt = now
        if answers[place].next == answers[place].parts.count { answers.remove(at: place) }
      }
    }
    return !answers.isEmpty
  }
}
