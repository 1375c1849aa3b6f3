// Writing a downstream packet's header over the first bytes of a buffer that is used again and again: a publisher
// puts framed messages right behind it, because MoldUDP64's message blocks are framed as ITCH files are.

extension MoldUDP64Header {
  /// Writes the twenty bytes over the beginning of `span`, which must have as many.
  public func store(into span: inout MutableRawSpan) {
    span.storeBytes(of: session.head.bigEndian, toByteOffset: 0, as: UInt64.self)
    span.storeBytes(of: session.tail.bigEndian, toByteOffset: 8, as: UInt16.self)
    span.storeBytes(of: sequence.bigEndian, toByteOffset: 10, as: UInt64.self)
    span.storeBytes(of: count.bigEndian, toByteOffset: 18, as: UInt16.self)
  }
}
