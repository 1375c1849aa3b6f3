// Every instrument's book at the end of a file, as CSV: to compare with what another program made of the same file.

import FeedHandler
import Foundation
import MarketData
import TickerPlant

/// Rows `code,side,price,shares,orders`, instruments in the order of their codes, bids before asks, best first.
enum FinalBooks {
  /// Writes all levels of all books.
  /// - Throws: what the system says where the file can't be written.
  static func write(_ plant: borrowing TickerPlant, to path: String) throws {
    var text: [UInt8] = []
    let order = (0..<plant.instrumentCount).map { (plant.code(of: $0).description, $0) }.sorted {
      $0.0 < $1.0
    }
    for (code, index) in order {
      for side in [Side.buy, .sell] {
        var depth = 0
        while let level = plant.level(depth, of: index, side: side) {
          let letter = side == .buy ? "B" : "S"
          text.append(contentsOf: "\(code),\(letter),\(level.price),\(level.size),\(level.orders)\n".utf8)
          depth += 1
        }
      }
    }
    try Data(text).write(to: URL(fileURLWithPath: path))
  }
}
