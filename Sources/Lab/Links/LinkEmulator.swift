// The link emulator: carries frames between pairs of TAP devices in two namespaces, with delay, loss, rate and holes
// that `LinkModel` decides. Kernels without netem have no other way, and with it both have the same one.
// Owner: one thread, which runs all lines and the control connection in one loop; nothing is locked.
// Invariant: frames of a direction leave in the order in which they came.

import CNetwork
import Foundation

/// See the head of this file.
final class LinkEmulator {
  /// Lines that one emulator carries: its descriptors and the control connection go into one wait.
  static let mostLines = (Int(KABUTO_BATCH) - 1) / 2

  private let control: Int32
  private var lines: [EmulatedLine] = []
  private var watched: Set<UInt16> = []
  private var late = LateHistogram()
  private var input: [UInt8] = []
  private let spare = UnsafeMutableRawPointer.allocate(byteCount: EmulatedDirection.slotBytes, alignment: 64)

  /// - Parameter control: a connected stream socket; its end is the emulator's end.
  init(control: Int32) {
    self.control = control
    _ = fcntl(control, F_SETFL, fcntl(control, F_GETFL) | O_NONBLOCK)
  }

  deinit { spare.deallocate() }

  /// Runs until the control connection ends.
  func run() {
    _ = kabuto_run_first(10)
    var descriptors: [Int32] = [control]
    var ready = [UInt8](repeating: 0, count: Int(KABUTO_BATCH))
    while true {
      if descriptors.count != 1 + lines.count * 2 {
        descriptors = [control] + lines.flatMap { [$0.from, $0.to] }
      }
      let now = Self.now()
      var wait: UInt64 = 1_000_000_000
      for line in lines {
        for due in [line.forth.next, line.back.next] {
          if let due { wait = min(wait, due > now ? due - now : 0) }
        }
      }
      _ = kabuto_wait(descriptors, &ready, Int32(descriptors.count), wait)
      if ready[0] != 0, !serveControl() { return }
      for (index, line) in lines.enumerated() where 2 + index * 2 < descriptors.count {
        if ready[1 + index * 2] != 0 { take(line.from, line.forth) }
        if ready[2 + index * 2] != 0 { take(line.to, line.back) }
      }
      for line in lines {
        line.forth.deliver(to: line.to, late: &late)
        line.back.deliver(to: line.from, late: &late)
      }
    }
  }

  static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// Frames that one device may hand over before the others have their turn.
  private static let turn = 32

  private func take(_ device: Int32, _ direction: EmulatedDirection) {
    for _ in 0..<Self.turn {
      // Full: what comes is read all the same and dropped, or the device would be ready again and again.
      guard let slot = direction.room else {
        guard read(device, spare, EmulatedDirection.slotBytes) > 0 else { return }
        direction.counts.drop(.queue)
        continue
      }
      let count = read(device, slot, EmulatedDirection.slotBytes)
      guard count > 0 else { return }
      let flow = FlowHash.flow(UnsafeRawBufferPointer(start: slot, count: count))
      direction.offer(
        count: count, flow: flow.hash, isWatched: watched.contains(flow.from) || watched.contains(flow.to),
        at: Self.now())
    }
  }

  // MARK: - Control

  private func serveControl() -> Bool {
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = read(control, &bytes, bytes.count)
    if count == 0 { return false }
    guard count > 0 else { return errno == EAGAIN || errno == EINTR }
    input += bytes[..<count]
    guard input.count < 1 << 20 else { return false }
    while let end = input.firstIndex(of: 10) {
      let line = String(decoding: input[..<end], as: UTF8.self)
      input.removeSubrange(...end)
      answer(obey(line))
    }
    return true
  }

  private func answer(_ text: String) {
    var rest = Array((text + "\n").utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(control, $0.baseAddress, $0.count) }
      if count > 0 { rest = rest.dropFirst(count) } else if errno != EAGAIN, errno != EINTR { return }
    }
  }

  private func obey(_ text: String) -> String {
    do throws(LinkCommand.Fault) {
      switch try LinkCommand(line: text) {
      case .add(let name, let from, let to): try add(name, from, to)
      case .set(let name, let direction, let changes):
        guard let line = lines.first(where: { $0.name == name }) else {
          throw LinkCommand.Fault(reason: "no line \(name)")
        }
        for change in changes {
          if direction != .back { line.forth.model.settings.apply(change) }
          if direction != .forth { line.back.model.settings.apply(change) }
        }
        line.forth.makeRoom()
        line.back.makeRoom()
      case .watch(let ports): watched = Set(ports)
      case .stats:
        let statistics = LinkStatistics(
          lines: lines.map {
            LinkStatistics.Line(name: $0.name, forth: $0.forth.counts, back: $0.back.counts)
          },
          lateP50: late.microseconds(at: 0.5), lateP99: late.microseconds(at: 0.99),
          lateMax: Double(late.worst) / 1e3)
        let data = (try? JSONEncoder().encode(statistics)) ?? Data("{}".utf8)
        return String(decoding: data, as: UTF8.self)
      }
      return "ok"
    } catch { return "error \(error.reason)" }
  }

  private func add(_ name: String, _ from: String, _ to: String) throws(LinkCommand.Fault) {
    guard lines.count < Self.mostLines else {
      throw LinkCommand.Fault(reason: "more than \(Self.mostLines) lines")
    }
    let one = kabuto_open_tap(from, name)
    guard one >= 0 else {
      throw LinkCommand.Fault(reason: "\(name) in \(from): \(String(cString: strerror(errno)))")
    }
    let other = kabuto_open_tap(to, name)
    guard other >= 0 else {
      let reason = String(cString: strerror(errno))
      close(one)
      throw LinkCommand.Fault(reason: "\(name) in \(to): \(reason)")
    }
    lines.append(EmulatedLine(name: name, from: one, to: other, number: UInt64(lines.count)))
  }
}

/// A line: two devices, two directions.
private final class EmulatedLine {
  let name: String
  let from: Int32
  let to: Int32
  let forth: EmulatedDirection
  let back: EmulatedDirection

  init(name: String, from: Int32, to: Int32, number: UInt64) {
    self.name = name
    self.from = from
    self.to = to
    forth = EmulatedDirection(seed: number * 2 + 1)
    back = EmulatedDirection(seed: number * 2 + 2)
  }

  deinit {
    close(from)
    close(to)
  }
}

/// The frames under way in one direction: a ring, oldest first, with room for what the line's settings let be under way.
private final class EmulatedDirection {
  static let slotBytes = 2048

  var model: LinkModel
  var counts = LinkCounts()
  private var slots: Int
  private var ring: UnsafeMutableRawPointer
  private var due: [UInt64]
  private var lengths: [Int]
  private var first = 0
  private var count = 0

  init(seed: UInt64) {
    model = LinkModel(seed: seed)
    slots = model.settings.framesUnderWay
    ring = UnsafeMutableRawPointer.allocate(byteCount: slots * Self.slotBytes, alignment: 64)
    due = [UInt64](repeating: 0, count: slots)
    lengths = [Int](repeating: 0, count: slots)
  }

  deinit { ring.deallocate() }

  /// Makes the ring as large as the settings want; what is under way stays so.
  func makeRoom() {
    let wanted = model.settings.framesUnderWay
    guard wanted > slots else { return }
    let larger = UnsafeMutableRawPointer.allocate(byteCount: wanted * Self.slotBytes, alignment: 64)
    var newDue = [UInt64](repeating: 0, count: wanted)
    var newLengths = [Int](repeating: 0, count: wanted)
    for place in 0..<count {
      let old = (first + place) % slots
      (larger + place * Self.slotBytes).copyMemory(from: ring + old * Self.slotBytes, byteCount: lengths[old])
      newDue[place] = due[old]
      newLengths[place] = lengths[old]
    }
    ring.deallocate()
    ring = larger
    (slots, first, due, lengths) = (wanted, 0, newDue, newLengths)
  }

  /// When the oldest frame is due.
  var next: UInt64? { count > 0 ? due[first] : nil }

  /// Where the next frame is to be read to; nil: full.
  var room: UnsafeMutableRawPointer? {
    count < slots ? ring + (first + count) % slots * Self.slotBytes : nil
  }

  /// The frame in `room` is of that length.
  func offer(count bytes: Int, flow: UInt32, isWatched: Bool, at now: UInt64) {
    switch model.offer(bytes: bytes, flow: flow, at: now) {
    case .dropped(let reason): counts.drop(reason)
    case .deliver(let time):
      let place = (first + count) % slots
      due[place] = time
      lengths[place] = bytes
      count += 1
      counts.frames += 1
      counts.bytes += UInt64(bytes)
      if isWatched {
        counts.watchedFrames += 1
        counts.watchedBytes += UInt64(bytes)
      }
    }
  }

  /// Lets go what is due. A line that is cut loses what is under way, too.
  func deliver(to device: Int32, late: inout LateHistogram) {
    while count > 0 {
      let now = LinkEmulator.now()
      guard due[first] <= now else { return }
      if model.settings.isCut {
        counts.cut += 1
      } else if write(device, ring + first * Self.slotBytes, lengths[first]) < 0 {
        counts.refused += 1
      }
      late.count(now - due[first])
      first = (first + 1) % slots
      count -= 1
      // The beginning of the ring is used again: what was never needed takes no memory.
      if count == 0 { first = 0 }
    }
  }
}

/// How late frames left: buckets of 1 µs to 10 ms.
struct LateHistogram {
  private var buckets = [UInt64](repeating: 0, count: 10_001)
  private var total: UInt64 = 0
  private(set) var worst: UInt64 = 0

  mutating func count(_ nanoseconds: UInt64) {
    buckets[Int(min(nanoseconds / 1000, 10_000))] += 1
    total += 1
    worst = max(worst, nanoseconds)
  }

  func microseconds(at share: Double) -> Double {
    guard total > 0 else { return 0 }
    var seen: UInt64 = 0
    for (microseconds, count) in buckets.enumerated() {
      seen += count
      if Double(seen) >= Double(total) * share { return Double(microseconds) }
    }
    return Double(worst) / 1e3
  }
}
