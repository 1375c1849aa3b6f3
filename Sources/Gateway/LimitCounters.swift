// What limits did: how many connections were refused, and how many ended, by reason (`/metrics`, docs/THREATS.md).
// Shared by all loops; a limit is hit seldom, or by somebody who may wait, so a lock is cheap enough.

import Synchronization

/// Why a connection was refused before its first request.
enum RefusalReason: String, CaseIterable {
  /// `connections`.
  case connections
  /// `connections_per_address`.
  case address
  /// `requests_per_second`, of which a new connection is one.
  case rate
}

/// Which limit ended a connection, or a request of one.
enum LimitReason: String, CaseIterable {
  /// No whole head in `handshake_seconds` (TLS included).
  case handshakeTime = "handshake_time"
  /// No whole request in `request_seconds` after its head.
  case requestTime = "request_time"
  /// No request in `idle_seconds`.
  case idleTime = "idle_time"
  /// An answer that was not taken in `answer_seconds`.
  case answerTime = "answer_time"
  case headBytes = "head_bytes"
  case bodyBytes = "body_bytes"
  /// Answers beyond `answer_bytes` in all.
  case answerBytes = "answer_bytes"
  case requestRate = "request_rate"
  /// Control frames and fragments of a WebSocket.
  case frameRate = "frame_rate"
  /// No answer to pings.
  case silent
}

final class LimitCounters: Sendable {
  private struct State {
    var hits: [LimitReason: UInt64] = [:]
    var closed: [UInt16: UInt64] = [:]
    var answerBytes = 0
  }
  private let state = Mutex(State())

  func count(_ reason: LimitReason) { state.withLock { $0.hits[reason, default: 0] += 1 } }

  /// A WebSocket that the gateway closed, by close code.
  func countClosed(_ code: UInt16) { state.withLock { $0.closed[code, default: 0] += 1 } }

  var hits: [(reason: LimitReason, count: UInt64)] {
    state.withLock { state in LimitReason.allCases.map { ($0, state.hits[$0] ?? 0) } }
  }
  var closed: [(code: UInt16, count: UInt64)] {
    state.withLock { $0.closed.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
  }

  // MARK: - Large answers that clients haven't taken yet

  /// Takes room for an answer; false where there is none.
  func hold(_ bytes: Int, limit: Int) -> Bool {
    state.withLock { state in
      guard state.answerBytes + bytes <= limit else { return false }
      state.answerBytes += bytes
      return true
    }
  }

  func release(_ bytes: Int) { state.withLock { $0.answerBytes -= bytes } }
  var heldBytes: Int { state.withLock { $0.answerBytes } }
}
