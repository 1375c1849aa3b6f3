// Many events → what is looked at, once each: several changes of one resource are one look, and who looks at all of a type
// needs no look at one of it. Pure.

import GuardRules

/// See the head of this file.
public struct ChangePlan: Sendable {
  /// When the earliest event of a place happened, milliseconds since 1970 UTC, and what it is called.
  public struct Cause: Sendable, Equatable {
    /// The earliest time; nil = none was told.
    public internal(set) var time: Int64?
    /// What that event is called.
    public internal(set) var name: String

    /// A cause.
    public init(time: Int64?, name: String) {
      self.time = time
      self.name = name
    }
  }

  private var causes: [ChangedPlace: Cause] = [:]
  private var order: [ChangedPlace] = []

  /// From so many resources of a type on the type is listed, where a list tells all in a call.
  public static let mostAlone = 10

  /// Nothing yet.
  public init() {}

  /// Whether there is nothing to look at.
  public var isEmpty: Bool { causes.isEmpty }

  /// Adds what an event changes.
  public mutating func add(_ event: ChangeEvent) {
    for place in event.places { add(place, Cause(time: event.time, name: event.name)) }
  }

  /// Adds a place.
  public mutating func add(_ place: ChangedPlace, _ cause: Cause) {
    guard let known = causes[place] else {
      causes[place] = cause
      order.append(place)
      return
    }
    if let time = cause.time, known.time.map({ time < $0 }) ?? true { causes[place] = cause }
  }

  /// Adds what another one has.
  public mutating func add(_ other: ChangePlan) {
    for place in other.order {
      if let cause = other.causes[place] { add(place, cause) }
    }
  }

  /// What is looked at.
  /// - Parameter services: the table of calls, as far as rules need it.
  public func places(_ services: [AccountService]) -> [(place: ChangedPlace, cause: Cause)] {
    var serviceOf: [String: String] = [:]
    var cheap: Set<String> = []
    for service in services {
      for list in service.lists {
        serviceOf[list.type] = service.name
        if list.parts.isEmpty, list.inner.isEmpty { cheap.insert(list.type) }
      }
    }
    var plan = self
    var alone: [ChangedPlace: Int] = [:]
    for place in order {
      guard case .one(let type, _) = place.target, cheap.contains(type) else { continue }
      let all = ChangedPlace(account: place.account, region: place.region, target: .list(type: type))
      alone[all, default: 0] += 1
      if alone[all, default: 0] > Self.mostAlone, let cause = causes[place] { plan.add(all, cause) }
    }
    func isCovered(_ place: ChangedPlace) -> Bool {
      func has(_ target: ChangeTarget) -> Bool {
        plan.causes[ChangedPlace(account: place.account, region: place.region, target: target)] != nil
      }
      switch place.target {
      case .one(let type, _):
        return has(.list(type: type)) || serviceOf[type].map { has(.service($0)) } ?? false
      case .list(let type): return serviceOf[type].map { has(.service($0)) } ?? false
      case .service: return false
      case .configRule(let name): return !name.isEmpty && has(.configRule(""))
      case .guardDuty(_, let finding):
        return !finding.isEmpty && has(.guardDuty(detector: "", finding: ""))
      }
    }
    // The earliest of those that a wider look stands for is its cause.
    return plan.order.filter { !isCovered($0) }.compactMap { place in plan.causes[place].map { (place, $0) } }
  }
}
