// A file's bytes. Large ones are mapped, so that reading one of many gigabytes takes no memory of its own: parts that are
// behind are given back. Others are read: they may change or go while they are looked at.
//
// @unchecked Sendable: the bytes are only read, and stay where they are as long as this lives.

import Foundation

/// See the head of this file.
final class MappedFile: @unchecked Sendable {
  /// Its path, as it was given.
  let path: String
  /// Its bytes; valid as long as this lives.
  let bytes: UnsafeRawBufferPointer
  private let isMapped: Bool

  private static var leastMappedBytes: Int { 8 << 20 }

  /// - Throws: `FileFault`.
  init(_ path: String) throws(FileFault) {
    self.path = path
    let handle = open(path, O_RDONLY | O_CLOEXEC)
    guard handle >= 0 else {
      throw FileFault(path: path, reason: "can't be read: \(String(cString: strerror(errno)))")
    }
    defer { close(handle) }
    var about = stat()
    guard fstat(handle, &about) == 0, about.st_mode & S_IFMT != S_IFDIR else {
      throw FileFault(path: path, reason: "can't be read: it is no file")
    }
    let size = Int(about.st_size)
    if about.st_mode & S_IFMT == S_IFREG, size >= Self.leastMappedBytes {
      guard let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, handle, 0), start != MAP_FAILED else {
        throw FileFault(path: path, reason: "can't be mapped: \(String(cString: strerror(errno)))")
      }
      madvise(start, size, MADV_SEQUENTIAL)
      (bytes, isMapped) = (UnsafeRawBufferPointer(start: start, count: size), true)
      return
    }
    guard let data = try? FileHandle(fileDescriptor: handle, closeOnDealloc: false).readToEnd() ?? Data()
    else {
      throw FileFault(path: path, reason: "can't be read")
    }
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, data.count), alignment: 16)
    data.copyBytes(to: copy)
    (bytes, isMapped) = (UnsafeRawBufferPointer(start: copy.baseAddress, count: data.count), false)
  }

  deinit {
    if isMapped {
      munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
    } else {
      UnsafeMutableRawPointer(mutating: bytes.baseAddress)?.deallocate()
    }
  }

  /// Gives memory before a place back; it is read from the file again where it is asked for again.
  func forget(before place: Int) {
    guard isMapped, let start = bytes.baseAddress else { return }
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let count = min(place, bytes.count) / page * page
    if count > 0 { madvise(UnsafeMutableRawPointer(mutating: start), count, MADV_DONTNEED) }
  }
}
