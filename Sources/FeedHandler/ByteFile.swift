// A file as a stream of bytes, plain or gzip, known by its first bytes and not by its name.
// Owner: one thread at a time. Memory: one buffer of 256 KiB, however large the file is.

import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// An open file whose content is read from beginning to end.
public final class ByteFile {
  /// The file's path.
  public let path: String
  /// True where the content is compressed with gzip.
  public let isCompressed: Bool
  /// Bytes of the file as stored.
  public let totalBytes: UInt64
  /// Bytes of the file, as stored, that have been used.
  public var bytesRead: UInt64 { fetched - UInt64(available) }
  /// When the file was last changed, seconds since 1970.
  public let modifiedSeconds: Int64

  private let descriptor: Int32
  private let buffer: UnsafeMutableRawBufferPointer
  private var first = 0
  private var available = 0
  private var fetched: UInt64 = 0
  private let inflater: Inflater?
  private var insideMember = false
  private var ended = false

  private static let bufferBytes = 256 * 1024

  /// Opens a file.
  /// - Throws: `FeedFileError` where it doesn't exist, can't be read, or is a folder.
  public init(path: String) throws(FeedFileError) {
    self.path = path
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.systemError("open", path: path) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let error = Self.systemError("look at", path: path)
      close(descriptor)
      throw error
    }
    guard status.st_mode & S_IFMT != S_IFDIR else {
      close(descriptor)
      throw FeedFileError(path: path, reason: .folder)
    }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.bufferBytes, alignment: 64)
    var count = 0
    while count < 2 {
      let got = Self.read(descriptor, into: UnsafeMutableRawBufferPointer(rebasing: buffer[count...]))
      guard got >= 0 else {
        let error = Self.systemError("read", path: path)
        buffer.deallocate()
        close(descriptor)
        throw error
      }
      if got == 0 { break }
      count += got
    }
    let compressed = count >= 2 && buffer[0] == 0x1f && buffer[1] == 0x8b
    inflater = compressed ? Inflater() : nil
    isCompressed = compressed
    insideMember = compressed
    totalBytes = UInt64(max(0, status.st_size))
    modifiedSeconds = Self.modified(status)
    self.descriptor = descriptor
    self.buffer = buffer
    available = count
    fetched = UInt64(count)
  }

  deinit {
    buffer.deallocate()
    close(descriptor)
  }

  /// Fills `target` as far as the content goes.
  /// - Returns: bytes written; fewer than `target` has only at the end of the content.
  /// - Throws: `FeedFileError` where the system fails, or compressed data is damaged or ends too early.
  public func read(into target: UnsafeMutableRawBufferPointer) throws(FeedFileError) -> Int {
    var written = 0
    while written < target.count, !ended {
      let rest = UnsafeMutableRawBufferPointer(rebasing: target[written...])
      if let inflater {
        written += try inflate(inflater, into: rest)
      } else if available > 0 {
        let count = min(available, rest.count)
        rest.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[first..<first + count]))
        first += count
        available -= count
        written += count
      } else {
        let got = Self.read(descriptor, into: rest)
        guard got >= 0 else { throw Self.systemError("read", path: path, offset: fetched) }
        ended = got == 0
        fetched += UInt64(got)
        written += got
      }
    }
    return written
  }

  /// What the system says of a path, without opening it: a pipe can be read only once.
  static func status(
    of path: String
  ) throws(FeedFileError) -> (bytes: UInt64, modifiedSeconds: Int64, isRegular: Bool) {
    var status = stat()
    guard stat(path, &status) == 0 else { throw systemError("open", path: path) }
    guard status.st_mode & S_IFMT != S_IFDIR else { throw FeedFileError(path: path, reason: .folder) }
    return (UInt64(max(0, status.st_size)), modified(status), status.st_mode & S_IFMT == S_IFREG)
  }

  private static func modified(_ status: stat) -> Int64 {
    #if canImport(Darwin)
      Int64(status.st_mtimespec.tv_sec)
    #else
      Int64(status.st_mtim.tv_sec)
    #endif
  }

  /// Opens `path`, reads the beginning of its content, at most `count` bytes.
  static func beginning(of path: String, count: Int) throws(FeedFileError) -> [UInt8] {
    let file = try ByteFile(path: path)
    let target = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
    defer { target.deallocate() }
    let got = try file.read(into: target)
    return [UInt8](target[..<got])
  }

  /// The whole content of `path`, for small files; one byte more than `limit` where it has more than that.
  static func content(of path: String, limit: Int) throws(FeedFileError) -> [UInt8] {
    let file = try ByteFile(path: path)
    var content: [UInt8] = []
    let target = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 1)
    defer { target.deallocate() }
    while content.count <= limit {
      let got = try file.read(into: target)
      if got == 0 { break }
      content.append(contentsOf: target[..<got])
    }
    if content.count > limit { content.removeSubrange((limit + 1)...) }
    return content
  }

  // MARK: - gzip

  private func inflate(
    _ inflater: Inflater, into target: UnsafeMutableRawBufferPointer
  ) throws(FeedFileError) -> Int {
    if available == 0 {
      let got = Self.read(descriptor, into: buffer)
      guard got >= 0 else { throw Self.systemError("read", path: path, offset: fetched) }
      first = 0
      available = got
      fetched += UInt64(got)
      if got == 0 {
        ended = true
        guard !insideMember else {
          throw damaged("the file ends within the compressed data")
        }
        return 0
      }
    }
    if !insideMember {
      // Behind a member: another one, or zeros that fill up the medium, or nothing.
      while available > 0, buffer[first] == 0 {
        first += 1
        available -= 1
      }
      guard available > 0 else { return 0 }
      guard buffer[first] == 0x1f, inflater.restart() else {
        throw damaged("bytes that aren't gzip follow the compressed data")
      }
      insideMember = true
    }
    let source = UnsafeMutableRawBufferPointer(rebasing: buffer[first..<first + available])
    let step = inflater.inflate(source, into: target)
    first += step.used
    available -= step.used
    switch step.outcome {
    case .more: break
    case .memberEnd: insideMember = false
    case .damaged(let what):
      ended = true
      throw damaged(what)
    }
    return step.written
  }

  private func damaged(_ what: String) -> FeedFileError {
    FeedFileError(path: path, offset: bytesRead, reason: .gzip(what))
  }

  // MARK: - System calls

  private static func read(_ descriptor: Int32, into target: UnsafeMutableRawBufferPointer) -> Int {
    while true {
      #if canImport(Glibc)
        let got = Glibc.read(descriptor, target.baseAddress, target.count)
      #elseif canImport(Musl)
        let got = Musl.read(descriptor, target.baseAddress, target.count)
      #else
        let got = Darwin.read(descriptor, target.baseAddress, target.count)
      #endif
      if got < 0, errno == EINTR { continue }
      return got
    }
  }

  private static func systemError(
    _ action: String, path: String, offset: UInt64? = nil
  ) -> FeedFileError {
    let explanation = String(cString: strerror(errno))
    return FeedFileError(
      path: path, offset: offset, reason: .system(action: action, explanation: explanation))
  }
}
