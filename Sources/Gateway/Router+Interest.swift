// What is done before an answer where not the whole market comes (`interest: clients`): the instruments that the request
// names are wanted and waited for; a list of all quotes is refused, because most of them aren't here.

import Distribution
import NIOCore
import NIOHTTP1

extension Router {
  /// What comes before the answer to a request under /v1; nil: answer at once.
  func beforeAnswer(_ request: Request, _ context: LoopContext) -> Routed? {
    let distributor = context.distributor
    guard let market = distributor.selectiveMarket, request.segments.count > 1 else { return nil }
    let names: [String]
    switch (request.segments[1], request.segments.count) {
    case ("quotes", 2):
      guard let list = request.query["instruments"] else {
        return .now(
          .problem(.badRequest, "whole-market", Distributor.wholeMarket(market), instance: request.path))
      }
      names = list.split(separator: ",").prefix(1_000).map(String.init)
    case ("quotes", 3), ("books", 3), ("trades", 3), ("bars", 3): names = [request.segments[2]]
    default: return nil
    }
    let found = names.compactMap { name -> Int? in
      if case .found(let index) = distributor.lookUp(name) { index } else { nil }
    }
    guard let heard = context.heard(found) else { return nil }
    return .later(
      heard.assumeIsolated().flatMap { [self] in
        switch route(request, context, isAwaited: true) {
        case .now(let answer): context.eventLoop.makeSucceededFuture(answer)
        case .later(let future): future
        }
      }.nonisolated())
  }
}
