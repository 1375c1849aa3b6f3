// What can go wrong in a SoupBinTCP session though every packet is well formed: packets out of their order, silence.

/// A fault of the other side's behaviour.
public enum SoupBinTCPFault: Error, Sendable, Hashable {
  /// A packet that has no place in that state.
  case unexpected(packet: String, state: String, wanted: String)
  /// Nothing came for longer than is borne.
  case silent(nanoseconds: UInt64, limit: UInt64)
  /// The login wasn't answered (or didn't come) in time.
  case loginLate(limit: UInt64)
  /// The session's numbers leave 64 bits.
  case sequence(UInt64)
  /// An event that this side's shell must not give in that state.
  case misused(event: String, state: String)
}

extension SoupBinTCPFault: CustomStringConvertible {
  /// What was found and what was wanted.
  public var description: String {
    switch self {
    case .unexpected(let packet, let state, let wanted): "\(packet) came while \(state); wanted \(wanted)"
    case .silent(let nanoseconds, let limit):
      "nothing came for \(Self.seconds(nanoseconds)) s; at most \(Self.seconds(limit)) s are borne"
    case .loginLate(let limit): "no login came to its end within \(Self.seconds(limit)) s"
    case .sequence(let next): "sequence \(next) found; numbers beyond 64 bits can't be"
    case .misused(let event, let state): "\(event) has no meaning while \(state)"
    }
  }

  private static func seconds(_ nanoseconds: UInt64) -> String {
    let tenths = nanoseconds / 100_000_000
    return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
  }
}
