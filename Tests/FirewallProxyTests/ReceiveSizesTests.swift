import Testing

@testable import FirewallProxy

struct ReceiveSizesTests {
  @Test func sizesFollowWhatComes() {
    var sizes = ReceiveSizes()
    /// Whether the next buffer has another size.
    func record(_ count: Int) -> Bool { sizes.record(actualReadBytes: count) }
    #expect(sizes.nextBufferSize() == 2 << 10)
    #expect(!record(500))
    #expect(record(2 << 10))
    #expect(sizes.nextBufferSize() == 16 << 10)
    // A form of some kilobytes, again and again, is read at once.
    for _ in 0..<100 { #expect(!record(4_500)) }
    #expect(sizes.nextBufferSize() == 16 << 10)
    #expect(record(16 << 10))
    #expect(sizes.nextBufferSize() == 64 << 10)
    #expect(!record(64 << 10))
    // Little for long: small again.
    for _ in 0..<16 { _ = record(300) }
    #expect(sizes.nextBufferSize() == 16 << 10)
    for _ in 0..<16 { _ = record(300) }
    #expect(sizes.nextBufferSize() == 2 << 10)
  }
}
