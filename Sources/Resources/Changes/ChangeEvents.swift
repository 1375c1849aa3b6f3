// Events → what may have changed. EventBridge's shape ("Events from AWS services"): calls that CloudTrail saw, AWS Config's
// items and verdicts, GuardDuty's findings, states of instances; bare, in batches, and wrapped as SNS wraps them. Pure.
//
// Invariant: a write of a service that the table of calls knows always changes something, at least the service's region,
// unless ChangeEventTable says that rules can't see it, or the call failed. An event says where to look, never what is
// there: late, doubled and disordered ones do no harm.

import GuardRules

/// See the head of this file.
public enum ChangeEvents {
  /// Texts within texts.
  private static var mostWraps: Int { 4 }

  /// All events of a text: one, a list, or CloudTrail's `Records`.
  /// - Returns: each event, or why a part of the text isn't one.
  public static func read(_ text: String) -> [Result<ChangeEvent, ChangeEventFault>] {
    let value: Value
    do throws(DocumentFault) { value = try JSONReader.value(of: text) } catch {
      return [.failure(ChangeEventFault("not JSON: \(error); wanted an event, as EventBridge sends it"))]
    }
    return events(value, wraps: 0)
  }

  private static func events(_ value: Value, wraps: Int) -> [Result<ChangeEvent, ChangeEventFault>] {
    if let list = value.list { return list.flatMap { events($0, wraps: wraps + 1) } }
    guard wraps <= mostWraps else { return [.failure(ChangeEventFault("an event wrapped too often"))] }
    if let records = value["Records"]?.list { return records.flatMap { events($0, wraps: wraps + 1) } }
    // SNS, bare and as it calls functions.
    let notification = value["Sns"] ?? value
    if let message = notification["Message"]?.string, notification["TopicArn"] != nil {
      guard let inner = try? JSONReader.value(of: message) else {
        return [
          .failure(ChangeEventFault("a notification of SNS whose Message isn't JSON; wanted an event in it"))
        ]
      }
      return events(inner, wraps: wraps + 1)
    }
    do throws(ChangeEventFault) { return [.success(try event(value))] } catch { return [.failure(error)] }
  }

  private static func event(_ value: Value) throws(ChangeEventFault) -> ChangeEvent {
    if value["eventSource"]?.string == "aws:s3" {
      return nothing("s3 notification", value, "an object was written; of objects rules see nothing")
    }
    // A record of CloudTrail as it stands in its files.
    if value["detail"] == nil, value["eventSource"] != nil, value["eventName"] != nil {
      return try call(value, in: value)
    }
    guard let detail = value["detail"], !detail.members.isEmpty, let kind = value["detail-type"]?.string
    else {
      let names = value.members.prefix(6).map(\.name).joined(separator: ", ")
      throw ChangeEventFault(
        "no event: found \(names.isEmpty ? value.kind : "members \(names)"); wanted detail-type and detail, as EventBridge sends"
      )
    }
    if detail["eventSource"] != nil, detail["eventName"] != nil { return try call(detail, in: value) }
    if kind.hasSuffix("via CloudTrail") {
      throw ChangeEventFault("\(kind) without the call's name; wanted eventSource and eventName in detail")
    }
    switch kind {
    case "Config Configuration Item Change", "Configuration Item Change": return try item(detail, in: value)
    case "Config Rules Compliance Change":
      let name = detail["configRuleName"]?.string ?? ""
      return try event(
        "config rule \(name)", value, [.configRule(name)], account: detail["awsAccountId"],
        region: detail["awsRegion"])
    case "GuardDuty Finding":
      return try event(
        "guardduty finding \(detail["type"]?.string ?? "")", value,
        [
          .guardDuty(
            detector: detail["service"]?["detectorId"]?.string ?? "", finding: detail["id"]?.string ?? "")
        ], account: detail["accountId"], region: detail["region"])
    case "EC2 Instance State-change Notification":
      let state = detail["state"]?.string ?? ""
      guard let id = detail["instance-id"]?.string, !id.isEmpty else {
        throw ChangeEventFault("a state of an instance without instance-id; wanted its name")
      }
      var targets: [ChangeTarget] = [.one(type: "EC2.Instance", id: id)]
      // Volumes come and go with it.
      if ["running", "terminated"].contains(state) { targets.append(.list(type: "EC2.Volume")) }
      return try event("ec2 instance \(state)", value, targets)
    default: return nothing(kind, value, "\"\(kind)\" says nothing of resources that rules see")
    }
  }

  // MARK: - Calls

  /// A call that CloudTrail saw.
  private static func call(_ record: Value, in event: Value) throws(ChangeEventFault) -> ChangeEvent {
    let source = record["eventSource"]?.string ?? ""
    let service = String(source.prefix { $0 != "." })
    let action = baseName(record["eventName"]?.string ?? "")
    let name = "\(service) \(action)"
    guard source.hasSuffix(".amazonaws.com") || source.hasSuffix(".amazonaws.com.cn"),
      let events = try? ChangeEventTable.effects.get()[service]
    else { return nothing(name, event, "rules see nothing of \(source)") }
    if isTrue(record["readOnly"]) { return nothing(name, event, "a call that only reads") }
    if let code = record["errorCode"]?.string, !code.isEmpty {
      return nothing(name, event, "the call failed: \(code)")
    }
    if record["eventCategory"]?.string == "Data" || isFalse(record["managementEvent"]) {
      return nothing(name, event, "a call to data, not to a resource")
    }
    let account = record["recipientAccountId"] ?? event["account"]
    guard let effects = events[action] else {
      return try self.event(name, event, [.service(service)], account: account, region: record["awsRegion"])
    }
    var targets: [ChangeTarget] = []
    for effect in effects {
      for target in self.targets(effect, record) where !targets.contains(target) { targets.append(target) }
    }
    if targets.isEmpty { return nothing(name, event, "rules can't see what it changes") }
    let own = try self.event(name, event, targets, account: account, region: record["awsRegion"])
    guard service == "guardduty" else { return own }
    // An administrator's calls about its members are told to its own account only.
    let members = record.all(at: ["requestParameters", "accountIds"]).compactMap(\.string)
    let places = own.places.flatMap { place in
      members.map { ChangedPlace(account: $0, region: place.region, target: place.target) }
    }
    return ChangeEvent(name: own.name, time: own.time, places: own.places + places, reason: "")
  }

  private static func targets(_ effect: ChangeEventTable.Effect, _ record: Value) -> [ChangeTarget] {
    var names: [String] = []
    for path in effect.paths where names.isEmpty {
      let holder =
        ["req": "requestParameters", "res": "responseElements", "who": "userIdentity"][path[0]] ?? ""
      let whole: [String] = [holder] + path.dropFirst()
      names = record.all(at: whole).compactMap(\.string).filter { !$0.isEmpty }
    }
    switch effect.type {
    case "Taken.ConfigRule": return (names.isEmpty ? [""] : names).map { ChangeTarget.configRule($0) }
    case "Taken.GuardDuty": return [.guardDuty(detector: "", finding: "")]
    case "EC2.*":
      guard !names.isEmpty else { return [.service("ec2")] }
      return names.compactMap { name in
        let kind = String(name.prefix { $0 != "-" })
        guard !unseenPrefixes.contains(kind) else { return nil }
        return byPrefix[kind].map { ChangeTarget.one(type: $0, id: name) } ?? .service("ec2")
      }
    default: break
    }
    // A second name of the same (a new one) is there only sometimes.
    if names.isEmpty {
      return effect.paths.first?.last?.hasPrefix("new") == true ? [] : [.list(type: effect.type)]
    }
    return names.compactMap { ChangeNames.target(effect.type, $0) }
  }

  private static let byPrefix = [
    "sg": "EC2.SecurityGroup", "i": "EC2.Instance", "vol": "EC2.Volume", "vpc": "EC2.VPC",
    "subnet": "EC2.Subnet", "fl": "EC2.FlowLog", "rtb": "EC2.RouteTable", "nat": "EC2.NatGateway",
    "igw": "EC2.InternetGateway", "eipalloc": "EC2.EIP", "eni": "EC2.NetworkInterface",
  ]
  /// Of what no list has.
  private static let unseenPrefixes: Set<String> = [
    "ami", "snap", "lt", "key", "vpce", "acl", "dopt", "pl", "sgr",
  ]

  /// Names of Lambda's calls end with a date: `AddPermission20150331v2`.
  static func baseName(_ name: String) -> String {
    let bytes = Array(name.utf8)
    var end = bytes.count
    func digits(before end: Int) -> Int { bytes[..<end].reversed().prefix { (48...57).contains($0) }.count }
    let last = digits(before: end)
    if last > 0, last < 8, end > last, bytes[end - last - 1] == UInt8(ascii: "v") { end -= last + 1 }
    let date = digits(before: end)
    guard date == 8, end > 8 else { return name }
    return String(decoding: bytes[..<(end - 8)], as: UTF8.self)
  }

  private static func isTrue(_ value: Value?) -> Bool {
    if case .bool(true)? = value?.content { return true }
    return value?.string == "true"
  }
  private static func isFalse(_ value: Value?) -> Bool {
    if case .bool(false)? = value?.content { return true }
    return value?.string == "false"
  }

  // MARK: - Items

  private static func item(_ detail: Value, in event: Value) throws(ChangeEventFault) -> ChangeEvent {
    guard let item = detail["configurationItem"] ?? detail["configurationItemSummary"],
      let type = item["resourceType"]?.string
    else {
      throw ChangeEventFault(
        "a change of an item without configurationItem.resourceType; wanted an item of AWS Config")
    }
    let name = "config item \(type)"
    guard let own = ChangeNames.item(type) else {
      return nothing(name, event, "rules see nothing of \(type)")
    }
    let id = ChangeNames.memberOfItem(own.type).compactMap { item[$0]?.string }.first { !$0.isEmpty }
    guard let target = ChangeNames.target(own, id) else {
      return nothing(name, event, "not this account's own")
    }
    return try self.event(
      name, event, [target], account: item["awsAccountId"], region: item["awsRegion"],
      time: item["configurationItemCaptureTime"])
  }

  // MARK: - What comes of it

  private static func event(
    _ name: String, _ event: Value, _ targets: [ChangeTarget], account: Value? = nil, region: Value? = nil,
    time: Value? = nil
  ) throws(ChangeEventFault) -> ChangeEvent {
    guard let account = account?.string ?? event["account"]?.string, !account.isEmpty else {
      throw ChangeEventFault("\(name) without an account; wanted account, or recipientAccountId")
    }
    let region = region?.string ?? event["region"]?.string ?? ""
    let places = try targets.map { target throws(ChangeEventFault) -> ChangedPlace in
      if ChangeNames.isGlobal(target) {
        return ChangedPlace(account: account, region: "global", target: target)
      }
      guard !region.isEmpty else {
        throw ChangeEventFault("\(name) without a region; wanted region, or awsRegion")
      }
      let isEverywhere = ChangeNames.isEverywhere(target)
      return ChangedPlace(
        account: account, region: isEverywhere ? ChangedPlace.everywhere : region,
        target: ChangeNames.whole(target, account: account, region: region))
    }
    return ChangeEvent(name: name, time: milliseconds(time) ?? self.time(event), places: places, reason: "")
  }

  private static func nothing(_ name: String, _ event: Value, _ reason: String) -> ChangeEvent {
    ChangeEvent(name: name, time: time(event), places: [], reason: reason)
  }

  private static func time(_ event: Value) -> Int64? {
    milliseconds(event["detail"]?["eventTime"]) ?? milliseconds(event["eventTime"])
      ?? milliseconds(event["time"])
  }

  static func milliseconds(_ value: Value?) -> Int64? {
    guard let text = value?.string, let seconds = RFC3339.seconds(text), abs(seconds) < 1 << 40 else {
      return nil
    }
    let fraction =
      text.split(separator: ".", maxSplits: 1).dropFirst().first?.prefix { $0.isASCII && $0.isNumber } ?? ""
    let digits = (fraction + "000").prefix(3)
    return seconds * 1_000 + (Int64(digits) ?? 0)
  }
}
