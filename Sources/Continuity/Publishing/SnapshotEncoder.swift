// The state of a plant as snapshot parts: what `TickerPlant.emitAll(announcing: 0)` wrote, cut into frames that can be
// read by themselves. The market's, or one instrument's.
// Owner: whoever asks the plant, on the plant's thread.

public import MarketData
public import TickerPlant

/// See the head of this file.
public enum SnapshotEncoder {
  /// Makes the parts; the last one is marked `.last`.
  /// - Parameters:
  ///   - records: what `emitAll(announcing: 0)` wrote, or for one instrument `emitState(of:)`, and nothing else.
  ///   - position: the plant's epoch and sequence number.
  ///   - state: how the source is.
  ///   - gap: the newest declared gap; zeros where there is none.
  ///   - code: the one instrument that is wanted; nil = all.
  ///   - isList: the instruments' facts alone.
  ///   - configuration: hash of the node's configuration.
  ///   - incarnation: the publisher's life.
  ///   - wall: nanoseconds since 1970.
  ///   - partBytes: bytes after which a part ends.
  ///   - emit: gets each part; its bytes are valid during the call.
  public static func encode(
    _ records: UnsafeRawBufferPointer, position: StreamPosition, state: SourceState,
    gap: (from: UInt64, through: UInt64) = (0, 0), code: InstrumentCode? = nil, isList: Bool = false,
    configuration: UInt32,
    incarnation: UInt64, wall: UInt64, partBytes: Int = 256 << 10, emit: (UnsafeRawBufferPointer) -> Void
  ) {
    var builder = FrameBuilder()
    var out = ByteStore(capacity: 64 << 10)
    var codes: [UInt64] = []
    var head = FrameHeader(
      kind: .snapshot, flags: code == nil ? [] : [.single], state: state, configuration: configuration,
      incarnation: incarnation, epoch: EpochKey(position.epoch), from: 0, through: position.sequence,
      sentAt: wall, gapFrom: gap.from, gapThrough: gap.through)
    func finish(_ flags: FrameFlags) {
      if let code { builder.mention(code: code.rawValue) }
      var part = head
      part.flags.formUnion(flags)
      builder.finish(part, into: &out)
      emit(out.bytes)
      head.part &+= 1
    }
    var offset = 0
    while let start = records.baseAddress, offset + MemoryLayout<UpdateHeader>.size <= records.count {
      var header = records.loadUnaligned(fromByteOffset: offset, as: UpdateHeader.self)
      let size = Int(header.byteCount)
      guard size >= MemoryLayout<UpdateHeader>.size, offset + size <= records.count else { break }
      let record = start + offset
      offset += size
      guard RecordSizes.size(kind: header.kind) == size else { continue }
      let number = Int(header.instrument)
      if RecordSizes.isFacts(kind: header.kind) {
        while codes.count <= number { codes.append(0) }
        codes[number] = record.loadUnaligned(
          fromByteOffset: MemoryLayout<UpdateHeader>.size, as: UInt64.self)
      }
      guard number < codes.count, codes[number] != 0 else { continue }
      if isList, header.kind != UpdateKind.instrument.rawValue { continue }
      let isWanted = code == nil || codes[number] == code?.rawValue
      guard isWanted else { continue }
      if code != nil { header.instrument = 0 }
      if builder.byteCount + size > partBytes { finish([]) }
      builder.append(record, header, code: codes[number])
    }
    finish([.last])
  }
}
