// `kabuto estate servers`: configuration files of the message servers of an estate.

import ArgumentParser
import Estate
import Foundation

struct EstateServersCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "servers",
    abstract: "Prints the nats-server configuration of a message server.",
    discussion: """
      Passwords come from the credentials file that the estate names (relative to the estate's file), so what is \
      printed is as secret as that file. Without --server the servers are listed.
      Example: kabuto estate servers two-sites --server nats-tky-a --credentials passwords > nats-tky-a.conf
               nats-server -c nats-tky-a.conf
      """)

  @Argument(help: ArgumentHelp("The estate.", valueName: "estate"), completion: .file())
  var file: String
  @Option(help: "The server's name.")
  var server: String?
  @Option(
    help: ArgumentHelp("The credentials file, where it isn't the estate's.", valueName: "file"),
    completion: .file())
  var credentials: String?
  @Option(
    help: ArgumentHelp("Folder for kept streams (default: jetstream/NAME).", valueName: "dir"),
    completion: .directory)
  var streams: String?

  func run() async throws {
    let (source, estate) = try EstateSource.good(file)
    guard let server else {
      for server in estate.backbone?.servers ?? [] {
        print("\(server.name)  rail \(server.rail)  zone \(server.zone)  \(server.address):\(server.port)")
      }
      return
    }
    let passwords = try readCredentials(source, estate)
    do throws(ServerConfiguration.Problem) {
      print(
        try ServerConfiguration.text(
          of: server, in: estate, credentials: passwords, streams: streams ?? "jetstream/\(server)"),
        terminator: "")
    } catch {
      switch error {
      case .unknownServer(let name, let nearest):
        let names = (estate.backbone?.servers ?? []).map(\.name).joined(separator: ", ")
        throw giveUp(
          "\(file): no server \"\(name)\"; servers: \(names.isEmpty ? "none" : names)"
            + (nearest.map { "; did you mean \"\($0)\"?" } ?? ""))
      case .noPassword(let name):
        throw giveUp(
          "\(file): no password for \"\(name)\"; wanted a line `\(name) PASSWORD` in the credentials file")
      }
    }
  }

  private func readCredentials(_ source: EstateSource, _ estate: Estate) throws -> EstateCredentials? {
    guard let named = estate.backbone?.credentials else { return nil }
    let path = credentials ?? source.path(named)
    guard let data = FileManager.default.contents(atPath: path) else {
      throw giveUp(
        "\(path): can't be read; wanted a line `NAME PASSWORD` for each node, operator and rail/NAME")
    }
    let (passwords, faults) = EstateCredentials.read(String(decoding: data, as: UTF8.self), for: estate)
    for fault in faults { say(fault.text(file: path)) }
    guard faults.isEmpty else { throw couldNot }
    return passwords
  }
}

extension EstateSource {
  /// A path that the estate names, relative to its file.
  func path(_ named: String) -> String {
    named.hasPrefix("/") || folder.isEmpty || folder == "." ? named : folder + "/" + named
  }
}
