import Foundation
import Testing

@testable import Firewall

// What a harmless request allocates doesn't depend on how many rules there are: counted for 10 rules and for 600 by
// glibc's own tracer, in a process of its own (an exit test) in which nothing else runs. See TickerPlantTests for why.

private enum Tracer {
  static let library = "libc_malloc_debug.so.0"

  static let isThere: Bool = {
    guard let handle = dlopen(library, RTLD_LAZY) else { return false }
    dlclose(handle)
    return true
  }()

  static let isReplaced = ProcessInfo.processInfo.environment["KABUTO_SANITIZER"] != nil

  /// Allocations in the trace; -1 where there is none.
  static func lines() -> Int {
    guard let path = ProcessInfo.processInfo.environment["MALLOC_TRACE"],
      let text = try? String(contentsOfFile: path, encoding: .utf8)
    else { return -1 }
    return text.split(separator: "\n").filter { $0.contains("] + ") || $0.contains("] > ") }.count
  }
}

// Bound at link time: `dlsym` would find the C library's own, which do nothing.
@_silgen_name("mtrace") private func beginTrace()
@_silgen_name("muntrace") private func endTrace()

@Suite(.serialized) struct AllocationTests {
  /// Rules of each kind that the walk knows, none of which matches.
  static func rules(_ count: Int) -> String {
    (0..<count).map { number in
      let id = "id:\(1000 + number),phase:\(1 + number / 5 % 2),pass,t:none"
      return switch number % 5 {
      case 0:
        "SecRule ARGS|REQUEST_HEADERS \"@rx attack\(number)[a-z]+\" \"\(id),t:urlDecodeUni,t:lowercase\""
      case 1: "SecRule ARGS|!ARGS:b|REQUEST_COOKIES \"@pm evil\(number) bad\(number)\" \"\(id)\""
      case 2: "SecRule REQUEST_URI \"@contains never\(number)\" \"\(id),t:compressWhitespace\""
      case 3: "SecRule TX:score \"@gt \(number)\" \"\(id),nolog\""
      default: "SecRule &ARGS:n\(number) \"@gt 0\" \"\(id)\""
      }
    }.joined(separator: "\n")
  }

  /// Allocations of 100 harmless requests in steady state, traced; the process must have been made for it.
  static func allocations(_ count: Int) throws -> (allocations: Int, matches: Int) {
    let policy = try RuleText.policy(rules(count))
    let inspector = Inspector()
    let fields: [(StaticString, StaticString)] = [
      ("Host", "www.example.com"), ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64)"),
      ("Cookie", "sid=abc; t=1"),
    ]
    let headers = fields.map { Field(name: ByteView($0.0), value: ByteView($0.1)) }
    let connection = ConnectionFacts(
      clientAddress: "127.0.0.1", clientPort: 1, serverAddress: "127.0.0.1", serverPort: 80)
    var matches = 0
    func pass() {
      for _ in 0..<100 {
        let transaction = inspector.begin(
          policy: policy, connection: connection, id: "1", now: 1, random: 1, enforcing: true)
        _ = transaction.request(
          method: ByteView("GET"), uri: ByteView("/a/b?q=hello+world&b=%41bc"), version: ByteView("HTTP/1.1"),
          headers: headers)
        _ = transaction.requestBody(.empty, isComplete: true)
        _ = transaction.response(status: 200, version: ByteView("HTTP/1.1"), headers: [])
        _ = transaction.responseBody(.empty, isComplete: true)
        transaction.finish(now: 2)
        matches += transaction.matches.count
        inspector.recycle(transaction)
      }
    }
    pass()
    beginTrace()
    pass()
    endTrace()
    return (Tracer.lines(), matches)
  }

  @Test(
    .enabled(if: Tracer.isThere, "glibc's malloc tracer isn't installed"),
    .disabled(if: Tracer.isReplaced, "a sanitizer has put its own malloc in place of the one that is traced"))
  func aHarmlessRequestAllocatesTheSameForTenRulesAndForSixHundred() async throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(
      "kabuto-\(UUID().uuidString).mtrace")
    setenv("LD_PRELOAD", Tracer.library, 1)
    setenv("MALLOC_TRACE", file.path, 1)
    defer {
      unsetenv("LD_PRELOAD")
      unsetenv("MALLOC_TRACE")
      try? FileManager.default.removeItem(at: file)
    }
    let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
      let few = try AllocationTests.allocations(10)
      let many = try AllocationTests.allocations(600)
      // The canary: a tracer that counts nothing would prove nothing.
      beginTrace()
      for _ in 0..<10 { UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 8).deallocate() }
      endTrace()
      let canaries = Tracer.lines()
      print("AllocationTests: \(few) with 10 rules, \(many) with 600, canary \(canaries)")
      #expect(few.matches == 0 && many.matches == 0)
      #expect(canaries >= 10)
      #expect(few.allocations == many.allocations)
    }
    print(String(decoding: result?.standardOutputContent ?? [], as: UTF8.self))
  }
}
