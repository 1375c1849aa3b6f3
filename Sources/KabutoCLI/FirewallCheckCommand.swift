// `kabuto firewall check`: requests through the rules without a network, and why they matched, for people who tune.

import ArgumentParser
import Firewall
import FirewallProxy
import Foundation

struct FirewallCheck: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Shows what the rules say of a request, and how its score comes about.",
    discussion: """
      The request comes from a file: raw HTTP, a HAR file with all its entries, curl command lines, or JSON lines \
      with id, method, uri, \
      version, headers [[name, value]…], body_base64 and, if there is one, response {status, headers, body_base64}; or \
      from a curl command line with --curl. With --json each request gives a line.
      Exit status: 0 = all would pass, 1 = at least one would be denied, 2 = the rules or a request can't be read.
      Example:  kabuto firewall check --rules crs-setup.conf --rules rules/ --curl "curl 'http://www.example.com/?q=1'"
      """)

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Files or folders with SecLang rules, in this order.", valueName: "file|dir"),
    completion: .file())
  var rules: [String]
  @Option(
    help: ArgumentHelp("A file with requests; - is standard input.", valueName: "file"), completion: .file())
  var input: String?
  @Option(help: ArgumentHelp("A curl command line.", valueName: "command"))
  var curl: String?
  @Flag(help: "A JSON line for each request.")
  var json = false
  @Flag(help: "Rules with nolog too.")
  var all = false
  @Flag(help: "Ask rule after rule, without scanning ahead: the plain evaluator.")
  var plain = false
  @Option(
    help: ArgumentHelp(
      "How backslashes before quotes are read: apache (\\\\ is one) or libmodsecurity.", valueName: "way"))
  var quoting = "apache"
  @Flag(help: "Say only what would be denied.")
  var quiet = false

  func run() async throws {
    var loader = PolicyLoader(paths: rules)
    loader.scans = !plain
    switch quoting {
    case "apache": loader.quoting = .apache
    case "libmodsecurity": loader.quoting = .libmodsecurity
    default: throw ValidationError("--quoting '\(quoting)': wanted apache or libmodsecurity")
    }
    let policy: Policy
    do throws(RuleFaults) { policy = try loader.load() } catch { throw giveUp(error.description) }
    var requests: [CapturedRequest] = []
    if let input { requests += try CapturedRequest.all(fromFile: input) }
    if let curl { requests += try read { try CurlLine.requests(Array(curl.utf8), place: "--curl") } }
    guard !requests.isEmpty else {
      throw ValidationError("no request: wanted --input FILE or --curl COMMAND")
    }
    let inspector = Inspector()
    var isAnyDenied = false
    for request in requests {
      let isDenied = request.inspect(policy: policy, inspector: inspector, keepsAll: all) { transaction in
        report(request, transaction, policy)
      }
      isAnyDenied = isAnyDenied || isDenied
    }
    if isAnyDenied { throw ExitCode(1) }
  }

  private func read<T>(_ body: () throws -> T) throws -> T {
    do { return try body() } catch { throw giveUp("\(error)") }
  }

  private func report(_ request: CapturedRequest, _ transaction: Transaction, _ policy: Policy) {
    if quiet, transaction.wouldBlock == nil { return }
    if json {
      print(VerdictLine.json(request, transaction))
    } else {
      print(VerdictLine.text(request, transaction, policy))
    }
  }
}
