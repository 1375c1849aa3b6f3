// The Tokyo day in exchange time, as since November 2024: 9:00–11:30, 12:30–15:25 and the closing auction at
// 15:30; and how busy each minute of it usually is.

import FeedProtocols

/// Moments of the day, ns since midnight, and the usual intensity of each minute.
enum DaySchedule {
  static let second: UInt64 = 1_000_000_000
  static let minute: UInt64 = 60 * second

  static func at(_ hour: UInt64, _ minutes: UInt64) -> UInt64 { (hour * 60 + minutes) * minute }

  static let firstMessage = at(7, 0)
  static let gathering = at(8, 0)
  static let morningOpen = at(9, 0)
  static let morningClose = at(11, 30)
  static let lunchGathering = at(12, 5)
  static let afternoonOpen = at(12, 30)
  static let closingCall = at(15, 25)
  static let close = at(15, 30)
  /// Auctions of one moment are done one after the other within this time.
  static let auctionSpread = 300_000_000 as UInt64

  /// Events of the whole market with their times, ascending.
  static let systemEvents: [(time: UInt64, event: ITCHCode)] = [
    (firstMessage, "O"), (firstMessage + 100_000_000, "S"), (morningOpen, "Q"), (close + second / 2, "M"),
    (at(16, 0), "E"), (at(16, 5), "C"),
  ]

  /// Share of a day's continuous messages that has been sent before the end of each minute from 9:00 to 15:30,
  /// first entry 0.
  static let progress: [Double] = {
    var sum = 0.0
    var sums = [0.0]
    for minute in 0..<390 {
      sum += weight(minute)
      sums.append(sum)
    }
    return sums.map { $0 / sum }
  }()

  /// Messages of a minute against an average one's; `minute` counts from 9:00.
  static func weight(_ minute: Int) -> Double {
    let m = Double(minute)
    switch minute {
    case 0..<150: return 0.75 + 2.6 / (1 + m / 9) + 0.25 * m / 150
    case 185..<210: return 0.12
    case 210..<385: return 0.7 + 0.9 / (1 + (m - 210) / 8) + 1.3 / (1 + (385 - m) / 12)
    case 385..<390: return 1.6
    default: return 0
    }
  }

  /// Share of the day's continuous messages that is usually sent before `time`.
  static func progress(at time: UInt64) -> Double {
    guard time > morningOpen else { return 0 }
    let offset = time - morningOpen
    let index = Int(offset / minute)
    guard index < 390 else { return 1 }
    let part = Double(offset % minute) / Double(minute)
    return progress[index] + (progress[index + 1] - progress[index]) * part
  }

  /// Share of the day's continuous messages that is sent in a nanosecond at `time`.
  static func intensity(at time: UInt64) -> Double {
    guard time >= morningOpen else { return 0 }
    let index = Int((time - morningOpen) / minute)
    guard index < 390 else { return 0 }
    return (progress[index + 1] - progress[index]) / Double(minute)
  }

  /// Share of the pre-opening orders that comes in a nanosecond at `time`: a rush at 8:00, more before 9:00.
  static func gatheringIntensity(at time: UInt64) -> Double {
    guard time >= gathering, time < morningOpen else { return 0 }
    let m = Double((time - gathering) / second) / 60
    return (0.4 + 2.0 / (1 + m / 3) + 2.4 / (1 + (60 - m) / 5)) / (76 * Double(minute))
  }
}
