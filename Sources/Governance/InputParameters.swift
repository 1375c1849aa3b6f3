// Input parameters, as the rule language has them: documents whose outermost members are put beside those of every input.
// Nothing is overwritten: a name that is there twice is a fault that tells both places.

import GuardRules
import Resources

/// See the head of this file.
public struct InputParameters: Sendable {
  /// A member, and the file it comes from.
  struct Member: Sendable {
    let name: String
    let value: Value
    let file: String
    let place: TextPlace
  }

  let members: [Member]

  /// None.
  public static let none = InputParameters([])

  private init(_ members: [Member]) { self.members = members }

  /// Reads files (YAML, JSON).
  /// - Parameter mostBytes: memory that each file's values may take, about.
  /// - Throws: `GovernanceFaults` with all faults of all files.
  public init(_ paths: [String], mostBytes: Int = CheckLimits().memoryBytes) throws(GovernanceFaults) {
    var members: [Member] = []
    var faults: [String] = []
    for path in paths {
      do {
        let file = try MappedFile(path)
        guard !file.bytes.isEmpty else { throw FileFault(path: path, reason: "is empty; wanted a document") }
        let document = try Value.reading(yaml: file.bytes.bindMemory(to: UInt8.self), mostBytes: mostBytes)
        guard case .map(let map) = document.content else {
          throw DocumentFault(place: document.place, found: document.kind, wanted: "names with values")
        }
        for member in map.all {
          // In a map of a text a key stands before its value; only the latter's place is known.
          let place = member.value.place
          if let same = members.first(where: { $0.name == member.name }) {
            faults.append(
              "\(path):\(place): found \"\(member.name)\", which \(same.file):\(same.place) has too; wanted a name once"
            )
            continue
          }
          members.append(
            Member(name: member.name, value: member.value.withoutPlaces, file: path, place: place))
        }
      } catch let fault as DocumentFault {
        faults.append("\(path):\(fault)")
      } catch { faults.append("\(error)") }
    }
    guard faults.isEmpty else { throw GovernanceFaults(faults) }
    self.members = members
  }

  /// A document with them.
  /// - Throws: `DocumentFault` for the first name that the document has too.
  func added(to document: Value) throws(DocumentFault) -> Value {
    guard !members.isEmpty else { return document }
    guard case .map(let map) = document.content else {
      throw DocumentFault(
        place: document.place, found: "\(document.kind) beside input parameters", wanted: "names with values")
    }
    if let same = members.first(where: { map[$0.name] != nil }) {
      throw DocumentFault(
        place: map[same.name]?.place ?? .none,
        found: "\"\(same.name)\", which the input parameters of \(same.file):\(same.place) have too",
        wanted: "a name once")
    }
    let all = map.all.map { (name: $0.name, value: $0.value) } + members.map { ($0.name, $0.value) }
    return Value(.map(Members(all, rest: map.rest)), at: document.place)
  }

  /// Whether one of some names is among them, as a fault that tells where; nil = none is.
  func fault(ofNames names: [String], _ whose: String) -> String? {
    members.first { names.contains($0.name) }.map { member in
      "\(member.file):\(member.place): found \"\(member.name)\", which \(whose) has too; wanted a name once"
    }
  }
}
