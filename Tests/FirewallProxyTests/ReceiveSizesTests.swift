import Testing

@testable import FirewallProxy

struct ReceiveSizesTests {
  @Test func sizesFollowWhatComes() {
    var sizes = ReceiveSizes()
    #expect(sizes.nextBufferSize() == 2 << 10)
    #expect(!sizes.record(actualReadBytes: 500))
    #expect(sizes.record(actualReadBytes: 2 << 10))
    #expect(sizes.nextBufferSize() == 16 << 10)
    // A form of some kilobytes, again and again, is read at once.
    for _ in 0..<100 { #expect(!sizes.record(actualReadBytes: 4_500)) }
    #expect(sizes.nextBufferSize() == 16 << 10)
    #expect(sizes.record(actualReadBytes: 16 << 10))
    #expect(sizes.nextBufferSize() == 64 << 10)
    #expect(!sizes.record(actualReadBytes: 64 << 10))
    // Little for long: small again.
    for _ in 0..<16 { _ = sizes.record(actualReadBytes: 300) }
    #expect(sizes.nextBufferSize() == 16 << 10)
    for _ in 0..<16 { _ = sizes.record(actualReadBytes: 300) }
    #expect(sizes.nextBufferSize() == 2 << 10)
  }
}
