// Who serves: out by command, because it isn't well, or because it is late; back with hysteresis; never the last of a
// group. A group is what can stand in for each other (the plants of a market, the gateways of a site); who belongs to
// several leaves only where each of them allows it.
// Each node has a board of its own and decides about itself alone: what another says of itself is a fact.
// Single-writer. Pure: what is heard, commands and times come in.
// Invariants: where a member of a group is heard, one of the group serves; nobody leaves by health or lag unless one
// that serves and is well stays, so a fault that all share takes nobody out.

/// See the head of this file.
public struct ServiceBoard: Sendable {
  /// How it decides. Times are nanoseconds.
  public struct Configuration: Sendable {
    /// Silence after which a member isn't there.
    public var silenceNanoseconds: UInt64 = 350_000_000
    /// Later than this is late.
    public var lagNanoseconds: UInt64 = 500_000_000
    /// How long a member must be late, or not well, before it is out.
    public var outNanoseconds: UInt64 = 1_000_000_000
    /// How long a member must be well, and no later than half of what is late, before it is back.
    public var backNanoseconds: UInt64 = 5_000_000_000

    /// The defaults.
    public init() {}
  }

  /// Why a command isn't followed.
  public struct Refusal: Error, Sendable, Equatable, CustomStringConvertible {
    /// For people: place, found, remedy.
    public var description: String
  }

  /// A member changed.
  public struct Change: Sendable, Equatable {
    /// The member's number.
    public var member: Int
    /// How it is now.
    public var state: ServiceState
    /// For people.
    public var reason: String
  }

  private struct Member: Sendable {
    var name: String
    var groups: [String]
    var heardAt: UInt64?
    var isWell = true
    var lag: UInt64 = 0
    var isCommandedOut = false
    /// Since when it is late or not well.
    var badSince: UInt64?
    /// Since when it is neither.
    var goodSince: UInt64?
    var state = ServiceState.inService
    var reason = "in service"
    /// It serves only because nobody else of its group does.
    var isLast = false
    /// It decides itself and says how it is: nothing is decided here.
    var saysItself = false
    /// It says that it serves only because nobody else does.
    var saysReluctant = false

    var isReluctant: Bool { saysItself ? saysReluctant : isCommandedOut }
  }

  /// How it decides.
  public let configuration: Configuration
  private var members: [Member] = []
  /// Since when nobody of a group serves.
  private var emptySince: [String: UInt64] = [:]

  /// A board without members.
  public init(_ configuration: Configuration = Configuration()) { self.configuration = configuration }

  /// Adds a member; gives its number.
  public mutating func add(_ name: String, group: String) -> Int { add(name, groups: [group]) }

  /// Adds a member that belongs to several groups; gives its number.
  public mutating func add(_ name: String, groups: [String]) -> Int {
    members.append(Member(name: name, groups: groups))
    return members.count - 1
  }

  /// A member was heard.
  /// - Parameters:
  ///   - isWell: what it says of itself.
  ///   - lag: how late it is, nanoseconds.
  public mutating func hear(_ member: Int, isWell: Bool, lag: UInt64, at now: UInt64) {
    guard members.indices.contains(member) else { return }
    members[member].heardAt = now
    members[member].isWell = isWell
    members[member].lag = lag
  }

  /// A member that decides itself says how it is: a fact, whatever this board thinks of it.
  /// - Parameter isReluctant: it serves only because nobody else does.
  public mutating func hear(_ member: Int, says state: ServiceState, isReluctant: Bool) {
    guard members.indices.contains(member) else { return }
    members[member].saysItself = true
    members[member].saysReluctant = isReluctant && state == .inService
    set(member, state, state == .inService ? "in service" : "out of service by its own word")
  }

  /// Whether a member serves only because nobody else does.
  public func isReluctant(_ member: Int) -> Bool {
    members.indices.contains(member) && members[member].state == .inService && members[member].isLast
  }

  /// Whether a member serves.
  public func state(of member: Int) -> ServiceState {
    members.indices.contains(member) ? members[member].state : .outByHealth
  }

  /// Why, for people.
  public func reason(of member: Int) -> String {
    members.indices.contains(member) ? members[member].reason : "not known"
  }

  /// Takes a member out of service.
  /// - Throws: `Refusal` where nobody else of its group serves.
  public mutating func takeOut(_ member: Int, at now: UInt64) throws(Refusal) -> [Change] {
    guard members.indices.contains(member) else { throw Refusal(description: "no such member") }
    if let group = members[member].groups.first(where: { !hasOther(than: member, in: $0, at: now) }) {
      throw Refusal(
        description:
          "\(members[member].name) is the last of \(group) that serves: bring another one back first")
    }
    members[member].isCommandedOut = true
    return tick(at: now)
  }

  /// Brings a member back that was taken out by command.
  public mutating func bringBack(_ member: Int, at now: UInt64) -> [Change] {
    guard members.indices.contains(member) else { return [] }
    members[member].isCommandedOut = false
    if members[member].badSince == nil {
      // An operator knows what he does: no waiting.
      members[member].goodSince = 0
    }
    return tick(at: now)
  }

  // MARK: - Time

  /// Decides anew. Call it after what was heard and at least ten times a second.
  public mutating func tick(at now: UInt64) -> [Change] {
    let before = members.map { ($0.state, $0.reason) }
    for place in members.indices { observe(place, at: now) }
    for place in members.indices { decide(place, at: now) }
    keepOne(at: now)
    return members.indices.compactMap { place in
      members[place].state == before[place].0
        ? nil : Change(member: place, state: members[place].state, reason: members[place].reason)
    }
  }

  private func isHeard(_ place: Int, at now: UInt64) -> Bool {
    guard let heardAt = members[place].heardAt else { return false }
    return heardAt >= now || now - heardAt <= configuration.silenceNanoseconds
  }

  private mutating func observe(_ place: Int, at now: UInt64) {
    let isLate = members[place].lag > configuration.lagNanoseconds
    let isCalm = members[place].lag <= configuration.lagNanoseconds / 2
    if !isHeard(place, at: now) || !members[place].isWell || isLate {
      if members[place].badSince == nil { members[place].badSince = now }
      members[place].goodSince = nil
    } else if isCalm {
      members[place].badSince = nil
      if members[place].goodSince == nil { members[place].goodSince = now }
    } else {
      // Between the two: neither worse nor better.
      members[place].goodSince = nil
      if members[place].state == .inService { members[place].badSince = nil }
    }
  }

  private mutating func decide(_ place: Int, at now: UInt64) {
    let wasLast = members[place].isLast
    members[place].isLast = false
    if !isHeard(place, at: now) {
      // A fact, whoever else there is.
      set(
        place, .outByHealth,
        members[place].heardAt == nil ? "never heard" : "not heard for more than three beats")
      return
    }
    // By its own word.
    if members[place].saysItself { return }
    if members[place].isCommandedOut {
      if wasLast, members[place].state == .inService, !mayYield(place, at: now) {
        members[place].isLast = true
      } else {
        set(place, .outByCommand, "taken out by command")
      }
      return
    }
    if let since = members[place].badSince, now >= since &+ configuration.outNanoseconds {
      if members[place].groups.allSatisfy({ hasWellOther(than: place, in: $0, at: now) }) {
        if members[place].isWell {
          set(place, .outByLag, "late by \(members[place].lag / 1_000_000) ms")
        } else {
          set(place, .outByHealth, "it says that it isn't well")
        }
      } else if members[place].state == .inService {
        members[place].isLast = wasLast
      } else if members[place].state == .outByCommand {
        set(place, .inService, "in service by command, though it isn't well")
      }
      return
    }
    guard members[place].state != .inService || wasLast else {
      members[place].reason = "in service"
      return
    }
    let isNew = members[place].reason == "never heard"
    if let since = members[place].goodSince, isNew || now >= since &+ configuration.backNanoseconds {
      set(place, .inService, "in service")
    } else if wasLast {
      members[place].isLast = true
    }
  }

  private mutating func set(_ place: Int, _ state: ServiceState, _ reason: String) {
    members[place].state = state
    members[place].reason = reason
  }

  private func others(than member: Int, in group: String, at now: UInt64) -> [Int] {
    members.indices.filter {
      $0 != member && members[$0].state == .inService && members[$0].groups.contains(group)
        && isHeard($0, at: now)
    }
  }

  private func hasOther(than member: Int, in group: String, at now: UInt64) -> Bool {
    others(than: member, in: group, at: now).contains { !members[$0].isReluctant }
  }

  /// Whether another serves, wants to, and is well.
  private func hasWellOther(than member: Int, in group: String, at now: UInt64) -> Bool {
    others(than: member, in: group, at: now).contains {
      !members[$0].isReluctant && members[$0].isWell && members[$0].badSince == nil
        && members[$0].lag <= configuration.lagNanoseconds
    }
  }

  /// Whether one that serves as the last may go: another serves that wants to, or that comes first among the reluctant.
  private func mayYield(_ member: Int, at now: UInt64) -> Bool {
    members[member].groups.allSatisfy { group in
      others(than: member, in: group, at: now).contains {
        !members[$0].isReluctant || members[$0].name < members[member].name
      }
    }
  }

  /// Where nobody of a group serves, the one serves that is heard and has the least against it; among equals the
  /// first by name, on every board alike. Should that one not come, the next does after a while.
  private mutating func keepOne(at now: UInt64) {
    var groups: Set<String> = []
    for member in members { groups.formUnion(member.groups) }
    for group in groups.sorted() {
      let heard = members.indices.filter { members[$0].groups.contains(group) && isHeard($0, at: now) }
      guard !heard.isEmpty, !heard.contains(where: { members[$0].state == .inService }) else {
        emptySince[group] = nil
        continue
      }
      let since = emptySince[group] ?? now
      emptySince[group] = since
      let order: [ServiceState] = [.inService, .outByLag, .outByCommand, .outByHealth]
      let ranked = heard.sorted { a, b in
        let left = order.firstIndex(of: members[a].state) ?? 0
        let right = order.firstIndex(of: members[b].state) ?? 0
        return left != right ? left < right : members[a].name < members[b].name
      }
      for (rank, place) in ranked.enumerated() where !members[place].saysItself {
        guard now &- since >= UInt64(rank) * configuration.outNanoseconds else { break }
        let why = members[place].reason
        members[place].isLast = true
        set(place, .inService, "the last of \(group): serves though \(why)")
        emptySince[group] = nil
        break
      }
    }
  }
}
