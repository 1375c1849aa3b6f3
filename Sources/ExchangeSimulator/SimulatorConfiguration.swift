// What a simulated market is made of: the seed and the size. The same configuration gives the same bytes,
// on every machine: the room has no clock, no file and no randomness but the seed.

public import MarketData

/// What decides a simulated market.
public struct SimulatorConfiguration: Sendable, Hashable {
  /// Messages a day and instrument where nothing else is asked for.
  public static let defaultMessagesPerInstrument = 6_000
  /// How many instruments a market may have: the feed's locate code has 16 bits.
  public static let instrumentRange = 1...20_000
  /// Fewest messages a day and instrument: below, a day can't be told.
  public static let minimumMessagesPerInstrument = 100
  /// Most messages a day in all.
  public static let maximumMessagesPerDay = 1_000_000_000

  /// Decides all that follows.
  public var seed: UInt64
  /// Number of instruments, 1 to 20,000.
  public var instruments: Int
  /// The day that is simulated first.
  public var date: CalendarDate
  /// Wanted number of messages of a whole day; the market paces itself to come near it.
  public var messagesPerDay: Int

  /// A configuration.
  /// - Parameters:
  ///   - seed: decides all that follows.
  ///   - instruments: number of instruments, 1 to 20,000.
  ///   - date: the first day.
  ///   - messagesPerDay: wanted number of messages a day; nil = 6,000 an instrument.
  public init(seed: UInt64 = 1, instruments: Int = 400, date: CalendarDate, messagesPerDay: Int? = nil) {
    self.seed = seed
    self.instruments = instruments
    self.date = date
    if let messagesPerDay {
      self.messagesPerDay = messagesPerDay
    } else {
      let (product, overflow) = instruments.multipliedReportingOverflow(by: Self.defaultMessagesPerInstrument)
      self.messagesPerDay = overflow ? .max : product
    }
  }

  /// Checks every field. Call it on what comes from outside before a market is made of it.
  /// - Throws: `SimulatorConfigurationError` for the first field that is out of bounds.
  public func validate() throws(SimulatorConfigurationError) {
    guard Self.instrumentRange.contains(instruments) else {
      throw SimulatorConfigurationError(
        place: "instruments", found: String(instruments), wanted: "a number from 1 to 20000")
    }
    let fewest = instruments * Self.minimumMessagesPerInstrument
    guard (fewest...Self.maximumMessagesPerDay).contains(messagesPerDay) else {
      throw SimulatorConfigurationError(
        place: "messages", found: String(messagesPerDay),
        wanted: "a number from \(fewest) (\(Self.minimumMessagesPerInstrument) an instrument) to "
          + "\(Self.maximumMessagesPerDay)")
    }
    guard (1900...2999).contains(date.ymd.year) else {
      throw SimulatorConfigurationError(
        place: "date", found: date.description, wanted: "a day of the years 1900 to 2999")
    }
  }
}

/// A field of a configuration that is out of bounds.
public struct SimulatorConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Name of the field.
  public var place: String
  /// What stands there.
  public var found: String
  /// What may stand there.
  public var wanted: String

  /// An error from its parts.
  public init(place: String, found: String, wanted: String) {
    self.place = place
    self.found = found
    self.wanted = wanted
  }

  /// Place, what was found, what was wanted.
  public var description: String { "\(place): \(found) found; wanted \(wanted)" }
}
