// What a template's transformations make: macros may make and change anything, AWS's own make resources of known types out of
// their own. So of a template with serverless resources only rules about the types that come of these can't be told.
// Source: AWS CloudFormation User Guide, "Transform section"; AWS Serverless Application Model Developer Guide, "Generated
// CloudFormation resources".

import GuardRules

struct TemplateTransforms {
  /// Why there may be any other resources; nil = there aren't.
  private(set) var unknown: Unknown?
  /// Whether what is written may be changed.
  private(set) var mayChange = false
  private let globals: Value?

  init(_ document: Value) {
    globals = document["Globals"]
    for written in [document["Transform"], document["Fn::Transform"]].compactMap({ $0 }) {
      for each in written.list ?? [written] {
        let name = each.string ?? each["Name"]?.string ?? ""
        if Self.ownPrefixes.contains(where: name.hasPrefix) { continue }
        unknown = unknown ?? Self.unknown(each)
        if Self.mayChange(each) { mayChange = true }
      }
    }
  }

  /// Those that make nothing but what `made` says.
  private static let ownPrefixes = [
    "AWS::LanguageExtensions", "AWS::Serverless-", "AWS::SecretsManager-", "AWS::ServiceCatalog",
  ]

  static func unknown(_ transform: Value) -> Unknown {
    let name = transform.string ?? transform["Name"]?.string
    return Unknown("transformation \(name ?? "") is known once it is deployed".replacing("  ", with: " "))
  }

  /// An inclusion adds; others may change what is beside them.
  static func mayChange(_ transform: Value) -> Bool {
    (transform.string ?? transform["Name"]?.string) != "AWS::Include"
  }

  /// A resource that a transformation may make, of which only the type is known.
  static func resource(_ type: String, of name: String, at place: TextPlace) -> Value {
    let unknown = Unknown("the transformation makes it of \(name)")
    return Value(
      .map(
        Members(
          [
            ("Type", Value(.string(type), at: place)), ("Properties", Value(.unknown(unknown), at: place)),
          ], rest: Members.Rest(unknown, absent: ["Condition"]))), at: place)
  }

  /// Types of resources that may be made of one; nil = of any type.
  func made(of resource: Value) -> [String]? {
    var out: [String] = resource["Connectors"] == nil ? [] : Self.byConnector
    guard let type = resource["Type"]?.string else { return out }
    if type.hasSuffix("::MODULE") { return nil }
    if type == "AWS::SecretsManager::RotationSchedule" {
      return Self.mayHave(resource, "HostedRotationLambda") ? out + Self.byRotation : out
    }
    guard type.hasPrefix(Self.prefix) else { return out }
    let kind = String(type.dropFirst(Self.prefix.count))
    guard let always = Self.always[kind] else { return nil }
    out += always
    let common = globals?[kind]
    func mayHave(_ name: String) -> Bool { common?[name] != nil || Self.mayHave(resource, name) }
    for (name, types) in Self.byProperty[kind] ?? [] where mayHave(name) { out += types }
    if kind == "Function" || kind == "StateMachine" {
      if !Self.has(resource, "Role"), common?["Role"] == nil { out.append("AWS::IAM::Role") }
      guard mayHave("Events") else { return Self.once(out) }
      guard let events = resource["Properties"]?["Events"], case .map(let all) = events.content,
        all.rest == nil
      else { return nil }
      for event in all.all {
        guard let types = Self.byEvent[event.value["Type"]?.string ?? ""] else { return nil }
        out += types
      }
    }
    return Self.once(out)
  }

  /// Types that stand for another template, whose resources aren't in this one.
  static let nesting: Set<String> = [
    "AWS::CloudFormation::Stack", "AWS::CloudFormation::StackSet", "AWS::Serverless::Application",
    "AWS::ServiceCatalog::CloudFormationProvisionedProduct",
  ]
  /// Types that only live accounts and plans have: whatever makes resources of a template makes none of these.
  static let neverMade: Set<String> = [
    "AWS::AutoScaling::Attachment", "AWS::ElasticLoadBalancingV2::TargetGroupAttachment",
    "AWS::IAM::AccountPasswordPolicy", "AWS::IAM::AccountSummary", "AWS::IAM::PolicyAttachment",
  ]

  private static func once(_ types: [String]) -> [String] {
    var seen: Set<String> = []
    return types.filter { seen.insert($0).inserted }
  }

  private static func has(_ resource: Value, _ name: String) -> Bool {
    guard let value = resource["Properties"]?[name] else { return false }
    if case .unknown(let unknown) = value.content { return !unknown.mayBeAbsent }
    return true
  }

  private static func mayHave(_ resource: Value, _ name: String) -> Bool {
    guard let properties = resource["Properties"] else { return resource.rest != nil }
    guard case .map(let members) = properties.content else { return true }
    return members[name] != nil || members.rest != nil
  }

  // MARK: - Tables

  private static let prefix = "AWS::Serverless::"
  private static let byConnector = [
    "AWS::IAM::ManagedPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy", "AWS::Lambda::Permission",
  ]
  private static let byRotation = [
    "AWS::CloudFormation::Stack", "AWS::Lambda::Function", "AWS::Lambda::Permission", "AWS::IAM::Role",
  ]
  private static let always: [String: [String]] = [
    "Api": ["AWS::ApiGateway::RestApi", "AWS::ApiGateway::Deployment", "AWS::ApiGateway::Stage"],
    "Application": ["AWS::CloudFormation::Stack"],
    "Connector": byConnector,
    "Function": ["AWS::Lambda::Function"],
    "GraphQLApi": [
      "AWS::AppSync::GraphQLApi", "AWS::AppSync::GraphQLSchema", "AWS::AppSync::ApiKey",
      "AWS::AppSync::DataSource", "AWS::AppSync::FunctionConfiguration", "AWS::AppSync::Resolver",
      "AWS::AppSync::ApiCache", "AWS::AppSync::DomainName", "AWS::AppSync::DomainNameApiAssociation",
      "AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::Lambda::Permission",
    ],
    "HttpApi": ["AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Stage"],
    "LayerVersion": ["AWS::Lambda::LayerVersion"],
    "SimpleTable": ["AWS::DynamoDB::Table"],
    "StateMachine": ["AWS::StepFunctions::StateMachine"],
  ]
  private static let byProperty: [String: [(name: String, types: [String])]] = [
    "Api": [
      ("Auth", ["AWS::ApiGateway::ApiKey", "AWS::ApiGateway::UsagePlan", "AWS::ApiGateway::UsagePlanKey"]),
      ("Auth", ["AWS::ApiGateway::Authorizer", "AWS::Lambda::Permission"]),
      (
        "Domain",
        [
          "AWS::ApiGateway::DomainName", "AWS::ApiGateway::BasePathMapping", "AWS::Route53::RecordSetGroup",
          "AWS::Route53::RecordSet",
        ]
      ),
      ("GatewayResponses", ["AWS::ApiGateway::GatewayResponse"]),
    ],
    "HttpApi": [
      ("Auth", ["AWS::Lambda::Permission"]),
      (
        "Domain",
        [
          "AWS::ApiGatewayV2::DomainName", "AWS::ApiGatewayV2::ApiMapping", "AWS::Route53::RecordSetGroup",
          "AWS::Route53::RecordSet",
        ]
      ),
    ],
    "Function": [
      ("AutoPublishAlias", ["AWS::Lambda::Version", "AWS::Lambda::Alias"]),
      (
        "DeploymentPreference",
        ["AWS::CodeDeploy::Application", "AWS::CodeDeploy::DeploymentGroup", "AWS::IAM::Role"]
      ),
      ("EventInvokeConfig", ["AWS::Lambda::EventInvokeConfig", "AWS::SQS::Queue", "AWS::SNS::Topic"]),
      ("FunctionUrlConfig", ["AWS::Lambda::Url", "AWS::Lambda::Permission"]),
    ],
    "StateMachine": [
      (
        "AutoPublishAlias",
        ["AWS::StepFunctions::StateMachineVersion", "AWS::StepFunctions::StateMachineAlias"]
      )
    ],
  ]
  private static let toRule = [
    "AWS::Events::Rule", "AWS::Lambda::Permission", "AWS::SQS::Queue", "AWS::SQS::QueuePolicy",
    "AWS::IAM::Role",
  ]
  private static let toSource = ["AWS::Lambda::EventSourceMapping"]
  private static let byEvent: [String: [String]] = [
    "AlexaSkill": ["AWS::Lambda::Permission"],
    "Api": [
      "AWS::Lambda::Permission", "AWS::ApiGateway::RestApi", "AWS::ApiGateway::Deployment",
      "AWS::ApiGateway::Stage", "AWS::IAM::Role",
    ],
    "CloudWatchEvent": toRule,
    "CloudWatchLogs": ["AWS::Logs::SubscriptionFilter", "AWS::Lambda::Permission"],
    "Cognito": ["AWS::Lambda::Permission"],
    "DocumentDB": toSource,
    "DynamoDB": toSource,
    "EventBridgeRule": toRule,
    "HttpApi": ["AWS::Lambda::Permission", "AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Stage"],
    "IoTRule": ["AWS::IoT::TopicRule", "AWS::Lambda::Permission"],
    "Kinesis": toSource + ["AWS::Kinesis::StreamConsumer"],
    "MQ": toSource,
    "MSK": toSource,
    "S3": ["AWS::Lambda::Permission"],
    "SNS": [
      "AWS::Lambda::Permission", "AWS::SNS::Subscription", "AWS::SQS::Queue", "AWS::SQS::QueuePolicy",
    ] + toSource,
    "SQS": toSource,
    "Schedule": toRule,
    "ScheduleV2": ["AWS::Scheduler::Schedule", "AWS::IAM::Role", "AWS::SQS::Queue"],
    "SelfManagedKafka": toSource,
  ]
}
