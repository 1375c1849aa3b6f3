// The setting `endpoints`: addresses with commas between, nearest first, each with what is known of it behind a `#`:
// http://10.0.1.5:8080#node=gw-1&zone=tky-a&site=tokyo

import Distribution
import Foundation

extension GatewayEndpoint {
  /// Why a text is no endpoint.
  struct Fault: Error { var text: String }

  /// Reads one.
  init(setting text: some StringProtocol) throws(Fault) {
    let text = text.trimmingCharacters(in: .whitespaces)
    let wanted =
      "wanted an address such as http://10.0.1.5:8080 or https://gw.example#node=gw-1&zone=tky-a&site=tokyo"
    let parts = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let first = parts.first, let url = URL(string: first), let scheme = url.scheme, let host = url.host,
      ["http", "https"].contains(scheme), url.path.isEmpty || url.path == "/", url.query == nil,
      url.user == nil,
      // It goes into a header as it stands.
      host.unicodeScalars.allSatisfy({ $0.isASCII && !" ;,'\"".unicodeScalars.contains($0) })
    else { throw Fault(text: "\"\(text)\" found, \(wanted)") }
    self.init(url: first)
    for pair in parts.dropFirst().joined().split(separator: "&") {
      let sides = pair.split(separator: "=", maxSplits: 1).map(String.init)
      guard sides.count == 2 else { throw Fault(text: "\"\(text)\": \"\(pair)\" found, \(wanted)") }
      switch sides[0] {
      case "node": node = sides[1]
      case "zone": zone = sides[1]
      case "site": site = sides[1]
      default: throw Fault(text: "\"\(text)\": \"\(sides[0])\" found, wanted node, zone or site")
      }
    }
  }
}
