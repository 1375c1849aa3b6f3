// The TotalView-ITCH 5.0 codec: round trips of every type, and malformed messages of every type.

import FeedProtocols
import MarketData
import Testing

@Suite("ITCH codec")
struct ITCHCodecTests {
  @Test(arguments: allTypes)
  func valuesSurviveEncodingAndDecoding(type: UInt8) throws {
    var random = generator("values \(type)")
    for _ in 0..<200 {
      let made = random.message(ofType: type)
      let message = try #require(made)
      var writer = ByteWriter()
      message.encode(into: &writer)
      #expect(writer.bytes.count == ITCHMessageTable.byteCount(ofType: type))
      #expect(writer.bytes.first == type)
      #expect(try decode(writer.bytes).get() == message)
      #expect(ITCHMessageTable.fault(in: writer.bytes.span.bytes) == nil)
    }
  }

  @Test(arguments: allTypes)
  func bytesSurviveDecodingAndEncoding(type: UInt8) throws {
    var random = generator("bytes \(type)")
    let count = try #require(ITCHMessageTable.byteCount(ofType: type))
    for _ in 0..<200 {
      var bytes = random.bytes(count)
      bytes[0] = type
      if [AddOrder.type, AddOrderAttributed.type, NonCrossTrade.type].contains(type) {
        bytes[19] = random.next() & 1 == 0 ? 0x42 : 0x53
      }
      var writer = ByteWriter()
      try decode(bytes).get().encode(into: &writer)
      #expect(writer.bytes == bytes)
    }
  }

  @Test(arguments: allTypes)
  func everyOtherLengthIsRefused(type: UInt8) throws {
    let wanted = try #require(ITCHMessageTable.byteCount(ofType: type))
    for count in 1...80 where count != wanted {
      var bytes = [UInt8](repeating: 0x42, count: count)
      bytes[0] = type
      let error = ITCHError(
        type: type, offset: min(count, wanted), reason: .length(found: count, wanted: wanted))
      #expect(decode(bytes) == .failure(error))
      #expect(ITCHMessageTable.fault(in: bytes.span.bytes) == error)
    }
  }

  @Test func emptyAndUnknownAreRefused() {
    #expect(decode([]) == .failure(ITCHError(type: 0, offset: 0, reason: .empty)))
    for type in UInt8.min...UInt8.max where !allTypes.contains(type) {
      let error = ITCHError(type: type, offset: 0, reason: .unknownType)
      #expect(decode([type, 1, 2, 3]) == .failure(error))
      #expect(ITCHMessageTable.title(ofType: type) == nil)
    }
    #expect(allTypes.allSatisfy { ITCHMessageTable.title(ofType: $0) != nil })
  }

  @Test(arguments: [AddOrder.type, AddOrderAttributed.type, NonCrossTrade.type])
  func aSideThatIsNoneIsRefused(type: UInt8) {
    var random = generator("side")
    var writer = ByteWriter()
    random.message(ofType: type)?.encode(into: &writer)
    for side in UInt8.min...UInt8.max where side != 0x42 && side != 0x53 {
      var bytes = writer.bytes
      bytes[19] = side
      let error = ITCHError(type: type, offset: 19, reason: .side(found: side))
      #expect(decode(bytes) == .failure(error))
      #expect(ITCHMessageTable.fault(in: bytes.span.bytes) == error)
    }
  }
}

@Suite("ITCH Fuzz")
struct ITCHFuzzTests {
  @Test func randomBytesNeverTrapAndTheCheckAgreesWithTheDecoder() {
    var random = generator("ITCH fuzz")
    fuzz(rounds: 20_000) {
      var bytes = random.bytes(Int(random.next() % 64))
      if !bytes.isEmpty, random.next() % 4 != 0 {
        bytes[0] = allTypes[Int(random.next() % UInt64(allTypes.count))]
      }
      let decoded = decode(bytes)
      let fault = ITCHMessageTable.fault(in: bytes.span.bytes)
      switch decoded {
      case .success(let message):
        #expect(fault == nil)
        var writer = ByteWriter()
        message.encode(into: &writer)
        #expect(writer.bytes == bytes)
      case .failure(let error):
        #expect(fault == error)
        #expect(!error.description.isEmpty)
      }
    }
  }
}
