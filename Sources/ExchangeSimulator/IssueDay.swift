// How an issue goes through its day: the state machine of its phases. Every call handles what is due at `now`
// and leaves behind when the issue wants to be called next.
// Invariant: outside of `.trading` orders only gather; entering `.trading` the book is not crossed.

import FeedProtocols
import MarketData

extension SimulatedMarket {
  /// Does what is due for an issue.
  mutating func act(_ i: Int, _ now: UInt64, _ writer: inout ByteWriter) {
    if now >= issues[i].phaseEnd {
      leavePhase(i, now, &writer)
    } else if now >= issues[i].incidentTime {
      meetIncident(i, now, &writer)
    } else if now >= issues[i].nextCheck {
      check(i, now, &writer)
    } else {
      if !issues[i].isBreath {
        if issues[i].phase == .trading {
          tradingOrder(i, now, &writer)
        } else {
          gatheringOrder(i, now, &writer)
        }
      }
      scheduleOrder(i, now)
    }
  }

  /// Says an issue's trading state.
  mutating func say(
    _ i: Int, _ now: UInt64, _ state: ITCHCode, _ reason: ITCHCode4, _ writer: inout ByteWriter
  ) {
    composer.tradingAction(header(i, now), issues[i].code, state, reason, &writer)
  }

  /// The end of a phase, and the beginning of the next one.
  private mutating func leavePhase(_ i: Int, _ now: UInt64, _ writer: inout ByteWriter) {
    switch issues[i].phase {
    case .directory:
      composer.directory(
        header(i, now), issues[i].code, category: listings[i].isLarge ? "Q" : "G", lot: Listing.lot, &writer
      )
      issues[i].phase = .status
      issues[i].phaseEnd = DaySchedule.firstMessage + 2 * DaySchedule.second + UInt64(i) * 10_000
    case .status:
      say(i, now, "Q", Reason.auction, &writer)
      composer.shortSale(header(i, now), issues[i].code, issues[i].isShortRestricted ? "2" : "0", &writer)
      issues[i].isShortRestricted = false
      issues[i].phase = .preOpen
      issues[i].phaseEnd = DaySchedule.morningOpen + 1 + auctionDelay()
      issues[i].updatedAt = DaySchedule.gathering
      issues[i].nextCheck =
        DaySchedule.gathering + 5 * DaySchedule.minute + UInt64(random.below(Int(5 * DaySchedule.minute)))
      scheduleOrder(i, DaySchedule.gathering)
    case .preOpen:
      issues[i].phaseEnd = DaySchedule.morningClose + UInt64(i) * 2_000
      issues[i].crossType = UInt8(ascii: "O")
      open(i, now, &writer)
    case .lunch:
      issues[i].phaseEnd = DaySchedule.closingCall + UInt64(i) * 2_000
      // An issue that hasn't opened yet still opens: only then it is an intraday auction.
      issues[i].crossType = issues[i].lastLevel < 0 ? UInt8(ascii: "O") : UInt8(ascii: "I")
      open(i, now, &writer)
    case .trading, .special, .sequential, .halted:
      if now < DaySchedule.afternoonOpen {
        say(i, now, "Q", Reason.lunchBreak, &writer)
        issues[i].phase = .lunch
        issues[i].phaseEnd = DaySchedule.afternoonOpen + 1 + auctionDelay()
        issues[i].nextCheck =
          DaySchedule.afternoonOpen - 10 * DaySchedule.minute
          + UInt64(random.below(Int(4 * DaySchedule.minute)))
        scheduleOrder(i, DaySchedule.lunchGathering)
      } else {
        say(i, now, "Q", Reason.auction, &writer)
        issues[i].phase = .closingCall
        issues[i].phaseEnd = DaySchedule.close + auctionDelay()
        issues[i].nextCheck = now + UInt64(random.below(Int(DaySchedule.minute)))
        scheduleOrder(i, now)
      }
    case .closingCall:
      updateValue(i, now)
      if let result = books.auction(i, reference: issues[i].referenceLevel) {
        cross(i, result, "C", now, &writer)
      }
      issues[i].phase = .closed
      issues[i].phaseEnd = .max
      issues[i].nextCheck = .max
      issues[i].nextOrder = .max
    case .closed:
      issues[i].phaseEnd = .max
    }
  }

  /// Auctions of one moment come one after the other, in no order.
  private mutating func auctionDelay() -> UInt64 { UInt64(random.below(Int(DaySchedule.auctionSpread))) }

  private mutating func meetIncident(_ i: Int, _ now: UInt64, _ writer: inout ByteWriter) {
    issues[i].incidentTime = .max
    updateValue(i, now)
    switch issues[i].incident {
    case .none: break
    case .jump(let size):
      issues[i].ownReturn += size
      issues[i].excitement = 6
      updateValue(i, now)
    case .halt(let seconds, let jump):
      guard issues[i].phase == .trading else { break }
      say(i, now, "H", Reason.news, &writer)
      issues[i].ownReturn += jump
      updateValue(i, now)
      issues[i].phase = .halted
      issues[i].resumeTime = now + seconds * DaySchedule.second
      issues[i].nextCheck = issues[i].resumeTime - 3 * DaySchedule.minute
      scheduleOrder(i, now)
    case .sweep(let side):
      guard issues[i].phase == .trading else { break }
      sweep(i, side, now, &writer)
      scheduleOrder(i, now)
    }
  }

  /// A look at an auction to come, or at a special quote.
  private mutating func check(_ i: Int, _ now: UInt64, _ writer: inout ByteWriter) {
    updateValue(i, now)
    switch issues[i].phase {
    case .preOpen:
      indicate(i, "O", now, &writer)
      scheduleIndication(i, now, before: DaySchedule.morningOpen, part: 4)
    case .lunch:
      indicate(i, "O", now, &writer)
      scheduleIndication(i, now, before: DaySchedule.afternoonOpen, part: 2)
    case .closingCall:
      indicate(i, "C", now, &writer)
      scheduleIndication(i, now, before: DaySchedule.close, part: 3)
    case .halted:
      if now >= issues[i].resumeTime {
        issues[i].resumeTime = .max
        issues[i].crossType = UInt8(ascii: "H")
        open(i, now, &writer)
      } else {
        if issues[i].resumeTime - now == 3 * DaySchedule.minute { say(i, now, "Q", Reason.auction, &writer) }
        indicate(i, "H", now, &writer)
        issues[i].nextCheck = min(now + DaySchedule.minute, issues[i].resumeTime)
      }
    case .special: stepSpecialQuote(i, now, &writer)
    case .sequential: open(i, now, &writer)
    case .directory, .status, .trading, .closed: issues[i].nextCheck = .max
    }
  }

  /// The next indication: more often as the auction comes nearer, seldom for quiet issues.
  private mutating func scheduleIndication(_ i: Int, _ now: UInt64, before end: UInt64, part: UInt64) {
    guard now < end else {
      issues[i].nextCheck = .max
      return
    }
    let quiet = min(max(1_500 / issues[i].continuousMessages, 0.05), 1)
    let shortest = UInt64(quiet * 45e9)
    let next = now + max((end - now) / part, shortest)
    issues[i].nextCheck = next < end ? next : .max
  }

  /// The time of the next order of an issue, from the usual intensity of the moment and its excitement.
  mutating func scheduleOrder(_ i: Int, _ now: UInt64) {
    let rate: Double
    let end: UInt64
    let phase = issues[i].phase
    switch phase {
    case .preOpen:
      rate = issues[i].gatheringMessages * DaySchedule.gatheringIntensity(at: now)
      end = DaySchedule.morningOpen
    case .trading, .special, .sequential, .halted:
      let quiet = phase == .halted ? 0.3 : 1
      rate =
        issues[i].continuousMessages * DaySchedule.intensity(at: now) * (1 + issues[i].excitement)
        * factors.burst
        * pace
        * quiet
      end = now < DaySchedule.afternoonOpen ? DaySchedule.morningClose : DaySchedule.closingCall
    case .lunch:
      rate = issues[i].continuousMessages * DaySchedule.intensity(at: now) * pace
      end = DaySchedule.afternoonOpen
    case .closingCall:
      rate = issues[i].continuousMessages * DaySchedule.intensity(at: now) * pace
      end = DaySchedule.close
    case .directory, .status, .closed:
      issues[i].nextOrder = .max
      return
    }
    // The rate changes: after a minute and a half without an order it is looked at again (the exponential
    // distribution doesn't mind).
    let wait = rate > 0 ? random.exponential() / rate : 1e18
    issues[i].isBreath = wait > 90e9
    let next = now + (wait > 90e9 ? 90_000_000_000 : UInt64(wait) + 1)
    issues[i].nextOrder = next < end ? next : .max
  }

  /// Brings an issue's value up to date: market, sector and its own way.
  mutating func updateValue(_ i: Int, _ now: UInt64) {
    let seconds = Double(now - min(now, issues[i].updatedAt)) * 1e-9
    // A day's variance is spread over 19,500 s of trading; before the opening little becomes known.
    let phase = issues[i].phase
    let share = phase == .preOpen || phase == .lunch ? 0.25 : 1
    let own =
      issues[i].ownReturn + issues[i].volatility * share * (seconds * (1 / 19_500.0)).squareRoot()
      * random.gaussian()
    let total =
      own + issues[i].marketBeta * factors.market + issues[i].sectorBeta * factors.sectors[issues[i].sector]
    let units = Double(issues[i].base.units) * RandomSource.exp(min(max(total, -0.7), 0.7))
    issues[i].updatedAt = now
    issues[i].ownReturn = own
    issues[i].excitement /= (1 + seconds * (1 / 3.0))
    issues[i].value = issues[i].ladder.position(units)
  }
}
