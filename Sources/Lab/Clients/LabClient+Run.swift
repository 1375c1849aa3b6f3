// A client as a program: one event loop, until told to stop.

import NIOCore
import NIOPosix

extension LabClient {
  /// Records until it is told to stop.
  /// - Throws: where the record can't be written, at the beginning or later.
  public static func record(_ options: Options, until flag: LabStopFlag) async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let loop = group.next()
    let client = try await loop.submit {
      let client = try LabClient(options, on: loop)
      client.start()
      return NIOLoopBound(client, eventLoop: loop)
    }.get()
    while !flag.isStopped { try await Task.sleep(for: .milliseconds(20)) }
    let failure = try await loop.submit {
      client.value.stop()
      return client.value.failure
    }.get()
    try await group.shutdownGracefully()
    if let failure { throw LabFailure("\(options.path): \(failure)") }
  }
}
