// The whole proxy meets what nobody would send, from clients and from backends, and goes on serving.

import Foundation
import Synchronization
import Testing

@testable import FirewallProxy

@Suite struct ProxyFuzz {
  @Test func clientsThatSendAnythingFuzz() async throws {
    let script = Script { $0.wantsRequestBody = true }
    try await withFirewall(TestBackend { answer($0.text) }, script: script) { run in
      var random = generator()
      let end = Date().addingTimeInterval(ParserFuzz.seconds)
      while Date() < end {
        let socket = try run.connect()
        for part in ParserFuzz.cuts(ParserFuzz.input(&random), &random) { socket.send(Array(part)) }
        if random.next() % 2 == 0 { socket.reset() } else { socket.close() }
      }
      try #expect(run.get("/alive").status == 200, seedNote)
      // What reached the backend was whole and had one reading.
      for request in run.backend.requests {
        #expect(request.startLine.hasSuffix(" HTTP/1.1"), seedNote)
        #expect(
          request.all("Content-Length").count + request.all("Transfer-Encoding").count <= 1,
          seedNote)
        #expect(request.all("Host").count == 1, seedNote)
      }
    }
  }

  @Test func backendsThatAnswerAnythingFuzz() async throws {
    let random = Mutex(generator())
    let box = Box(random: random)
    let backend = try TestBackend { socket, _ in
      guard let request = socket.message() else { return }
      if request.target == "/alive" { return socket.send(answer("yes")) }
      for part in box.answer() { socket.send(part) }
    }
    let script = Script { $0.wantsResponseBody = true }
    try await withFirewall(backend, script: script) { run in
      let end = Date().addingTimeInterval(ParserFuzz.seconds)
      while Date() < end {
        let socket = try run.connect()
        socket.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        let status = socket.message()?.status ?? 0
        #expect(status == 0 || (200...599).contains(status), seedNote)
      }
      try #expect(run.get("/alive").text == "yes", seedNote)
    }
  }

  private final class Box: Sendable {
    private let random: Mutex<RandomBits>
    init(random: consuming Mutex<RandomBits>) { self.random = random }
    func answer() -> [[UInt8]] {
      random.withLock { random in
        let start = random.next() % 3 == 0 ? [] : Array("HTTP/1.1 200 OK\r\n".utf8)
        return [start] + ParserFuzz.cuts(ParserFuzz.input(&random), &random).map { Array($0) }
      }
    }
  }
}
