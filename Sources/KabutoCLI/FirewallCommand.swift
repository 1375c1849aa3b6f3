// `kabuto firewall`: the group of commands about the web application firewall.

import ArgumentParser

struct FirewallCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "firewall",
    abstract: "Inspects web requests with SecLang rules, as of ModSecurity and the OWASP Core Rule Set.",
    subcommands: [FirewallRun.self, FirewallCheck.self, FirewallRules.self, FirewallLint.self])
}
