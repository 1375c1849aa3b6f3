// The viewer's files, read once at the start and served from memory with a tag and a strict security policy.

import Foundation
import MarketData
import NIOCore
import NIOHTTP1

struct ViewerFiles: Sendable {
  struct File: Sendable {
    var contentType: String
    var bytes: ByteBuffer
    var tag: String
  }

  private(set) var files: [String: File] = [:]
  /// Where they came from; nil = not found.
  private(set) var directory: String?

  private let contentSecurityPolicy: String

  init(directory wanted: String?, contentSecurityPolicy: String) {
    self.contentSecurityPolicy = contentSecurityPolicy
    let candidates = wanted.map { [$0] } ?? Self.candidates(named: "Viewer")
    guard let found = candidates.first(where: { FileManager.default.fileExists(atPath: $0 + "/index.html") })
    else {
      return
    }
    directory = found
    guard let names = FileManager.default.enumerator(atPath: found) else { return }
    for case let name as String in names {
      guard let type = Self.contentType(of: name),
        let data = FileManager.default.contents(atPath: found + "/" + name)
      else { continue }
      var digest = StateDigest()
      digest.combine(UInt64(data.count))
      for byte in data { digest.combine(UInt64(byte)) }
      files["/" + name] = File(contentType: type, bytes: ByteBuffer(bytes: data), tag: "\"\(digest)\"")
    }
    files["/"] = files["/index.html"]
  }

  /// Where the build puts this target's resources: beside the program.
  static func candidates(named name: String) -> [String] {
    var folders: [String] = []
    if let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") {
      folders.append((program as NSString).deletingLastPathComponent)
    }
    folders.append(Bundle.main.bundlePath)
    return folders.map { $0 + "/kabuto_Gateway.resources/" + name }
  }

  private static func contentType(of name: String) -> String? {
    switch (name as NSString).pathExtension {
    case "html": "text/html; charset=utf-8"
    case "css": "text/css; charset=utf-8"
    case "js", "mjs": "text/javascript; charset=utf-8"
    case "svg": "image/svg+xml"
    case "png": "image/png"
    case "ico": "image/x-icon"
    case "json", "webmanifest": "application/json"
    case "txt": "text/plain; charset=utf-8"
    default: nil
    }
  }

  func answer(_ path: String, tag: String?) -> Answer? {
    guard let file = files[path] else { return nil }
    var answer: Answer
    if let tag, Router.matches(tag, file.tag) {
      answer = .notModified
    } else {
      answer = Answer(status: .ok, contentType: file.contentType, body: file.bytes)
    }
    answer.headers.add(name: "ETag", value: file.tag)
    answer.headers.add(name: "Cache-Control", value: "no-cache")
    if file.contentType.hasPrefix("text/html") {
      answer.headers.add(name: "Content-Security-Policy", value: contentSecurityPolicy)
    }
    return answer
  }
}
