// The checksum that each stored row carries in its last column, `sum`: a byte that changes on the disk inside a value
// is found, which SQLite's own check doesn't look for. Each column's part depends on its place, so that values that
// change places are found too.
// Rows of before step 2 of the schema have none (NULL) and are believed.

import GRDB
import MarketData

struct RowSum {
  private var sum: UInt64 = 0

  /// As it is stored.
  var stored: Int64 { Int64(bitPattern: sum) }

  /// Adds a column's value; columns count from 1 in the order of the table.
  @inline(__always)
  mutating func add(_ column: Int32, _ value: Int64) {
    sum &+= StateDigest.mix(UInt64(bitPattern: value) &+ UInt64(column) &* 0x9e37_79b9_7f4a_7c15)
  }

  /// Adds a column without a value.
  @inline(__always)
  mutating func addNull(_ column: Int32) {
    sum &+= StateDigest.mix(~UInt64(column))
  }

  /// Adds a column's text.
  mutating func add(_ column: Int32, _ text: String) {
    var digest = StateDigest()
    digest.combine(text)
    add(column, Int64(bitPattern: digest.value))
  }

  /// Adds a column of a row that was read.
  @inline(__always)
  mutating func add(_ column: Int32, _ row: Row, at index: Int) {
    if let value: Int64 = row[index] { add(column, value) } else { addNull(column) }
  }
}
