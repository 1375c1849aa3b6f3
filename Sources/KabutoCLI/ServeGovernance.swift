// The history of findings as the gateway's page asks for it.

import Foundation
import Gateway
import Governance

struct ServeGovernance: GovernanceView {
  private let pages: HistoryPages

  init(_ folder: String) { pages = HistoryPages(folder, now: { Int64(Date().timeIntervalSince1970) }) }

  func answer(_ path: [String], _ query: [String: String], tag: String?) async -> GovernanceAnswer {
    switch pages.answer(path, query, tag: tag) {
    case .json(let bytes, let tag): .json(bytes, tag: tag)
    case .same(let tag): .same(tag: tag)
    case .problem(let status, let type, let detail, let faults):
      .problem(status: status, type: type, detail: detail, faults: faults)
    }
  }
}
