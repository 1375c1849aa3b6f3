// An account that a played service answers for: security groups and volumes of a region, users of IAM with keys, groups,
// policies. Changes come with the event that CloudTrail would tell.

import Foundation
import Synchronization

@testable import Governance

final class SimulatedAccount: Sendable {
  struct User: Sendable {
    var keys: [String: String] = [:]
    var groups: Set<String> = []
    var policies: [String: String] = [:]
    var attached: Set<String> = []
    var hasPassword = false
  }
  struct State: Sendable {
    var groups: [String: [String]] = [:]
    var volumes: [String: (encrypted: Bool, type: String)] = [:]
    var users: [String: User] = [:]
    /// Actions that are denied.
    var denied: Set<String> = []
    var count = 0
  }
  let state = Mutex(State())
  static let number = "111122223333"

  var play: PlayedService.Play { { asked, _ in self.answer(asked) } }

  private static func fields(_ body: String) -> [String: String] {
    var out: [String: String] = [:]
    for pair in body.split(separator: "&") {
      let sides = pair.split(separator: "=", maxSplits: 1).map(String.init)
      out[sides[0]] = sides.count > 1 ? sides[1].removingPercentEncoding : ""
    }
    return out
  }

  private static func error(_ code: String) -> Said {
    Said(status: 400, body: "<Response><Errors><Error><Code>\(code)</Code></Error></Errors></Response>")
  }

  private func answer(_ asked: Asked) -> Said? {
    let fields = Self.fields(asked.body)
    let action = asked.action
    return state.withLock { state in
      if state.denied.contains(action) { return Self.error("UnauthorizedOperation") }
      switch action {
      case "GetCallerIdentity":
        return Said(
          body:
            "<R><GetCallerIdentityResult><Account>\(Self.number)</Account><Arn>arn:aws:iam::1:user/u</Arn>"
            + "</GetCallerIdentityResult></R>")
      case "DescribeSecurityGroups":
        let all = fields["GroupId.1"].map { [$0] } ?? state.groups.keys.sorted()
        guard all.allSatisfy({ state.groups[$0] != nil }) else { return Self.error("InvalidGroup.NotFound") }
        let items = all.map { id in
          let ranges = (state.groups[id] ?? []).map { "<item><cidrIp>\($0)</cidrIp></item>" }.joined()
          return "<item><groupId>\(id)</groupId><groupName>\(id)</groupName><ipPermissions><item>"
            + "<ipProtocol>tcp</ipProtocol><fromPort>22</fromPort><toPort>22</toPort><ipRanges>\(ranges)</ipRanges>"
            + "</item></ipPermissions></item>"
        }
        return Said(body: "<R><securityGroupInfo>\(items.joined())</securityGroupInfo></R>")
      case "DescribeVolumes":
        let all = fields["VolumeId.1"].map { [$0] } ?? state.volumes.keys.sorted()
        guard all.allSatisfy({ state.volumes[$0] != nil }) else {
          return Self.error("InvalidVolume.NotFound")
        }
        let items = all.map { id in
          let volume = state.volumes[id] ?? (false, "")
          return "<item><volumeId>\(id)</volumeId><encrypted>\(volume.encrypted)</encrypted>"
            + "<volumeType>\(volume.type)</volumeType></item>"
        }
        return Said(body: "<R><volumeSet>\(items.joined())</volumeSet></R>")
      default: return Self.identity(action, fields, state)
      }
    }
  }

  private static func identity(_ action: String, _ fields: [String: String], _ state: State) -> Said? {
    func said(_ text: String) -> Said { Said(body: "<R><\(action)Result>\(text)</\(action)Result></R>") }
    func members(_ texts: [String]) -> String { texts.map { "<member>\($0)</member>" }.joined() }
    func plain(_ name: String) -> String {
      "<UserName>\(name)</UserName><Path>/</Path><Arn>arn:aws:iam::\(number):user/\(name)</Arn>"
    }
    func attached(_ user: User) -> [String] {
      user.attached.sorted().map {
        "<PolicyName>\($0)</PolicyName><PolicyArn>arn:aws:iam::\(number):policy/\($0)</PolicyArn>"
      }
    }
    func policy(_ name: String, _ text: String) -> String {
      let encoded = text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
      return "<PolicyName>\(name)</PolicyName><PolicyDocument>\(encoded)</PolicyDocument>"
    }
    if action == "GetAccountAuthorizationDetails" {
      let details = state.users.sorted { $0.key < $1.key }.map { name, user in
        plain(name) + "<GroupList>\(members(user.groups.sorted()))</GroupList>"
          + "<AttachedManagedPolicies>\(members(attached(user)))</AttachedManagedPolicies>"
          + "<UserPolicyList>\(members(user.policies.sorted { $0.key < $1.key }.map { policy($0.key, $0.value) }))</UserPolicyList>"
      }
      return said("<UserDetailList>\(members(details))</UserDetailList>")
    }
    guard let name = fields["UserName"], let user = state.users[name] else { return error("NoSuchEntity") }
    switch action {
    case "GetUser": return said("<User>\(plain(name))</User>")
    case "ListGroupsForUser":
      return said("<Groups>\(members(user.groups.sorted().map { "<GroupName>\($0)</GroupName>" }))</Groups>")
    case "ListAttachedUserPolicies":
      return said("<AttachedPolicies>\(members(attached(user)))</AttachedPolicies>")
    case "ListUserPolicies": return said("<PolicyNames>\(members(user.policies.keys.sorted()))</PolicyNames>")
    case "GetUserPolicy":
      guard let found = fields["PolicyName"], let text = user.policies[found] else {
        return error("NoSuchEntity")
      }
      return said("<UserName>\(name)</UserName>" + policy(found, text))
    case "ListAccessKeys":
      let keys = user.keys.sorted { $0.key < $1.key }.map {
        "<UserName>\(name)</UserName><AccessKeyId>\($0.key)</AccessKeyId><Status>\($0.value)</Status>"
      }
      return said("<AccessKeyMetadata>\(members(keys))</AccessKeyMetadata>")
    case "GetLoginProfile":
      return user.hasPassword
        ? said("<LoginProfile><UserName>\(name)</UserName></LoginProfile>") : error("NoSuchEntity")
    case "ListMFADevices": return said("<MFADevices/>")
    default: return error("InvalidAction")
    }
  }

  // MARK: - Changes

  /// An event, as EventBridge sends it.
  static func event(_ service: String, _ name: String, _ request: String, _ response: String = "null")
    -> String
  {
    """
    {"detail-type":"AWS API Call via CloudTrail","account":"\(number)","region":"eu-west-1","time":"2026-11-26T10:00:00Z",
    "detail":{"eventSource":"\(service).amazonaws.com","eventName":"\(name)","awsRegion":"eu-west-1","readOnly":false,
    "requestParameters":\(request),"responseElements":\(response),"recipientAccountId":"\(number)"}}
    """
  }

  /// Changes something by chance.
  func change(_ random: (Int) -> Int) -> [String] {
    state.withLock { state in
      state.count += 1
      let new = "\(state.count)"
      func one(_ names: [String]) -> String? { names.isEmpty ? nil : names.sorted()[random(names.count)] }
      let group = one(Array(state.groups.keys))
      let volume = one(Array(state.volumes.keys))
      let user = one(Array(state.users.keys))
      switch random(14) {
      case 0:
        state.groups["sg-\(new)"] = []
        return [Self.event("ec2", "CreateSecurityGroup", "{}", #"{"groupId":"sg-\#(new)"}"#)]
      case 1, 2:
        guard let group else { return [] }
        state.groups[group]?.append(["0.0.0.0/0", "10.0.0.0/8"][random(2)])
        return [Self.event("ec2", "AuthorizeSecurityGroupIngress", #"{"groupId":"\#(group)"}"#)]
      case 3:
        guard let group else { return [] }
        state.groups[group] = []
        return [Self.event("ec2", "RevokeSecurityGroupIngress", #"{"groupId":"\#(group)"}"#)]
      case 4:
        guard let group else { return [] }
        state.groups[group] = nil
        return [Self.event("ec2", "DeleteSecurityGroup", #"{"groupId":"\#(group)"}"#)]
      case 5, 6:
        state.volumes["vol-\(new)"] = (random(2) == 0, ["gp3", group ?? "io1"][random(2)])
        return [Self.event("ec2", "CreateVolume", "{}", #"{"volumeId":"vol-\#(new)"}"#)]
      case 7:
        guard let volume else { return [] }
        state.volumes[volume] = nil
        return [Self.event("ec2", "DeleteVolume", #"{"volumeId":"\#(volume)"}"#)]
      case 8:
        state.users["u\(new)"] = User()
        return [Self.event("iam", "CreateUser", #"{"userName":"u\#(new)"}"#)]
      case 9:
        guard let user else { return [] }
        state.users[user] = nil
        return [Self.event("iam", "DeleteUser", #"{"userName":"\#(user)"}"#)]
      case 10:
        guard let user else { return [] }
        state.users[user]?.keys["K\(new)"] = ["Active", "Inactive"][random(2)]
        return [Self.event("iam", "CreateAccessKey", "{}", #"{"accessKey":{"userName":"\#(user)"}}"#)]
      case 11:
        guard let user else { return [] }
        state.users[user]?.policies["p\(random(2))"] =
          #"{"Statement":[{"Action":"\#(["*", "s3:Get"][random(2)])"}]}"#
        return [Self.event("iam", "PutUserPolicy", #"{"userName":"\#(user)"}"#)]
      case 12:
        guard let user else { return [] }
        state.users[user]?.attached = Set([["one"], ["one", "two"], []][random(3)])
        return [
          Self.event(
            "iam", "AttachUserPolicy", #"{"userName":"\#(user)","policyArn":"arn:aws:iam::aws:policy/x"}"#)
        ]
      default:
        guard let user else { return [] }
        state.users[user]?.hasPassword.toggle()
        state.users[user]?.groups = Set([["g"], [], ["g", "h"]][random(3)])
        return [Self.event("iam", "AddUserToGroup", #"{"userName":"\#(user)"}"#)]
      }
    }
  }
}
