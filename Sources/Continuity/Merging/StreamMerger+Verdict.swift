// What is against a stream, for the choice of path: only the merger sees that frames don't come, aren't frames, or tell
// of an epoch that isn't followed. And the time that this node itself lost, which says nothing about others.

extension StreamMerger {
  /// Why the frames of a stream are of no use now; nil where they are, or where it isn't known yet.
  public func verdict(ofStream number: Int, at now: UInt64) -> PathRefusal? {
    guard streams.indices.contains(number), streams[number].isTaken else { return nil }
    let stream = streams[number]
    if stream.refusedFor != nil { return .otherConfiguration }
    if stream.malformedInARow >= Self.mostMalformed { return .malformed }
    guard isHeard(stream, at: now) else { return nil }
    func isLong(_ since: UInt64?) -> Bool {
      guard let since, now > since else { return false }
      return now - since > configuration.patienceNanoseconds
    }
    if stream.epoch != epoch, isLong(stream.strangeSince) { return .otherEpoch }
    // One frame lost at the end of a busy time isn't it: the beats must have told of more and more.
    if !configuration.isSelective, isLong(stream.muteSince), let since = stream.muteSince,
      let advancedAt = stream.advancedAt, advancedAt > since &+ configuration.patienceNanoseconds / 2
    {
      return .givesNothing
    }
    return nil
  }

  private static var mostMalformed: Int { 8 }

  /// The last message of the followed epoch that frames of a stream told of; nil where none did.
  public func told(ofStream number: Int) -> UInt64? {
    guard streams.indices.contains(number), streams[number].isTaken, streams[number].epoch == epoch,
      streams[number].hasTold
    else { return nil }
    return streams[number].told
  }

  /// This node stood still for so long, nanoseconds until `now`: nobody was silent meanwhile.
  public mutating func forgive(_ pause: UInt64, at now: UInt64) {
    func later(_ time: UInt64) -> UInt64 { min(now, time &+ pause) }
    for number in streams.indices {
      streams[number].heardAt = streams[number].heardAt.map(later)
      streams[number].advancedAt = streams[number].advancedAt.map(later)
      streams[number].muteSince = streams[number].muteSince.map(later)
      streams[number].strangeSince = streams[number].strangeSince.map(later)
    }
    for place in active {
      coverages[place].since = coverages[place].since.map(later)
      if let askedAt = coverages[place].request?.askedAt {
        coverages[place].request?.askedAt = later(askedAt)
      }
    }
    epochHeardAt = later(epochHeardAt)
    if let heardAt = disputed?.heardAt { disputed?.heardAt = later(heardAt) }
  }
}
