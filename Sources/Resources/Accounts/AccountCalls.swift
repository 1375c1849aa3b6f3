// The calls that a scan of an account makes: one table, in text so that it can be read and extended by who knows the
// services. Pure: what is called, never the calling.
//
//     service kms json TrentService 1.1            prefix of the host, protocol, version (json: target and version)
//       list KMS.Key ListKeys Limit=1000           type in AccountTypes, action, parameters
//         from Keys                                where the items are; `.` = the whole answer is one item; `alone` behind: no
//                                                  list stands there, but the one item
//         needs Owner,AccessControlList            members that the answer always has, so that one without is none
//         page Marker NextMarker                   the parameter that takes what the answer gives for its next page; `empty`
//                                                  behind: a page without items is the last, whatever it gives
//         own ownerId                              a member with the account; items of other accounts are left out
//         arn {KeyArn}                             what a resource is called
//         and key DescribeKey KeyId={KeyId}        a call for each item; its answer is put in the item as `key`
//           take KeyMetadata                       the part of the answer that is put there; `?` behind: if it is there
//                                                  `alone`: it has members; `json`: it is JSON in text
//           needs, page                            as of lists
//           nowhere WORDS                          words of an error that mean that the region knows no such call: there is none
//           elsewhere CODES                        codes of errors that mean of an item of another account: only that is told
//           root Tagging                           of REST in XML the outermost element of the answer; `json`: it is JSON
//         and acl wafv2:GetWebACLForResource …     the same, asked of another service of the table
//           absent NotFoundException               codes of errors that mean: there is none
//         list …                                   a list for each item, which is its `parent`
//
// One resource alone, which a change names:
//
//       list EC2.SecurityGroup …
//         key {groupId}                            what a change calls it; else the last part of its ARN
//         one DescribeSecurityGroups GroupId.1={id}
//           gone InvalidGroup.NotFound             codes of errors that mean: it is no longer there
//           from PATH                              where the answer has the item; else where the list's has it
//           set Name {id}                          a member that is put into the item
//           with GroupList ListGroupsForUser …     a call whose answer is put into the item as the list would have it
//             take Groups.GroupName, page …        as of parts
//             each GetUserPolicy … PolicyName={it} a call for each of what was taken, in its place
//
// `one -`: no call, `set` says all that the item's calls need. Without `one` the list is asked, and of its items only the one
// that is meant goes further.
//
// `{Name}` is a member of the item, of its parent, or region, account, partition; `{/Name}` is without `/` before. REST
// services have `NAME GET /path?query` as action. `global`: asked once, not in each region; `region NAME`: the region of an item is what the call NAME gave, or
// its member NAME; `only REGION`: asked there only; `skip PATH VALUE,VALUE`: items that aren't looked at; `most N`: of more
// the rest isn't looked at, and what hangs on it is unknown; `absent` below `list`: codes that mean an empty list. Of JSON
// services `A.b=[X,Y]` is a list of texts within a structure.

public import GuardRules

/// How a service is spoken to.
public enum AccountProtocol: String, Sendable {
  /// AWS Query: a form in, XML out.
  case query
  /// EC2's dialect of it.
  case ec2
  /// JSON both ways, the action in a header.
  case json
  /// Paths in, JSON out.
  case restJSON = "rest-json"
  /// Paths in, XML out.
  case restXML = "rest-xml"
}

/// A service.
public struct AccountService: Sendable {
  /// First word of the host, and the name that a signature is for.
  public let name: String
  /// How it is spoken to.
  public let protocolKind: AccountProtocol
  /// Version of its interface; of JSON services the target.
  public let version: String
  /// Of JSON services the version of JSON.
  public let jsonVersion: String
  /// Whether it is asked once, not in each region.
  public let isGlobal: Bool
  /// What is asked.
  public internal(set) var lists: [AccountList] = []

  /// A service of which nothing is listed.
  public init(
    name: String, protocolKind: AccountProtocol, version: String, jsonVersion: String, isGlobal: Bool
  ) {
    self.name = name
    self.protocolKind = protocolKind
    self.version = version
    self.jsonVersion = jsonVersion
    self.isGlobal = isGlobal
  }
}

/// A parameter of a call.
public struct CallParameter: Sendable {
  /// Its name.
  public let name: String
  /// Its value, with `{Name}` for what isn't fixed.
  public let value: String

  /// A parameter.
  public init(name: String, value: String) {
    self.name = name
    self.value = value
  }
}

/// One call.
public struct AccountCall: Sendable {
  /// Its name, or of REST services `GET /path?query`.
  public let action: String
  /// What its service's reference calls it.
  public var name: String
  /// Its parameters.
  public let parameters: [CallParameter]
  /// The part of the answer that is meant; empty = all of it.
  public var take: [String] = []
  /// Codes of errors that mean that there is nothing.
  public var absent: Set<String> = []
  /// Of services that answer in XML the outermost element of an answer, `json` = it is JSON; nil = by the protocol's rule.
  public var root: String?
  /// Whether an answer may lack what is meant; else it is none without.
  public var mayLack = false
  /// Members that every answer has.
  public var needs: [String] = []
  /// Whether what is meant is one item with members, not a list.
  public var isAlone = false
  /// Whether what is meant is JSON in text.
  public var isText = false
  /// The parameter for a next page, and where the answer has its value.
  public internal(set) var page: (parameter: String, from: [String])?
  /// Words of an error's message that mean that the region knows no such call, so that there is nothing; empty = none.
  public var nowhere = ""
  /// Codes of errors that mean, of an item of another account, that only that account is told.
  public var elsewhere: Set<String> = []

  /// A call whose whole answer is meant.
  public init(action: String, parameters: [CallParameter]) {
    self.action = action
    self.parameters = parameters
    name = action
  }
}

/// A call for each item of a list.
public struct AccountPart: Sendable {
  /// What its answer is called in the item.
  public let name: String
  /// The call.
  public internal(set) var call: AccountCall
  /// The service that is asked; nil = the list's own.
  public var service: String?
}

/// A call that brings what a list would have told of an item.
public struct AccountWith: Sendable {
  /// What it is called in the item.
  public let name: String
  /// The call.
  public internal(set) var call: AccountCall
  /// A call for each value that was taken, whose answer takes its place.
  public internal(set) var each: AccountCall?
}

/// How one item of a list is asked for.
public struct AccountOne: Sendable {
  /// The call; nil = none is needed.
  public internal(set) var call: AccountCall?
  /// Codes of errors that mean that it is no longer there.
  public internal(set) var gone: Set<String> = []
  /// Members that are put into the item.
  public internal(set) var sets: [CallParameter] = []
  /// What the list would have told.
  public internal(set) var with: [AccountWith] = []
}

/// A call that lists resources.
public struct AccountList: Sendable {
  /// Type in the table of shapes.
  public let type: String
  /// The call; `take` = where the items are.
  public internal(set) var call: AccountCall
  /// The parameter for a next page, and where the answer has its value.
  public internal(set) var page: (parameter: String, from: [String])?
  /// Whether a page without items is the last, whatever it gives for a next one.
  public internal(set) var endsByEmptyPage = false
  /// The member that says whose an item is; nil = the account's that is asked.
  public internal(set) var owner: String?
  /// What a resource is called.
  public internal(set) var arn = ""
  /// Calls for each item.
  public internal(set) var parts: [AccountPart] = []
  /// The part, or the item's own member, that gives the item's region.
  public internal(set) var regionPart: String?
  /// Items with one of these values there are left out.
  public internal(set) var skip: (path: [String], values: Set<String>)?
  /// So many items are looked at; nil = all.
  public internal(set) var most: Int?
  /// The only region where it is asked; nil = all.
  public internal(set) var onlyRegion: String?
  /// Lists for each item.
  public internal(set) var inner: [AccountList] = []
  /// What a change calls an item; empty = the end of its ARN.
  public internal(set) var key = ""
  /// How one item is asked for; nil = by the list.
  public internal(set) var one: AccountOne?
  /// Calls for each item that no rule needs: what they would tell is unknown.
  public internal(set) var unasked: [AccountPart] = []

  /// What it is called among the lists of a region.
  public var id: String {
    ([type, call.action] + call.parameters.map { "\($0.name)=\($0.value)" }).joined(separator: " ")
  }

  /// Its type and those of the lists within it, as the table of shapes calls them, each once.
  public var types: [String] {
    var types = [type]
    for inner in inner { for type in inner.types where !types.contains(type) { types.append(type) } }
    return types
  }
}

/// The table.
public enum AccountCalls {
  /// All services; a fault of the table is a fault of this program, found by its tests.
  public static let all: Result<[AccountService], DocumentFault> = Result { () throws(DocumentFault) in
    try services(AccountCallTable.text)
  }

  /// A service by its name.
  public static func service(_ name: String) -> AccountService? {
    (try? all.get())?.first { $0.name == name }
  }

  /// Reads a table.
  static func services(_ text: String) throws(DocumentFault) -> [AccountService] {
    var out: [AccountService] = []
    // Lists that are open, from the outermost.
    var open: [(indent: Int, list: AccountList)] = []
    func close(_ indent: Int) {
      while let last = open.last, last.indent >= indent {
        open.removeLast()
        if open.isEmpty {
          out[out.count - 1].lists.append(last.list)
        } else {
          open[open.count - 1].list.inner.append(last.list)
        }
      }
    }
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let words = line.split(separator: " ").map(String.init)
      guard let first = words.first, !first.hasPrefix("//") else { continue }
      let indent = line.prefix { $0 == " " }.count
      func wrong(_ wanted: String) -> DocumentFault {
        DocumentFault(
          place: TextPlace(line: number + 1, column: indent + 1), found: String(line), wanted: wanted)
      }
      if first == "service" {
        close(0)
        guard words.count >= 4, let kind = AccountProtocol(rawValue: words[2]) else {
          throw wrong("service NAME PROTOCOL VERSION")
        }
        out.append(
          AccountService(
            name: words[1], protocolKind: kind, version: words[3],
            jsonVersion: kind == .json && words.count > 4 ? words[4] : "1.1", isGlobal: words.last == "global"
          ))
        continue
      }
      guard !out.isEmpty else { throw wrong("service first") }
      if first == "list" {
        close(indent)
        guard words.count >= 3 else { throw wrong("list TYPE ACTION") }
        open.append((indent, AccountList(type: words[1], call: call(words[2...]))))
        continue
      }
      guard !open.isEmpty, words.count >= 2 else { throw wrong("a list first, and a value") }
      close(indent)
      guard !open.isEmpty else { throw wrong("a line of a list") }
      let last = open.count - 1
      // Deeper than the list's own lines: of its last part, or of how one item is asked for.
      let depth = (indent - open[last].indent) / 2
      if depth > 1, open[last].list.one != nil {
        guard one(words, depth, &open[last].list) else {
          throw wrong("gone, from, root, set or with; below with: take, absent or each")
        }
        continue
      }
      let isOfPart = depth > 1
      let part = open[last].list.parts.count - 1
      if isOfPart, part < 0 { throw wrong("and NAME first") }
      switch first {
      case "from" where !isOfPart: open[last].list.call.take(words)
      case "take" where isOfPart, "page" where isOfPart, "elsewhere" where isOfPart:
        open[last].list.parts[part].call.set(words)
      case "root", "absent", "needs", "nowhere":
        if isOfPart {
          open[last].list.parts[part].call.set(words)
        } else {
          open[last].list.call.set(words)
        }
      case "page" where words.count >= 3:
        open[last].list.page = (words[1], path(words[2]))
        open[last].list.endsByEmptyPage = words.last == "empty"
      case "own": open[last].list.owner = words[1]
      case "arn": open[last].list.arn = words[1]
      case "key": open[last].list.key = words[1]
      case "region": open[last].list.regionPart = words[1]
      case "skip" where words.count == 3:
        open[last].list.skip = (path(words[1]), Set(words[2].split(separator: ",").map(String.init)))
      case "only": open[last].list.onlyRegion = words[1]
      case "most" where Int(words[1]) != nil: open[last].list.most = Int(words[1])
      case "and" where words.count >= 3:
        var rest = words[2...]
        let parts = rest[2].split(separator: ":")
        if parts.count == 2 { rest[2] = String(parts[1]) }
        open[last].list.parts.append(
          AccountPart(
            name: words[1], call: call(rest), service: rest[2] == words[2] ? nil : String(parts[0])))
      case "one":
        var only: AccountCall? = words[1] == "-" ? nil : call(words[1...])
        only?.take = open[last].list.call.take
        only?.isAlone = open[last].list.call.isAlone
        open[last].list.one = AccountOne(call: only)
      default:
        throw wrong(
          "from, take, root, absent, needs, nowhere, elsewhere, page, own, arn, key, region, only, skip, most, and, one "
            + "or list")
      }
    }
    close(0)
    return out
  }

  /// A line below `one`.
  private static func one(_ words: [String], _ depth: Int, _ list: inout AccountList) -> Bool {
    let with = (list.one?.with.count ?? 0) - 1
    if depth > 2 {
      guard with >= 0 else { return false }
      switch words[0] {
      case "take", "absent", "page": list.one?.with[with].call.set(words)
      case "each": list.one?.with[with].each = call(words[1...])
      // Of the call for each.
      case "from": list.one?.with[with].each?.take(words)
      case "needs": list.one?.with[with].each?.set(words)
      default: return false
      }
      return true
    }
    switch words[0] {
    case "gone": list.one?.gone = Set(words[1].split(separator: ",").map(String.init))
    case "from": list.one?.call?.take(words)
    case "root": list.one?.call?.root = words[1]
    case "set" where words.count == 3:
      list.one?.sets.append(CallParameter(name: words[1], value: words[2]))
    case "with" where words.count >= 3:
      list.one?.with.append(AccountWith(name: words[1], call: call(words[2...])))
    default: return false
    }
    return true
  }

  fileprivate static func path(_ text: String) -> [String] { text.split(separator: ".").map(String.init) }

  private static func call(_ words: ArraySlice<String>) -> AccountCall {
    var words = words
    let name = words.removeFirst()
    var action = name
    if words.first == "GET" {
      action = words.prefix(2).joined(separator: " ")
      words = words.dropFirst(2)
    }
    var call = AccountCall(
      action: action,
      parameters: words.compactMap { word in
        guard let sign = word.firstIndex(of: "=") else { return nil }
        return CallParameter(name: String(word[..<sign]), value: String(word[word.index(after: sign)...]))
      })
    call.name = name
    return call
  }
}

extension AccountCall {
  /// A line that says what an answer is like.
  fileprivate mutating func set(_ words: [String]) {
    let codes = words[1].split(separator: ",").map(String.init)
    switch words[0] {
    case "take": take(words)
    case "root": root = words[1]
    case "absent": absent = Set(codes)
    case "needs": needs = codes
    case "elsewhere": elsewhere = Set(codes)
    case "nowhere": nowhere = words.dropFirst().joined(separator: " ")
    case "page" where words.count >= 3: page = (words[1], AccountCalls.path(words[2]))
    default: break
    }
  }

  /// Where what is meant is, and what it is.
  fileprivate mutating func take(_ words: [String]) {
    mayLack = words[1].hasSuffix("?")
    take = AccountCalls.path(mayLack ? String(words[1].dropLast()) : words[1])
    isAlone = words.last == "alone"
    isText = words.last == "json"
  }
}
