// An operator's argument, kept where a view can point at it for as long as the operator lives.

final class Literal: @unchecked Sendable {
  let view: ByteView

  init(_ bytes: [UInt8]) {
    // One byte at least, so that there is an address.
    let place = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, bytes.count))
    place.initialize(to: 0)
    for (index, byte) in bytes.enumerated() { (place + index).initialize(to: byte) }
    view = ByteView(start: place, count: bytes.count)
  }

  deinit { view.start.deallocate() }
}
