// How members are put into properties, and what isn't known of them.

import GuardRules
import Testing

@testable import Resources

@Suite struct ShapingTests {
  /// What is known at a place of a list that isn't known otherwise leaves the rest of it unknown, in whichever order.
  @Test(arguments: ["  a X.0\n  b X.0.Q", "  a X.0.P\n  b X.0.Q", "  b X.0.Q\n  a X.0.P"])
  func whatIsPutBesideTheUnknownIsNotAll(_ lines: String) throws {
    let shape = try #require(try ShapeTable("A = B\n" + lines).types["A"])
    let value = Value(
      .map(Members([("a", Value(.unknown(Unknown("later")))), ("b", Value(.string("known")))])))
    let document = shape.resource(of: value, absent: [])
    #expect(try status("X[0].P !exists", document) == .unknown)
    #expect(try status("X[*].P == 'x'", document) == .unknown)
    #expect(try status("some X[*].Q == 'known'", document) == .pass)
  }
}
