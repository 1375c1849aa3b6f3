// From an address to everything that has to be known before a plant can begin: files opened, reference data read,
// day and zone decided. All that can be wrong with a source is found here, before anything runs.

import ExchangeSimulator
import Foundation
public import MarketData

/// Why a source can't be used: place, reason, remedy.
public struct FeedSetupError: Error, Sendable, CustomStringConvertible {
  /// What the user reads; several faults a line each.
  public var description: String
  /// An error from its text.
  public init(_ description: String) { self.description = description }
}

/// A source that is ready to be played.
public struct PreparedFeed: Sendable {
  enum Input: Sendable {
    case files([String], FeedFile.Expectation, FeedSpeed)
    /// `speed` nil: the clock's pace while Tokyo trades, else a day in about a quarter of an hour.
    case simulator(SimulatorConfiguration, speed: FeedSpeed?)
    case mold(MoldLines)
    /// `dateIsToday`: nothing but the clock says the day.
    case soup(FeedAddress.Soup, dateIsToday: Bool)
  }

  var input: Input
  /// As the user wrote it.
  public var source: String
  /// Market identifier code.
  public var market: String
  /// IANA name of the exchange's zone.
  public var timeZone: String
  /// First day.
  public var date: CalendarDate
  /// How the day was found, for people.
  public var dateOrigin: String
  /// Session part of the epoch; empty for files.
  public var session: String
  /// Names, base prices, limits; nil where there are none.
  public var reference: ReferenceData?

  /// Prepares a source.
  /// - Parameters:
  ///   - address: the parsed source.
  ///   - text: as the user wrote it.
  ///   - anyFormat: files may be of any kind that is known, whatever the address says.
  ///   - keepsState: whether a store keeps the plant's state; a simulator without one is a new session each time.
  /// - Throws: `FeedSetupError` with every fault found.
  public init(
    _ address: FeedAddress, text: String, keepsState: Bool, anyFormat: Bool = false
  ) throws(FeedSetupError) {
    source = FeedAddressParser.withoutPassword(text)
    switch address {
    case .simulator(let simulator):
      let now = Int64(Date().timeIntervalSince1970)
      let tokyo = CalendarDate(daysSince1970: Int((now + 9 * 3600) / 86_400))
      let date = tokyo.weekday == 0 || tokyo.weekday == 6 ? tokyo.nextWeekday : tokyo
      let configuration = SimulatorConfiguration(
        seed: simulator.seed, instruments: simulator.instruments, date: date)
      do throws(SimulatorConfigurationError) { try configuration.validate() } catch {
        throw FeedSetupError("\(text): \(error)")
      }
      input = .simulator(configuration, speed: simulator.speed)
      market = "XTKS"
      timeZone = "Asia/Tokyo"
      self.date = date
      dateOrigin = "today in Tokyo"
      session =
        keepsState
        ? Self.session(seed: simulator.seed, first: date)
        : "S\(simulator.seed % 10_000)-\(now % 10_000_000_000)"
      reference = SimulatedMarket(configuration).reference
    case .itch(let files), .pcap(let files):
      let isCapture = if case .pcap = address { true } else { false }
      do throws(ReferenceFileError) {
        reference = try ReferenceFile.load(named: files.facts.reference, beside: files.paths)
      } catch { throw FeedSetupError("\(error)") }
      do {
        let expectation: FeedFile.Expectation = anyFormat ? .any : isCapture ? .capture : .itch
        // Opened once to be sure, so that a wrong file is told before anything starts.
        // A pipe can be opened only once: it is found out about when it is read.
        if files.paths.allSatisfy(Self.isRegular) {
          _ = try FeedFile(paths: files.paths, expecting: expectation)
        }
        let resolution = try TradingDayResolver(
          file: files.paths.first ?? "", facts: files.facts, reference: reference
        ).resolve()
        input = .files(files.paths, expectation, files.speed)
        market = resolution.market
        timeZone = resolution.zone
        date = resolution.day.date
        dateOrigin = resolution.origin.rawValue
        session = ""
      } catch { throw FeedSetupError("\(text): \(error)") }
    case .mold(let mold):
      let found = try Self.live(mold.facts, source: source)
      input = .mold(MoldLines(mold, hasFixedDay: !found.isToday))
      session = ""
      market = found.resolution.market
      timeZone = found.resolution.zone
      date = found.resolution.day.date
      dateOrigin = found.origin
      reference = found.reference
    case .soup(let soup):
      let found = try Self.live(soup.facts, source: source)
      input = .soup(soup, dateIsToday: found.isToday)
      session = soup.session ?? ""
      market = found.resolution.market
      timeZone = found.resolution.zone
      date = found.resolution.day.date
      dateOrigin = found.origin
      reference = found.reference
    }
  }

  private static func isRegular(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) != 0 || status.st_mode & S_IFMT == S_IFREG
  }

  static func session(seed: UInt64, first: CalendarDate) -> String {
    "S\(seed % 100_000)-" + first.description.filter { $0 != "-" }
  }

  /// The exchange's distance to UTC on any day.
  public var utcOffsetSeconds: @Sendable (CalendarDate) -> Int {
    let name = timeZone
    return { date in
      guard let zone = TradingDayResolver.zone(named: name) else { return 0 }
      return TradingDayResolver.offsetAtNoon(of: date, in: zone)
    }
  }
}
