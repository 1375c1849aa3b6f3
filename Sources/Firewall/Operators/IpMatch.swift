// @ipMatch, @ipMatchFromFile (ModSecurity reference manual): the value is an address of one of the networks.

final class IpMatch: Operator {
  private let networks: [IPNetwork]

  init(_ entries: [[UInt8]]) throws(OperatorFault) {
    var networks: [IPNetwork] = []
    for entry in entries {
      let text = Array(trimmed(entry[...]))
      guard !text.isEmpty else { continue }
      guard let network = text.withUnsafeBytes({ IPNetwork(ByteView($0)) }) else {
        throw OperatorFault(
          found: "the address \"\(String(decoding: text, as: UTF8.self))\"",
          wanted: "an address of IPv4 or IPv6, or a network such as 192.0.2.0/24 or 2001:db8::/32")
      }
      networks.append(network)
    }
    self.networks = networks
  }

  /// The argument of @ipMatch: commas between.
  convenience init(argument: [UInt8]) throws(OperatorFault) {
    try self.init(argument.split(separator: UInt8(ascii: ",")).map(Array.init))
  }

  /// A file of @ipMatchFromFile: one a line, or commas between; # begins a comment.
  convenience init(file: [UInt8]) throws(OperatorFault) {
    var entries: [[UInt8]] = []
    for line in lines(of: file) {
      let text = line.prefix { $0 != UInt8(ascii: "#") }
      entries += text.split(separator: UInt8(ascii: ",")).map(Array.init)
    }
    try self.init(entries)
  }

  func matches(_ value: ByteView, _ scratch: OperatorScratch) -> Bool {
    guard let address = IPAddress(value) else { return false }
    return networks.contains { $0.contains(address) }
  }
}
