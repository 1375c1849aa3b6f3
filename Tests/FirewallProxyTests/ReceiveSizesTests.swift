import Testing

@testable import FirewallProxy

struct ReceiveSizesTests {
  /// The size after reads of so many bytes.
  private func size(after reads: [Int]) -> Int? {
    var sizes = ReceiveSizes()
    for read in reads { _ = sizes.record(actualReadBytes: read) }
    return sizes.nextBufferSize()
  }

  @Test func sizesFollowWhatComes() {
    let small = 2 << 10
    let middle = 16 << 10
    let large = 64 << 10
    #expect(size(after: []) == small)
    #expect(size(after: [500, 500]) == small)
    #expect(size(after: [small]) == middle)
    // A form of some kilobytes, again and again, is read at once.
    #expect(size(after: [small] + Array(repeating: 4_500, count: 100)) == middle)
    #expect(size(after: [small, middle, large, large]) == large)
    // Little for long: small again, step by step.
    let quiet = Array(repeating: 300, count: 16)
    #expect(size(after: [small, middle] + quiet) == middle)
    #expect(size(after: [small, middle] + quiet + quiet) == small)
    // Not for a few.
    #expect(
      size(after: [small] + Array(repeating: 300, count: 8) + [4_500] + Array(repeating: 300, count: 8))
        == middle)
  }
}
