// Calls outside the table of scans: what changes something in an account, and reads for it. Invariant: a call that changes
// something is made again only where it surely wasn't carried out (throttled, refused for an old key, no connection), or
// where carrying it out twice is the same as once; what remains uncertain is said so (`CallFailure.mayBeDone`).

import Foundation
import GuardRules
import Resources

/// A call.
struct ServiceAction: Sendable {
  /// `CreateUser`; of REST services what it is called in messages.
  let name: String
  /// What it is given: fields of a form, or members of a JSON body.
  var parameters: CallField
  /// Of REST services.
  var method = "POST"
  /// Of REST services, percent-encoded once: `path(…)` makes it.
  var path = "/"
  /// Of REST services; neither side encoded.
  var query: [(name: String, value: String)] = []
  /// Names in small letters.
  var headers: [(name: String, value: String)] = []
  /// Body of a call in XML; with one, `parameters` isn't sent.
  var text: String?
  /// Words before the host's, as `111122223333.` of S3's control of accounts.
  var hostPrefix = ""
  /// Whether carrying it out twice is the same as once, by its nature or by a client token in it.
  var isRepeatable = false
  /// Codes of errors that mean that there is nothing (reads), or nothing to do: the answer is null then.
  var absent: Set<String> = []
  /// What its answer must be. Of one that only reads nothing is none.
  var answer: WantedAnswer
  /// What a message must not show, should the service send it back.
  var hidden: [Secret] = []

  /// A call by its name: AWS Query, EC2, JSON.
  init(_ name: String, _ parameters: CallField = [:], isRepeatable: Bool = false, absent: Set<String> = []) {
    self.name = name
    answer = WantedAnswer(name: name, mayBeEmpty: true)
    self.parameters = parameters
    self.isRepeatable = isRepeatable
    self.absent = absent
  }

  /// A call by its method and path: REST. `GET` is repeatable; of the others the caller says it.
  /// - Parameter path: its parts, each percent-encoded here.
  init(
    _ name: String, _ method: String, path: [String], query: [(name: String, value: String)] = [],
    _ parameters: CallField = [:], isRepeatable: Bool? = nil, absent: Set<String> = []
  ) {
    self.name = name
    answer = WantedAnswer(name: name, mayBeEmpty: true)
    self.method = method
    self.path = "/" + path.map { RequestSigner.encoded($0) }.joined(separator: "/")
    self.query = query
    self.parameters = parameters
    self.isRepeatable = isRepeatable ?? (method == "GET" || method == "HEAD")
    self.absent = absent
  }
}

extension ServiceClient {
  /// Makes a call that may change something.
  /// - Returns: the answer; null where there is none, and for the action's `absent` codes.
  /// - Throws: `CallFailure` with the service's own code (`EntityAlreadyExists`); `mayBeDone` says whether the call may have
  ///   been carried out all the same, so that who goes on looks first.
  func act(
    _ service: AccountService, _ action: ServiceAction, _ scope: CallScope
  ) async throws(CallFailure) -> Value {
    var (origin, region) = endpoints.find(
      service.name, region: scope.region, isGlobal: service.isGlobal, partition: scope.partition)
    if endpoints.only == nil, !action.hostPrefix.isEmpty {
      origin = origin.replacingOccurrences(of: "https://", with: "https://\(action.hostPrefix)")
    }
    var wanted = action.answer
    wanted.root = wanted.root ?? service.root(action.name)
    do throws(CallFailure) {
      return try await perform(
        service.request(action, origin: origin), of: service, region: region, scope: scope,
        absent: action.absent, isRepeatable: action.isRepeatable, wanted: wanted)
    } catch {
      throw error.cleaned(of: action.hidden)
    }
  }

  /// Makes a call that only reads, page by page.
  /// - Parameters:
  ///   - items: where an answer's items are; empty = each answer is one item.
  ///   - page: the parameter that takes what the answer gives for its next page, and where that is.
  /// - Returns: the items of all pages; none for the action's `absent` codes.
  func read(
    _ service: AccountService, _ action: ServiceAction, _ scope: CallScope, items: [String] = [],
    page: (parameter: String, from: [String])? = nil
  ) async throws(CallFailure) -> [Value] {
    var action = action
    action.isRepeatable = true
    action.answer.mayBeEmpty = false
    action.answer.member = items.first
    var out: [Value] = []
    var token: String?
    var asked: Set<String> = []
    for _ in 0..<RegionScan.mostPages {
      var next = action
      if let token, let page {
        if service.isREST {
          next.query.append((page.parameter, token))
        } else if case .map(let members) = action.parameters {
          next.parameters = .map(members + [CallField.Member(name: page.parameter, value: .text(token))])
        }
      }
      let answer = try await act(service, next, scope)
      if answer.isNull { return out }
      out += items.isEmpty ? [answer] : answer.all(at: items)
      guard out.count <= RegionScan.mostItems else { throw .endless("\(out.count) items") }
      guard let found = try answer.nextPage(at: page?.from) else { return out }
      guard asked.insert(found).inserted else { throw .endless("the same page again and again") }
      token = found
    }
    throw .endless("more than \(RegionScan.mostPages) pages")
  }
}

extension AccountService {
  var isREST: Bool { protocolKind == .restJSON || protocolKind == .restXML }

  /// A service of the table or of those that only actions know.
  static func named(_ name: String) -> AccountService? {
    others.first { $0.name == name } ?? (try? AccountCalls.all.get())?.first { $0.name == name }
  }

  /// Services that scans don't look at.
  private static let others: [AccountService] = [
    AccountService(
      name: "s3-control", protocolKind: .restXML, version: "2018-08-20", jsonVersion: "", isGlobal: false),
    AccountService(
      name: "access-analyzer", protocolKind: .restJSON, version: "2019-11-01", jsonVersion: "",
      isGlobal: false),
    AccountService(
      name: "organizations", protocolKind: .json, version: "AWSOrganizationsV20161128", jsonVersion: "1.1",
      isGlobal: true),
    CredentialSources.sts,
  ]

  /// What a signature is for.
  var signedName: String { name == "s3-control" ? "s3" : name }

  /// The request of an action, unsigned.
  func request(_ action: ServiceAction, origin: String) -> ServiceRequest {
    var request = ServiceRequest(
      method: "POST", origin: origin, path: "/", query: action.query, headers: action.headers)
    let members: [CallField.Member]
    if case .map(let found) = action.parameters { members = found } else { members = [] }
    switch protocolKind {
    case .query, .ec2:
      let fields =
        [(name: "Action", value: action.name), (name: "Version", value: version)]
        + members.flatMap { $0.value.fields($0.name, isEC2: protocolKind == .ec2) }
      request.headers.append(("content-type", "application/x-www-form-urlencoded; charset=utf-8"))
      request.body = Array(RequestSigner.canonical(fields).utf8)
    case .json:
      request.headers += [
        ("content-type", "application/x-amz-json-\(jsonVersion)"),
        ("x-amz-target", "\(version).\(action.name)"),
      ]
      request.body = Array(action.parameters.json.utf8)
    case .restJSON, .restXML:
      request.method = action.method
      request.path = action.path
      if let text = action.text {
        request.body = Array(text.utf8)
        let type = protocolKind == .restXML ? "application/xml" : "application/json"
        if !request.headers.contains(where: { $0.name == "content-type" }) {
          request.headers.append(("content-type", type))
        }
      } else if !members.isEmpty {
        request.headers.append(("content-type", "application/json"))
        request.body = Array(action.parameters.json.utf8)
      }
      // S3 wants a sum of what changes a bucket's settings.
      if signedName == "s3", !request.body.isEmpty {
        request.headers.append(("content-md5", RequestSigner.md5(request.body)))
      }
    }
    return request
  }
}
