// What passes through unchanged, and what a proxy must change.

import Testing

@testable import FirewallProxy

@Suite struct ProxyingTests {
  @Test func aRequestAndItsAnswerPassUnchanged() async throws {
    let body = String(repeating: "æ\u{0}x", count: 10_000)
    try await withFirewall(TestBackend { _ in answer(body, fields: "X-Some: thing\r\nServer: s\r\n") }) {
      run in
      let reply = try run.get("/a/b?c=%20d", fields: "X-Mine:  yes \r\nAccept-Encoding: gzip\r\n")
      #expect(reply.startLine == "HTTP/1.1 200 OK")
      #expect(reply.text == body)
      #expect(reply.field("X-Some") == "thing")
      let seen = try #require(run.backend.requests.first)
      #expect(seen.startLine == "GET /a/b?c=%20d HTTP/1.1")
      #expect(seen.field("Host") == "example.test")
      #expect(seen.field("X-Mine")?.hasPrefix("yes") == true)
      #expect(seen.field("Accept-Encoding") == "gzip")
      #expect(seen.field("X-Forwarded-For") == "127.0.0.1")
      #expect(seen.field("X-Forwarded-Proto") == "http")
      #expect(seen.field("X-Forwarded-Host") == "example.test")
      #expect(seen.field("X-Request-ID") == reply.field("X-Request-ID"))
      let line = try #require(await run.log(1).first)
      #expect(line.request_id == reply.field("X-Request-ID"))
      #expect(line.request_id.count == 32)
      #expect(
        line.method == "GET" && line.uri == "/a/b?c=%20d" && line.status == 200 && line.action == "pass")
      #expect(line.client == "127.0.0.1" && line.backend == "127.0.0.1:\(run.backend.port)")
    }
  }

  @Test func connectionsToTheBackendAreReused() async throws {
    try await withFirewall(TestBackend { _ in answer("ok") }) { run in
      let socket = try run.connect()
      for _ in 0..<20 {
        socket.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(socket.message()?.text == "ok")
      }
      #expect(run.backend.connections == 1)
      #expect(run.backend.requests.count == 20)
    }
  }

  @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
    try await withFirewall(TestBackend { answer($0.target) }) { run in
      let socket = try run.connect()
      socket.send((0..<50).map { "GET /\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
      for index in 0..<50 { #expect(socket.message()?.text == "/\(index)") }
    }
  }

  @Test func bodiesPassInBothDirections() async throws {
    let backend = try TestBackend { request in
      let te = request.field("Transfer-Encoding") ?? "none"
      return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-TE: \(te)\r\n\r\n"
        + "\(String(request.body.count, radix: 16))\r\n\(request.text)\r\n0\r\nTrailer: dropped\r\n\r\n"
    }
    try await withFirewall(backend) { run in
      let text = String(repeating: "0123456789", count: 30_000)
      let plain = try run.ask(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(text.count)\r\n\r\n\(text)")
      #expect(plain.text == text)
      #expect(plain.field("X-TE") == "none")
      let chunked = try run.ask(
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;ext=\"v\"\r\nhello\r\n1\r\n!\r\n0\r\nX: y\r\n\r\n"
      )
      #expect(chunked.text == "hello!")
      #expect(chunked.field("X-TE") == "chunked")
    }
  }

  @Test func answersWithoutBodyEndAtTheirHead() async throws {
    let backend = try TestBackend { request in
      switch request.target {
      case "/204": "HTTP/1.1 204 No Content\r\n\r\n"
      case "/304": "HTTP/1.1 304 Not Modified\r\nContent-Length: 50\r\nETag: \"e\"\r\n\r\n"
      default: "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n"
      }
    }
    try await withFirewall(backend) { run in
      let socket = try run.connect()
      for (request, status) in [("GET /204", 204), ("GET /304", 304), ("HEAD /", 200), ("GET /204", 204)] {
        socket.send("\(request) HTTP/1.1\r\nHost: a\r\n\r\n")
        let reply = try #require(socket.message(isAnswerToHead: request.hasPrefix("HEAD")))
        #expect(reply.status == status)
        if status != 204 { #expect(reply.field("Content-Length") == "50") }
      }
      #expect(run.backend.connections == 1)
    }
  }

  @Test func oldClientsAndOldBackendsAreServed() async throws {
    let backend = try TestBackend { request in
      request.target == "/old"
        ? "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nuntil the end"
        : "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    }
    try await withFirewall(backend) { run in
      let old = try run.connect()
      old.send("GET / HTTP/1.0\r\n\r\n")
      let reply = try #require(old.message())
      #expect(reply.text == "abc" && reply.field("Transfer-Encoding") == nil && old.isAtEnd)
      #expect(run.backend.requests.first?.field("Host") == "127.0.0.1:\(run.backend.port)")
      let new = try run.get("/old")
      #expect(new.text == "until the end" && new.field("Transfer-Encoding") == "chunked")
    }
  }

  @Test func fieldsOfOneHopStayThere() async throws {
    let backend = try TestBackend { _ in
      answer(
        "",
        fields: "Connection: X-Hop, keep-alive\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nX-Request-ID: no\r\n")
    }
    try await withFirewall(backend) { run in
      let reply = try run.get(
        "/",
        fields:
          "Content_Length: 9\r\nX_Forwarded-For: 6.6.6.6\r\nX_Mine: 1\r\nConnection: X-Gone, Host, Content-Length\r\nX-Gone: 1\r\nTE: trailers\r\nKeep-Alive: 1\r\n"
          + "Proxy-Connection: x\r\nX-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nX-Request-ID: mine\r\n"
      )
      #expect(reply.field("X-Hop") == nil && reply.field("Keep-Alive") == nil)
      #expect(reply.all("X-Request-ID").count == 1 && reply.field("X-Request-ID") != "no")
      let seen = try #require(run.backend.requests.first)
      for name in ["X-Gone", "TE", "Keep-Alive", "Proxy-Connection", "Forwarded", "Connection"] {
        #expect(seen.field(name) == nil, "\(name)")
      }
      #expect(seen.field("Content_Length") == nil && seen.field("X_Forwarded-For") == nil)
      #expect(seen.field("Host") == "example.test" && seen.field("X_Mine") == "1")
      #expect(seen.all("X-Forwarded-For") == ["127.0.0.1"])
      #expect(seen.field("X-Request-ID") != "mine")
    }
  }

  /// Connection can't take from the backend what the rules read the request by.
  @Test func endToEndFieldsAreNotOfOneHop() async throws {
    let kept = [
      "Content-Type", "Content-Encoding", "Cookie", "Authorization", "Accept", "Accept-Language",
      "User-Agent",
      "Range", "If-Match", "Origin", "Referer", "X-HTTP-Method-Override",
    ]
    let backend = try TestBackend { _ in
      answer(
        "", fields: "Connection: Set-Cookie, Content-Type\r\nSet-Cookie: a=b\r\nContent-Type: text/plain\r\n")
    }
    try await withFirewall(backend) { run in
      let fields = kept.map { "\($0): v\r\n" }.joined()
      let names = kept.joined(separator: ", ").lowercased()
      let reply = try run.get(fields: "Connection: \(names), Foo, X-Gone\r\nFoo: 1\r\nX-Gone: 1\r\n\(fields)")
      let seen = try #require(run.backend.requests.first)
      for name in kept { #expect(seen.field(name) == "v", "\(name)") }
      #expect(seen.field("Foo") == nil && seen.field("X-Gone") == nil)
      #expect(reply.field("Set-Cookie") == "a=b" && reply.field("Content-Type") == "text/plain")
    }
  }

  @Test(arguments: [false, true])
  func onlyTrustedProxiesSayWhoTheClientIs(isTrusted: Bool) async throws {
    let names = [
      "X-Real-IP", "x-client-ip", "True-Client-IP", "X-Original-URL", "X-Rewrite-URL", "CF-Connecting-IP",
    ]
    try await withFirewall(
      TestBackend { _ in answer("") },
      configure: { if isTrusted { $0.trustedProxies = [AddressRange("127.0.0.0/8")].compactMap { $0 } } }
    ) { run in
      let fields = (names + ["Proxy", "X_Real_IP", "X-Real"]).map { "\($0): v\r\n" }.joined()
      _ = try run.get(fields: fields)
      let seen = try #require(run.backend.requests.first)
      for name in names { #expect((seen.field(name) != nil) == isTrusted, "\(name)") }
      #expect(seen.field("Proxy") == nil && seen.field("X_Real_IP") == nil && seen.field("X-Real") == "v")
    }
  }

  @Test func trustedProxiesAreBelieved() async throws {
    try await withFirewall(
      TestBackend { _ in answer("") }, script: Script(),
      configure: {
        $0.trustedProxies = [AddressRange("127.0.0.0/8"), AddressRange("10.0.0.0/8")].compactMap { $0 }
      }
    ) { run in
      let reply = try run.get(
        "/",
        fields:
          "X-Forwarded-For: 6.6.6.6, 203.0.113.9, 10.1.1.1\r\nX-Request-ID: abc-1\r\nX-Forwarded-Proto: https\r\n"
          + "Forwarded: for=203.0.113.9\r\n")
      let seen = try #require(run.backend.requests.first)
      #expect(seen.all("X-Forwarded-For") == ["6.6.6.6, 203.0.113.9, 10.1.1.1, 127.0.0.1"])
      #expect(seen.all("X-Forwarded-Proto") == ["https"])
      #expect(seen.field("Forwarded") == "for=203.0.113.9, for=127.0.0.1")
      #expect(seen.field("X-Request-ID") == "abc-1" && reply.field("X-Request-ID") == "abc-1")
      #expect(run.script.clients == ["203.0.113.9"])
      let line = try #require(await run.log(1).first)
      #expect(line.client == "203.0.113.9" && line.request_id == "abc-1")
    }
  }

  @Test func absoluteTargetsBecomePaths() async throws {
    try await withFirewall(TestBackend { answer($0.target) }) { run in
      try #expect(run.ask("GET http://a.test/x?y HTTP/1.1\r\nHost: a.test\r\n\r\n").text == "/x?y")
      try #expect(run.ask("GET http://a.test?y HTTP/1.1\r\nHost: A.test\r\n\r\n").text == "/?y")
      try #expect(run.ask("OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n").text == "*")
    }
  }

  @Test func continueIsAnsweredHere() async throws {
    try await withFirewall(TestBackend { answer($0.text + ($0.field("Expect") ?? "")) }) { run in
      let socket = try run.connect()
      socket.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
      #expect(socket.message()?.status == 100)
      socket.send("body")
      #expect(socket.message()?.text == "body")
      let other = try run.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: more\r\n\r\n")
      #expect(other.status == 417)
    }
  }
}
