// Whose resources are looked at, and how they are asked for: options of `scan` and `watch`.

import ArgumentParser
import Governance

struct AccountOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "An account: the key's own, or by the role --role-name in it; may be given more than once.",
      valueName: "number"))
  var account: [String] = []
  @Option(help: ArgumentHelp("The role that --account means.", valueName: "name"))
  var roleName = "OrganizationAccountAccessRole"
  @Option(
    help: ArgumentHelp("A profile of the shared files; may be given more than once.", valueName: "name"))
  var profile: [String] = []
  @Option(help: ArgumentHelp("A role to assume, by its ARN; may be given more than once.", valueName: "arn"))
  var role: [String] = []
  @Option(help: ArgumentHelp("Regions, or all that the account has.", valueName: "a,b|all"))
  var regions = "all"
  @Option(
    help: ArgumentHelp("One address for all services, instead of AWS's own: a test server.", valueName: "url")
  )
  var endpoint: String?
  @Option(help: ArgumentHelp("Calls at once, over all regions.", valueName: "count"))
  var parallel = 32
  @Option(help: ArgumentHelp("Attempts at a call that is throttled or fails.", valueName: "count"))
  var attempts = 6
  @Option(help: ArgumentHelp("How long an answer may take.", valueName: "seconds"))
  var timeout = 30
  @Flag(
    help: ArgumentHelp(
      "Rules given with --rules only: what AWS Config's rules and GuardDuty found isn't taken in."))
  var ownOnly = false

  /// Names of regions; empty = all that there are.
  private var regionNames: [String] {
    var seen: Set<String> = []
    let names = regions.split(separator: ",").map(String.init).filter { seen.insert($0).inserted }
    return names.contains("all") ? [] : names
  }

  func validate() throws {
    // A name that is empty by mistake must not mean all regions.
    let names = regions.split(separator: ",", omittingEmptySubsequences: false)
    for name in names where !ScanOptions.isRegion(String(name)) {
      throw ValidationError(
        "--regions \(regions.isEmpty ? "\"\"" : regions): found \(name.isEmpty ? "an empty name" : "\"\(name)\""); "
          + "wanted regions' names, as eu-west-1,us-east-1, or all, or the option left out, which means all")
    }
    for number in account where number.utf8.count != 12 || !number.utf8.allSatisfy({ (48...57).contains($0) })
    {
      throw ValidationError("--account \(number): wanted twelve digits")
    }
    guard (1...1_000).contains(parallel) else { throw ValidationError("--parallel: wanted 1 to 1000") }
    guard (1...20).contains(attempts) else { throw ValidationError("--attempts: wanted 1 to 20") }
    guard (1...600).contains(timeout) else { throw ValidationError("--timeout: wanted 1 to 600 seconds") }
    try Self.validate(endpoint: endpoint)
  }

  /// An address that stands for AWS's own ones.
  static func validate(endpoint: String?) throws {
    guard let endpoint else { return }
    // It is named where it doesn't answer; a password mustn't be.
    guard !endpoint.contains("@") else {
      throw ValidationError(
        "--endpoint: found a user's name or password; wanted http://HOST:PORT or https://HOST")
    }
    guard endpoint.hasPrefix("http://") || endpoint.hasPrefix("https://") else {
      throw ValidationError("--endpoint \(endpoint): wanted http://HOST:PORT or https://HOST")
    }
  }

  /// How they are asked for.
  var scan: ScanOptions {
    var options = ScanOptions()
    options.regions = regionNames
    options.endpoint = endpoint.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
    options.callsAtOnce = parallel
    options.takesOthers = !ownOnly
    options.policy.mostAttempts = attempts
    options.policy.mostConnections = min(attempts, options.policy.mostConnections)
    options.policy.answerMilliseconds = timeout * 1_000
    options.policy.connectMilliseconds = min(options.policy.connectMilliseconds, timeout * 1_000)
    return options
  }

  /// Whose they are.
  var targets: [AccountTarget] {
    let named: [AccountTarget] =
      profile.map { .profile($0) } + role.map { .role($0) } + account.map { .account($0, role: roleName) }
    return named.isEmpty ? [.own] : named
  }
}
