// One or more files, which follow one another, as one feed: ITCH messages in their framing, or captures of
// MoldUDP64. Memory is bounded: one window of 1 MiB, whatever the files' size; messages are handed out in place.
// Owner: one thread at a time. No allocation per message.
// ITCH: the sequence is the message's number from 1, and starts at 1 again at each System Event `O`.

import FeedProtocols

/// A reader of feed files.
public final class FeedFile {
  /// What a file holds.
  public enum Format: String, Sendable, Hashable, Codable {
    /// Framed TotalView-ITCH 5.0 messages.
    case itch
    /// MoldUDP64 in a classic capture.
    case pcap
    /// MoldUDP64 in a capture of blocks.
    case pcapng
  }

  /// What the caller says the files hold.
  public enum Expectation: Sendable, Hashable {
    /// Look at the content.
    case any
    /// Messages; what isn't one is reported, whatever the beginning looks like.
    case itch
    /// Captures; anything else is an error.
    case capture
  }

  /// The files, in order.
  public let paths: [String]
  /// What the caller said.
  public let expectation: Expectation
  /// What the files opened so far hold.
  public private(set) var formats: [Format] = []
  /// Bytes of all files, as stored; pipes count as 0.
  public let totalBytes: UInt64
  /// Bytes of all files, as stored, that have been read.
  public var bytesDone: UInt64 { finishedBytes + (file?.bytesRead ?? 0) }
  /// Bytes of content, decompressed, that have been read.
  public private(set) var contentBytes: UInt64 = 0
  /// Messages of ITCH files whose length prefix was zero.
  public var zeroPrefixedCount: UInt64 { finishedZeroPrefixed + framer.zeroPrefixedCount }
  /// Messages left out because they had come already (captures).
  public internal(set) var duplicateCount: UInt64 = 0
  /// Packets that carried nothing (captures).
  public internal(set) var heartbeatCount: UInt64 = 0
  /// Number that the next message gets, from 1, never starting again.
  public internal(set) var nextFileMessageNumber: UInt64 = 1
  /// Messages that were good: what comes before the first of them is no day.
  private var goodCount: UInt64 = 0

  static let windowBytes = 1024 * 1024
  /// Bytes read at once: they stay in the processor's cache until they have been used.
  private static let readBytes = 128 * 1024

  // The window: `place..<filled` is still to be used; `isLast` = no byte of this file follows.
  let window: UnsafeMutableRawBufferPointer
  /// Bytes of a packet that had been held and is being handed out.
  let scratch: UnsafeMutableRawBufferPointer
  var place = 0
  var filled = 0
  var isLast = false

  var fileIndex = 0
  var framer = ITCHFramer()
  var sequence: UInt64 = 1
  var capture = CaptureFeed()
  private var file: ByteFile?
  private var finishedBytes: UInt64 = 0
  private var finishedZeroPrefixed: UInt64 = 0

  /// Opens files.
  /// - Throws: `FeedFileError` where one can't be opened, or the first can't be recognised.
  public init(paths: [String], expecting expectation: Expectation = .any) throws(FeedFileError) {
    guard !paths.isEmpty else { throw FeedFileError(path: "", reason: .noFile) }
    self.paths = paths
    self.expectation = expectation
    var total: UInt64 = 0
    for path in paths {
      let status = try ByteFile.status(of: path)
      total += status.bytes
      // Files that come later are tried now; pipes can't be.
      if status.isRegular { _ = try ByteFile(path: path) }
    }
    totalBytes = total
    window = .allocate(byteCount: Self.windowBytes, alignment: 64)
    scratch = .allocate(byteCount: 65_536, alignment: 64)
    try openFile()
  }

  deinit {
    window.deallocate()
    scratch.deallocate()
  }

  /// The file being read.
  public var currentPath: String { paths[min(fileIndex, paths.count - 1)] }

  /// The next run of at most `maxMessages` messages, or what is in their way. After `end`, `end` again.
  /// - Throws: `FeedFileError` where a file can't be read on.
  public func next(maxMessages: Int) throws(FeedFileError) -> FeedEvent {
    while fileIndex < paths.count {
      let event =
        formats.last == .itch
        ? try nextFramed(maxMessages: maxMessages) : try nextCaptured(maxMessages: maxMessages)
      if let event { return event }
      try closeFile()
    }
    capture.flushes = true
    return settled(maxMessages: maxMessages) ?? .end
  }

  // MARK: - Files and window

  private func openFile() throws(FeedFileError) {
    let path = paths[fileIndex]
    let file = try ByteFile(path: path)
    self.file = file
    place = 0
    filled = 0
    isLast = false
    framer = ITCHFramer()
    try fill()
    guard filled > 0 else { throw FeedFileError(path: path, reason: .empty) }
    let content = UnsafeRawBufferPointer(rebasing: window[..<filled])
    formats.append(try Self.format(of: content.bytes, path: path, expecting: expectation))
    capture.reader = CaptureReader()
  }

  private func closeFile() throws(FeedFileError) {
    finishedBytes += file?.bytesRead ?? 0
    finishedZeroPrefixed += framer.zeroPrefixedCount
    framer = ITCHFramer()
    file = nil
    fileIndex += 1
    if fileIndex < paths.count { try openFile() }
  }

  /// Moves what is still to be used to the window's beginning and fills up the rest.
  func fill() throws(FeedFileError) {
    if place > 0 {
      let rest = UnsafeRawBufferPointer(rebasing: window[place..<filled])
      window.copyMemory(from: rest)
      filled -= place
      place = 0
    }
    guard !isLast, let file else { return }
    let wanted = min(window.count - filled, Self.readBytes)
    let got = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: window[filled..<filled + wanted]))
    contentBytes += UInt64(got)
    filled += got
    isLast = got < wanted
  }

  // MARK: - ITCH

  private func nextFramed(maxMessages: Int) throws(FeedFileError) -> FeedEvent? {
    while true {
      var span = UnsafeMutableRawBufferPointer(rebasing: window[..<filled]).mutableBytes
      switch framer.next(in: &span, at: &place, maxFrames: maxMessages, isLast: isLast) {
      case .frames(let range, let count, let startsDay):
        let isNewDay = startsDay && goodCount > 0
        if isNewDay { sequence = 1 }
        let run = MessageRun(
          bytes: UnsafeRawBufferPointer(rebasing: window[range]), count: count, firstSequence: sequence,
          firstFileMessageNumber: nextFileMessageNumber, startsDay: isNewDay)
        sequence += UInt64(count)
        nextFileMessageNumber += UInt64(count)
        goodCount += UInt64(count)
        return .messages(run)
      case .bad(let frame):
        defer {
          sequence += 1
          nextFileMessageNumber += 1
        }
        return .bad(
          BadMessage(
            file: currentPath, offset: frame.offset, type: frame.type, reason: frame.description,
            sequence: sequence, fileMessageNumber: nextFileMessageNumber))
      case .needMore: try fill()
      case .end: return nil
      }
    }
  }
}
