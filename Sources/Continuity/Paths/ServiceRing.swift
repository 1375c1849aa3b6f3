// Whom a member of a group listens to: the next ones in a ring of the group's names, so that a node hears the same few
// however large its group is. The ring's order is that of a fixed hash of the names: names next to each other tend to be of
// one zone, which goes, or is taken out, at once; those that a node hears should be of several. Pure.
//
// Why a `ServiceBoard` is safe with such a part of the group. It holds for itself and those that it hears: one of them
// serves, or the board makes its own node serve, and that is all that a node needs to know of a large group:
// - Nobody leaves by command unless one that it hears serves and wants to; by health or lag, unless one is well besides.
//   Where those that it hears are out, it refuses though others far along the ring serve: too careful, never too bold.
// - If all were out at once (each left because of one that was about to leave), the one of all that are there with the
//   least against it has nobody before it on its own board either, and serves at once.
// - Who serves reluctantly yields to a reluctant one only if that comes first by name, so never in a circle: the first of
//   all yields to nobody but one that wants to serve, and such a one doesn't count reluctant ones when it leaves.
// So, once silences are noticed, each member that is there has one that serves within its own part, and the group has
// one wherever it has a member. None of it needs the parts to be made from the same list: nodes of two versions of an
// estate may listen to different ones.
// Up to nine members hear all of the group, and decide as if there were no rings.

/// See the head of this file.
public enum ServiceRing {
  /// The most that a member listens to in one group.
  public static let reach = 8

  /// Those of a group that one of it listens to, the next one first; all others where they are no more than `reach`.
  /// The order of `group` doesn't matter, nor whether `member` is in it.
  public static func heard(by member: String, in group: some Sequence<String>, reach: Int = reach) -> [String]
  {
    let own = Place(member)
    let ring = Set(group).subtracting([member]).map(Place.init).sorted()
    let first = ring.firstIndex { own < $0 } ?? 0
    return (0..<min(max(0, reach), ring.count)).map { ring[(first + $0) % ring.count].name }
  }

  /// A name's place in the ring: the same on every node and in every release.
  private struct Place: Comparable {
    let hash: UInt64
    let name: String

    init(_ name: String) {
      self.name = name
      // FNV-1a, then stirred: by itself it puts names that differ in their last letter beside each other.
      var hash: UInt64 = 0xCBF2_9CE4_8422_2325
      for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
      hash = (hash ^ (hash >> 33)) &* 0xFF51_AFD7_ED55_8CCD
      hash = (hash ^ (hash >> 33)) &* 0xC4CE_B9FE_1A85_EC53
      self.hash = hash ^ (hash >> 33)
    }

    static func < (a: Place, b: Place) -> Bool { (a.hash, a.name) < (b.hash, b.name) }
  }
}
