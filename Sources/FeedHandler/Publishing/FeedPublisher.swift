// Publishes recorded files as a live feed: MoldUDP64 lines with a request server, or a SoupBinTCP server. What
// `kabuto replay` does. Reading, pacing, sending and answering are one loop on one thread, so nothing is locked.
// A day of a file is a session; the numbers are the file's own. A message that can't be decoded keeps its number
// and goes out empty; numbers that the file misses, and those of `gaps`, are left out: nobody has them.
//
// @unchecked Sendable: all but `stop` is touched by the thread that calls `run`.

import FeedProtocols
import Foundation
import MarketData
import Synchronization

/// See the head of this file.
public final class FeedPublisher: @unchecked Sendable {
  /// How to publish.
  public struct Options: Sendable {
    /// How fast.
    public var pace = PublishPace.speed(.realTime)
    /// What happens to the lines' packets.
    public var rates = LineImpairment.Rates()
    /// Part of the request server's answers that are lost.
    public var requestLoss = 0.0
    /// Decides what happens.
    public var seed: UInt64 = 1
    /// Name of the first session, at most ten characters; nil = the file's, or one made of its day.
    public var session: String?
    /// A line that has nothing to say says so after so long.
    public var heartbeatNanoseconds: UInt64 = 100_000_000
    /// How long it goes on answering at the end.
    public var lingerSeconds = 5.0
    /// Numbers that nobody has, in each session.
    public var gaps: [ClosedRange<UInt64>] = []
    /// As it happened, without faults.
    public init() {}
  }

  /// Where to.
  public enum Target: Sendable, Hashable {
    /// Lines.
    case mold(FeedAddress.Mold)
    /// Clients that log in here.
    case soup(FeedAddress.Soup)
  }

  enum Outlet {
    case mold(MoldPublisher)
    case soup(SoupServer)
  }

  let outlet: Outlet
  private let options: Options
  private let file: FeedFile
  private let log: @Sendable (FeedThread.Level, String) -> Void
  private let stopFlag = Atomic<Bool>(false)
  private let firstDate: CalendarDate
  private let mark: String
  private var pacer: PublishPacer
  private var days = 0
  /// The session's name in the capture.
  private var captured: String?
  var messages: UInt64 = 0
  var badCount: UInt64 = 0
  var missingCount: UInt64 = 0
  var seconds = 0.0
  private var toldAt: UInt64 = 0

  /// Opens the files and the sockets.
  /// - Throws: `FeedSetupError` with all that can't be done.
  public init(
    paths: [String], to target: Target, options: Options,
    log: @escaping @Sendable (FeedThread.Level, String) -> Void = { _, _ in }
  ) throws(FeedSetupError) {
    self.options = options
    self.log = log
    pacer = PublishPacer(options.pace)
    var faults: [String] = []
    var opened: (file: FeedFile, date: CalendarDate)?
    do {
      let reference = try ReferenceFile.load(named: nil, beside: paths)
      let day = try TradingDayResolver(file: paths.first ?? "", facts: FeedFacts(), reference: reference)
        .resolve()
      opened = (try FeedFile(paths: paths), day.day.date)
    } catch { faults.append("\(error)") }
    var outlet: Outlet?
    do throws(FeedSetupError) {
      switch target {
      case .mold(let mold): outlet = .mold(try MoldPublisher(mold, options: options))
      case .soup(let soup): outlet = .soup(try SoupServer(soup, options: options, log: log))
      }
    } catch { faults.append(error.description) }
    guard let opened, let outlet, faults.isEmpty else {
      throw FeedSetupError(faults.joined(separator: "\n"))
    }
    file = opened.file
    firstDate = opened.date
    self.outlet = outlet
    var digest = StateDigest()
    for path in paths { digest.combine(String(path.split(separator: "/").last ?? "")) }
    digest.combine(opened.file.totalBytes)
    mark = String(digest.value % 1296 + 1296, radix: 36).uppercased().suffix(2).description
  }

  /// Ends `run` soon; from any thread.
  public func stop() { stopFlag.store(true, ordering: .releasing) }

  /// Whether it was told to stop.
  public var wasStopped: Bool { stopFlag.load(ordering: .acquiring) }

  /// The port of the request server or of the SoupBinTCP server; 0 where there is none.
  public var port: UInt16 {
    switch outlet {
    case .mold(let mold): mold.requests?.port ?? 0
    case .soup(let soup): soup.port
    }
  }

  /// Publishes all, then goes on answering for a while.
  /// - Parameter progress: bytes of the files done and in all, messages; called now and then.
  /// - Throws: `FeedSetupError` where a file can't be read on.
  public func run(progress: (UInt64, UInt64, UInt64) -> Void = { _, _, _ in }) throws(FeedSetupError) {
    let began = FeedThread.monotonic()
    defer { if case .soup(let soup) = outlet { soup.end() } }
    do throws(FeedFileError) {
      reading: while !wasStopped {
        switch try file.next(maxMessages: 4096) {
        case .messages(let run):
          if run.startsDay {
            endSession()
            days += 1
            captured = nil
          }
          publish(run, progress)
        case .bad(let bad): publishBad(bad)
        case .gap(_, let from, let through):
          begin(sessionName, first: from)
          missingCount &+= through &- from &+ 1
          log(.warning, "the file misses messages \(from) to \(through): they are left out")
          skip(through: through)
        case .session(let name): change(to: name)
        case .end: break reading
        }
      }
    } catch { throw FeedSetupError("\(error)") }
    seconds = Double(FeedThread.monotonic() - began) / 1e9
    guard !wasStopped else { return }
    // A file without a message is a session too.
    if current == nil { begin(sessionName, first: 1) }
    endSession()
    linger()
  }

  // MARK: - Sessions

  /// The name of what is being published: the capture's own, or the day's.
  private var sessionName: String { captured ?? defaultName }

  private var current: PublishedSession? {
    switch outlet {
    case .mold(let mold): mold.sessions.current
    case .soup(let soup): soup.sessions.current
    }
  }

  /// The name of the day that is being published.
  private var defaultName: String {
    if let given = options.session {
      let suffix = days == 0 ? "" : "-\(days + 1)"
      return given.prefix(max(0, 10 - suffix.count)) + suffix
    }
    var date = firstDate
    for _ in 0..<days { date = date.nextWeekday }
    return date.description.filter { $0 != "-" } + mark
  }

  private func begin(_ name: String, first: UInt64) {
    guard current?.name != name || current?.isEnded == true else { return }
    switch outlet {
    case .mold(let mold): _ = mold.sessions.begin(name, first: first)
    case .soup(let soup): _ = soup.sessions.begin(name, first: first)
    }
    log(.info, "session \(name)")
  }

  /// The file (a capture) goes on with another session, or with an earlier one.
  private func change(to name: String) {
    if current != nil {
      endSession()
      days += 1
    }
    let isSayable =
      (1...10).contains(name.utf8.count) && name.utf8.allSatisfy { (0x21...0x7e).contains($0) }
    captured = isSayable && options.session == nil ? name : nil
  }

  private func endSession() {
    let now = FeedThread.monotonic()
    switch outlet {
    case .mold(let mold): mold.endSession(at: now)
    case .soup(let soup): soup.sessions.current?.isEnded = true
    }
  }

  // MARK: - Messages

  private func publish(_ run: MessageRun, _ progress: (UInt64, UInt64, UInt64) -> Void) {
    begin(sessionName, first: run.firstSequence)
    if let next = current?.next, run.firstSequence > next { skip(through: run.firstSequence - 1) }
    var rest = run.bytes
    while rest.count >= 2, !wasStopped {
      let now = FeedThread.monotonic()
      let due = pacer.due(rest, at: now)
      if due.count > 0 {
        send(UnsafeRawBufferPointer(rebasing: rest[..<due.bytes]), count: due.count, at: now)
        rest = UnsafeRawBufferPointer(rebasing: rest[due.bytes...])
      }
      service(at: now)
      if now &- toldAt > 100_000_000 {
        toldAt = now
        progress(file.bytesDone, file.totalBytes, messages)
      }
      if due.waitNanoseconds > 0, rest.count >= 2 { wait(min(due.waitNanoseconds, pauseNanoseconds)) }
    }
  }

  /// At a rate, batches are small and even; else a wait ends in time for heartbeats.
  private var pauseNanoseconds: UInt64 {
    if case .rate(let rate) = options.pace, rate >= 1000 { return 400_000 }
    return min(options.heartbeatNanoseconds / 4 + 1, 20_000_000)
  }

  /// A message that can't be decoded goes out empty.
  private func publishBad(_ bad: BadMessage) {
    badCount += 1
    if badCount <= 20 { log(.warning, "\(bad)") }
    guard let sequence = bad.sequence else { return }
    begin(sessionName, first: sequence)
    if let next = current?.next, sequence > next { skip(through: sequence - 1) }
    let empty: [UInt8] = [0, 0]
    empty.withUnsafeBytes { send($0, count: 1, at: FeedThread.monotonic()) }
  }

  /// Sends messages, those that nobody is to have left out.
  private func send(_ frames: UnsafeRawBufferPointer, count: Int, at now: UInt64) {
    var rest = frames
    var left = count
    while left > 0, let first = current?.next {
      let last = first + UInt64(left) - 1
      let gap = options.gaps.filter { $0.overlaps(first...last) }.min { $0.lowerBound < $1.lowerBound }
      let before = gap.map { $0.lowerBound > first ? Int($0.lowerBound - first) : 0 } ?? left
      if before > 0 {
        let (_, bytes) = PublishPacer.first(before, of: rest)
        let piece = UnsafeRawBufferPointer(rebasing: rest[..<bytes])
        switch outlet {
        case .mold(let mold): mold.publish(piece, count: before, at: now)
        case .soup(let soup): soup.sessions.current?.append(piece, count: before)
        }
        messages += UInt64(before)
        rest = UnsafeRawBufferPointer(rebasing: rest[bytes...])
        left -= before
      }
      if let gap, left > 0 {
        let lost = Int(min(UInt64(left), min(gap.upperBound, last) - (current?.next ?? first) + 1))
        let (_, bytes) = PublishPacer.first(lost, of: rest)
        rest = UnsafeRawBufferPointer(rebasing: rest[bytes...])
        left -= lost
        missingCount += UInt64(lost)
        skip(through: (current?.next ?? first) + UInt64(lost) - 1)
      }
    }
  }

  private func skip(through last: UInt64) {
    switch outlet {
    case .mold(let mold): mold.skip(through: last)
    case .soup(let soup): soup.sessions.current?.skip(through: last)
    }
  }

  // MARK: - Turns

  private func service(at now: UInt64) {
    switch outlet {
    case .mold(let mold): mold.service(at: now)
    case .soup(let soup): soup.service(at: now)
    }
  }

  private func wait(_ nanoseconds: UInt64) {
    switch outlet {
    case .mold(let mold): mold.wait(nanoseconds: nanoseconds)
    case .soup(let soup): soup.wait(nanoseconds: nanoseconds)
    }
  }

  private func linger() {
    let began = FeedThread.monotonic()
    while !wasStopped {
      let now = FeedThread.monotonic()
      service(at: now)
      if Double(now - began) >= options.lingerSeconds * 1e9 {
        guard case .soup(let soup) = outlet, soup.isServing else { return }
      }
      wait(pauseNanoseconds)
    }
  }
}
