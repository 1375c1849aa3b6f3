// A session as it has been published so far: its framed messages by number, for requests and for clients that come
// late. Kept in memory, about as many bytes as the file has, or as many as are allowed, the oldest dropped; where
// nobody can ask, only the numbers are.
// Owner: the publisher's thread. Invariant: numbers rise; every number below `next` is held, or in `missing`.

import FeedProtocols

/// See the head of this file.
final class PublishedSession {
  let name: String
  let mold: MoldSession
  /// Number of the first message.
  let first: UInt64
  /// Number of the message that comes next.
  private(set) var next: UInt64
  /// Numbers that nobody has, ascending.
  private(set) var missing: [ClosedRange<UInt64>] = []
  /// Nothing follows.
  var isEnded = false

  private let keeps: Bool
  private let mostChunks: Int
  private var chunks: [Chunk] = []

  private static let chunkBytes = 1 << 20
  /// Every so many messages of a chunk their place is remembered.
  private static let markDistance = 64

  private struct Chunk {
    let base: UnsafeMutableRawPointer
    let first: UInt64
    var used = 0
    var count = 0
    var marks: [UInt32] = []
  }

  convenience init(name: String, first: UInt64, keeps: Bool) {
    self.init(name: name, mold: MoldSession(name), first: first, keeps: keeps, mostBytes: .max)
  }

  init(name: String, mold: MoldSession, first: UInt64, keeps: Bool, mostBytes: Int) {
    self.name = name
    self.mold = mold
    mostChunks = max(2, mostBytes / Self.chunkBytes)
    self.first = first
    next = first
    self.keeps = keeps
  }

  deinit { for chunk in chunks { chunk.base.deallocate() } }

  /// Adds framed messages.
  func append(_ frames: UnsafeRawBufferPointer, count: Int) {
    defer { next &+= UInt64(count) }
    guard keeps, let source = frames.baseAddress else { return }
    var place = 0
    var number = next
    while place + 2 <= frames.count {
      let length = 2 + PublishPacer.length(frames, at: place)
      guard place + length <= frames.count else { return }
      if let last = chunks.last, last.used + length <= Self.chunkBytes,
        last.first + UInt64(last.count) == number
      {
      } else {
        var base: UnsafeMutableRawPointer?
        if chunks.count >= mostChunks { base = chunks.removeFirst().base }
        chunks.append(
          Chunk(
            base: base ?? .allocate(byteCount: Self.chunkBytes, alignment: 16), first: number))
      }
      let index = chunks.count - 1
      if chunks[index].count % Self.markDistance == 0 {
        chunks[index].marks.append(UInt32(chunks[index].used))
      }
      (chunks[index].base + chunks[index].used).copyMemory(from: source + place, byteCount: length)
      chunks[index].used += length
      chunks[index].count += 1
      place += length
      number += 1
    }
  }

  /// Leaves out the numbers up to `last`: nobody has them.
  func skip(through last: UInt64) {
    guard last >= next, last < .max else { return }
    if let before = missing.last, before.upperBound + 1 == next {
      missing[missing.count - 1] = before.lowerBound...last
    } else {
      missing.append(next...last)
    }
    next = last + 1
  }

  /// Framed messages from a number on, as many as lie side by side and fit; none where the number is missing, not
  /// there yet or before the first.
  func frames(
    from sequence: UInt64, maxMessages: Int, maxBytes: Int
  ) -> (bytes: UnsafeRawBufferPointer, count: Int) {
    let nothing = (bytes: UnsafeRawBufferPointer(start: nil, count: 0), count: 0)
    guard let index = chunkIndex(of: sequence) else { return nothing }
    let chunk = chunks[index]
    guard sequence - chunk.first < UInt64(chunk.count) else { return nothing }
    let offset = Int(sequence - chunk.first)
    let all = UnsafeRawBufferPointer(start: chunk.base, count: chunk.used)
    var place = Int(chunk.marks[offset / Self.markDistance])
    for _ in 0..<offset % Self.markDistance { place += 2 + PublishPacer.length(all, at: place) }
    var end = place
    var count = 0
    while count < maxMessages, offset + count < chunk.count {
      let length = 2 + PublishPacer.length(all, at: end)
      if end + length - place > maxBytes { break }
      end += length
      count += 1
    }
    return (UnsafeRawBufferPointer(rebasing: all[place..<end]), count)
  }

  /// The last chunk that begins at or before `sequence`.
  private func chunkIndex(of sequence: UInt64) -> Int? {
    var low = 0
    var high = chunks.count
    while low < high {
      let middle = (low + high) / 2
      if chunks[middle].first <= sequence { low = middle + 1 } else { high = middle }
    }
    return low > 0 ? low - 1 : nil
  }
}

/// All sessions of a run.
final class PublishedSessions {
  private(set) var all: [PublishedSession] = []
  private let keeps: Bool

  init(keeps: Bool) { self.keeps = keeps }

  /// The one being published; nil before the first.
  private(set) var current: PublishedSession?

  /// Goes on with a session, or begins it.
  func begin(_ name: String, first: UInt64) -> PublishedSession {
    if let known = all.first(where: { $0.name == name }) {
      known.isEnded = false
      current = known
      return known
    }
    let session = PublishedSession(name: name, first: first, keeps: keeps)
    all.append(session)
    current = session
    return session
  }

  /// A session by its name; empty = the current one.
  func named(_ name: String) -> PublishedSession? {
    name.isEmpty ? current : all.first { $0.name == name }
  }

  /// A session by its name on the wire.
  func session(_ mold: MoldSession) -> PublishedSession? {
    if let current, current.mold == mold { return current }
    return all.first { $0.mold == mold }
  }
}
