// Plays recorded feeds: paced by the messages' own times, or as fast as it goes.

import FeedProtocols
import Foundation
import MarketData
import TickerPlant

extension FeedThread {
  /// Stretches without a message are cut to this many seconds of the viewer's time.
  static var longestIdleSeconds: Double { 2 }

  func playFiles(
    _ paths: [String], _ expectation: FeedFile.Expectation, _ speed: FeedSpeed
  ) throws(FeedSetupError) {
    let file: FeedFile
    do throws(FeedFileError) { file = try FeedFile(paths: paths, expecting: expectation) } catch {
      throw FeedSetupError("\(error)")
    }
    var idle: UInt64?
    if case .times(let times) = speed { idle = UInt64(Self.longestIdleSeconds * 1e9 * times) }
    var pacer = FeedPacer(speed: speed, longestIdleNanoseconds: idle)
    // After a restore, what the snapshot has seen is passed over.
    var day = feed.date
    var session = feed.session
    let restored = (date: plant.date, session: plant.session, sequence: plant.sequence)
    var catchesUp = plant.sequence > 0
    if catchesUp, expectation == .itch, restored.session != feed.session {
      outlets.log(
        .info, "\(feed.source): the kept state is of another feed (\(restored.session)): starting anew")
      plant.setReference(feed.reference ?? ReferenceData(market: feed.market))
      plant.beginEpoch(session: session, date: day)
      catchesUp = false
    } else if catchesUp, restored.date < feed.date {
      outlets.log(
        .info,
        "\(feed.source): the snapshot is of \(restored.date), the feed begins on \(feed.date): starting anew")
      plant.beginEpoch(session: session, date: day)
      catchesUp = false
    }
    // Whether the feed holds what the snapshot is of.
    var reached = false
    var badCount = 0
    var told = 0
    while !stops {
      let event: FeedEvent
      do throws(FeedFileError) { event = try file.next(maxMessages: 4096) } catch {
        throw FeedSetupError("\(error)")
      }
      progress = file.totalBytes == 0 ? 1 : Double(file.bytesDone) / Double(file.totalBytes)
      if let progress, Int(progress * 10) > told, progress < 1 {
        told = Int(progress * 10)
        outlets.log(.info, "\(feed.source): \(told * 10) % read, exchange time \(Self.clock(plant.time))")
      }
      switch event {
      case .messages(let run):
        if run.startsDay, run.firstSequence == 1 {
          day = day.nextWeekday
          if !catchesUp { plant.beginEpoch(session: session, date: day) }
        }
        if catchesUp {
          if day == restored.date, session == restored.session {
            reached = true
            if run.firstSequence + UInt64(run.count) - 1 <= restored.sequence { continue }
            catchesUp = false
          } else if day < restored.date || session != restored.session {
            continue
          } else {
            catchesUp = false
            plant.beginEpoch(session: session, date: day)
          }
        }
        if plant.sourceState == .recovering || plant.sourceState == .silent { plant.setSourceState(.live) }
        play(run, &pacer)
      case .bad(let bad):
        badCount += 1
        if badCount <= 20 { outlets.log(.warning, "\(bad)") }
        if badCount == 20 {
          outlets.log(.warning, "\(feed.source): further bad messages are counted, not logged")
        }
        if let sequence = bad.sequence {
          // The first number after those that the snapshot has seen ends the catching up, good or bad.
          let isNew = day == restored.date && session == restored.session && sequence > restored.sequence
          if !catchesUp || isNew {
            catchesUp = false
            plant.applyMalformed(sequence: sequence)
          }
        }
      case .gap(_, let from, let through):
        if !catchesUp {
          outlets.log(.warning, "\(feed.source): messages \(from) to \(through) are missing")
          plant.declareGap(from: from, through: through)
        }
      case .session(let name):
        if name != session {
          session = name
          if !catchesUp || name != restored.session { plant.beginEpoch(session: name, date: day) }
        }
      case .end:
        if catchesUp, !reached {
          // Nothing of this feed was applied: it is another one than that of the kept state.
          outlets.log(
            .warning,
            "\(feed.source): the kept state (\(restored.session) \(restored.date)) is not of this feed: starting anew"
          )
          plant.setReference(feed.reference ?? ReferenceData(market: feed.market))
          plant.beginEpoch(session: feed.session, date: feed.date)
          return try playFiles(paths, expectation, speed)
        }
        publish()
        return
      }
      publish()
    }
  }

  private static func clock(_ nanoseconds: UInt64) -> String {
    let seconds = nanoseconds / 1_000_000_000
    return String(format: "%02d:%02d:%02d", Int(seconds / 3600), Int(seconds / 60 % 60), Int(seconds % 60))
  }

  private func play(_ run: MessageRun, _ pacer: inout FeedPacer) {
    guard let base = run.bytes.baseAddress else { return }
    if case .max = pacer.speed {
      plant.apply(framed: run.bytes, firstSequence: run.firstSequence, receivedAt: Self.wallClock())
      return
    }
    var offset = 0
    var start = 0
    var applied: UInt64 = 0
    var pending: UInt64 = 0
    while offset + 13 <= run.bytes.count, !stops {
      let length = Int(base.loadUnaligned(fromByteOffset: offset, as: UInt16.self).bigEndian)
      let high = UInt64(base.loadUnaligned(fromByteOffset: offset + 7, as: UInt16.self).bigEndian)
      let low = UInt64(base.loadUnaligned(fromByteOffset: offset + 9, as: UInt32.self).bigEndian)
      let wait = pacer.sleepNanoseconds(beforeMessageAt: high << 32 | low, now: Self.monotonic())
      if wait > 0 {
        // Everything before this message is due: hand it on, then wait. Short waits are joined: a millisecond
        // of batching costs nobody anything and saves a thousand system calls.
        if offset > start {
          plant.apply(
            framed: UnsafeRawBufferPointer(start: base + start, count: offset - start),
            firstSequence: run.firstSequence + applied, receivedAt: Self.wallClock())
          publish()
          start = offset
          applied += pending
          pending = 0
        }
        lag = 0
        sleep(nanoseconds: max(wait, 1_000_000))
      }
      offset += 2 + length
      pending += 1
    }
    if run.bytes.count > start, !stops {
      plant.apply(
        framed: UnsafeRawBufferPointer(start: base + start, count: run.bytes.count - start),
        firstSequence: run.firstSequence + applied, receivedAt: Self.wallClock())
    }
  }
}
