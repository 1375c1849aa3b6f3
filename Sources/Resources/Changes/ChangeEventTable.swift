// Which call changes what: CloudTrail's eventName → types in the table of calls, and where the event has their names.
// Sources: the API references of the services, and "CloudTrail record contents".
//
//     service ec2
//       RevokeSecurityGroupIngress,DeleteSecurityGroup EC2.SecurityGroup=req.groupId
//       CreateFlowLogs EC2.FlowLog               all of the type, since the event doesn't say which
//       CreateKeyPair -                          nothing that rules see
//
// `req` is requestParameters, `res` responseElements, `who` userIdentity; of `a|b` the first that is there. Lists on the way
// are gone through. Where no name is found, all of the type is looked at again; a call that isn't here, of a service that
// is, makes the service's whole region looked at again. `EC2.*`: the type is told by what the name begins with;
// where that isn't known, the service's whole region is looked at again.

import GuardRules

enum ChangeEventTable {
  static let text = """
    service ec2
      AuthorizeSecurityGroupIngress,AuthorizeSecurityGroupEgress EC2.SecurityGroup=req.groupId
      RevokeSecurityGroupIngress,RevokeSecurityGroupEgress,DeleteSecurityGroup EC2.SecurityGroup=req.groupId
      UpdateSecurityGroupRuleDescriptionsIngress EC2.SecurityGroup=req.groupId
      UpdateSecurityGroupRuleDescriptionsEgress EC2.SecurityGroup=req.groupId
      ModifySecurityGroupRules EC2.SecurityGroup=req.ModifySecurityGroupRulesRequest.GroupId|req.groupId
      CreateSecurityGroup EC2.SecurityGroup=res.groupId
      RunInstances EC2.Instance=res.instancesSet.items.instanceId EC2.Volume EC2.NetworkInterface
      TerminateInstances EC2.Instance=req.instancesSet.items.instanceId EC2.Volume EC2.NetworkInterface
      StartInstances,StopInstances,RebootInstances EC2.Instance=req.instancesSet.items.instanceId
      MonitorInstances,UnmonitorInstances EC2.Instance=req.instancesSet.items.instanceId
      ModifyInstanceAttribute,ResetInstanceAttribute EC2.Instance=req.instanceId
      ModifyInstanceMetadataOptions EC2.Instance=req.ModifyInstanceMetadataOptionsRequest.InstanceId|req.instanceId
      ModifyInstancePlacement EC2.Instance=req.ModifyInstancePlacementRequest.InstanceId|req.instanceId
      AssociateIamInstanceProfile EC2.Instance=req.AssociateIamInstanceProfileRequest.InstanceId
      DisassociateIamInstanceProfile,ReplaceIamInstanceProfileAssociation EC2.Instance
      AssociateAddress EC2.Instance=req.instanceId EC2.EIP EC2.NetworkInterface
      AttachNetworkInterface EC2.Instance=req.instanceId EC2.NetworkInterface
      DisassociateAddress EC2.Instance EC2.EIP EC2.NetworkInterface
      DetachNetworkInterface,ModifyNetworkInterfaceAttribute EC2.Instance EC2.NetworkInterface
      CreateVolume EC2.Volume=res.volumeId
      DeleteVolume,AttachVolume,DetachVolume,ModifyVolumeAttribute,EnableVolumeIO EC2.Volume=req.volumeId
      ModifyVolume EC2.Volume=req.ModifyVolumeRequest.VolumeId|req.volumeId
      CreateVpc EC2.VPC=res.vpc.vpcId EC2.SecurityGroup EC2.RouteTable
      DeleteVpc EC2.VPC=req.vpcId EC2.SecurityGroup EC2.RouteTable
      ModifyVpcAttribute,AssociateVpcCidrBlock EC2.VPC=req.vpcId
      ModifyVpcTenancy EC2.VPC=req.ModifyVpcTenancyRequest.VpcId|req.vpcId
      CreateDefaultVpc EC2.VPC EC2.Subnet EC2.SecurityGroup EC2.RouteTable EC2.InternetGateway
      CreateSubnet,CreateDefaultSubnet EC2.Subnet=res.subnet.subnetId
      DeleteSubnet,ModifySubnetAttribute,AssociateSubnetCidrBlock EC2.Subnet=req.subnetId
      CreateFlowLogs,DeleteFlowLogs EC2.FlowLog
      CreateTags,DeleteTags EC2.*=req.resourcesSet.items.resourceId
      CreateNetworkInterface,DeleteNetworkInterface EC2.NetworkInterface
      CreateNetworkInterfacePermission -
      CreateSnapshot,CreateSnapshots,DeleteSnapshot,CopySnapshot,ModifySnapshotAttribute,ResetSnapshotAttribute -
      CreateImage,CopyImage,RegisterImage,DeregisterImage,ModifyImageAttribute -
      CreateKeyPair,DeleteKeyPair,ImportKeyPair -
      AllocateAddress,ReleaseAddress EC2.EIP
      CreateLaunchTemplate,CreateLaunchTemplateVersion,ModifyLaunchTemplate,DeleteLaunchTemplate -
      CreateFleet,DeleteFleets,CreatePlacementGroup,DeletePlacementGroup -
      CreateRoute,DeleteRoute,ReplaceRoute,CreateRouteTable,DeleteRouteTable EC2.RouteTable
      AssociateRouteTable,DisassociateRouteTable,ReplaceRouteTableAssociation EC2.RouteTable
      CreateInternetGateway,DeleteInternetGateway,AttachInternetGateway EC2.InternetGateway
      DetachInternetGateway EC2.InternetGateway
      CreateNatGateway,DeleteNatGateway EC2.NatGateway EC2.EIP EC2.NetworkInterface
      CreateVpcEndpoint,ModifyVpcEndpoint -
      DeleteVpcEndpoints,CreateNetworkAcl,CreateNetworkAclEntry,DeleteNetworkAcl,DeleteNetworkAclEntry -
      ReplaceNetworkAclEntry,ReplaceNetworkAclAssociation,CreateDhcpOptions,AssociateDhcpOptions -
    service autoscaling
      CreateAutoScalingGroup,UpdateAutoScalingGroup,DeleteAutoScalingGroup AutoScaling.Group
      SetDesiredCapacity,AttachInstances,DetachInstances AutoScaling.Group
      AttachLoadBalancerTargetGroups,DetachLoadBalancerTargetGroups AutoScaling.Group
      AttachTrafficSources,DetachTrafficSources,CreateOrUpdateTags,DeleteTags AutoScaling.Group
      EnterStandby,ExitStandby,SuspendProcesses,ResumeProcesses,SetInstanceProtection -
      TerminateInstanceInAutoScalingGroup,SetInstanceHealth,StartInstanceRefresh,CancelInstanceRefresh -
      PutScalingPolicy,DeletePolicy,ExecutePolicy,PutScheduledUpdateGroupAction,DeleteScheduledAction -
      PutLifecycleHook,DeleteLifecycleHook,CompleteLifecycleAction,RecordLifecycleActionHeartbeat -
      CreateLaunchConfiguration,DeleteLaunchConfiguration -
    service s3
      CreateBucket,DeleteBucket,PutBucketEncryption,DeleteBucketEncryption S3.Bucket=req.bucketName
      PutBucketPublicAccessBlock,DeleteBucketPublicAccessBlock,PutBucketVersioning S3.Bucket=req.bucketName
      PutBucketLogging,PutBucketAcl,PutBucketOwnershipControls S3.Bucket=req.bucketName
      DeleteBucketOwnershipControls,PutBucketReplication,DeleteBucketReplication S3.Bucket=req.bucketName
      PutBucketTagging,DeleteBucketTagging,PutBucketPolicy,DeleteBucketPolicy S3.Bucket=req.bucketName
      PutPublicAccessBlock,DeletePublicAccessBlock S3.Bucket=req.bucketName
      PutBucketCors,DeleteBucketCors,PutBucketLifecycle,DeleteBucketLifecycle,PutBucketNotification -
      PutBucketLifecycleConfiguration,PutBucketNotificationConfiguration,PutBucketWebsite,DeleteBucketWebsite -
      PutAccelerateConfiguration,PutBucketRequestPayment,PutBucketObjectLockConfiguration -
      PutAccountPublicAccessBlock,DeleteAccountPublicAccessBlock,PutInventoryConfiguration -
      PutMetricsConfiguration,PutAnalyticsConfiguration -
    service iam
      CreateUser,DeleteUser IAM.User=req.userName IAM.AccountSummary
      UpdateUser IAM.User=req.userName IAM.User=req.newUserName IAM.ManagedPolicy
      PutUserPolicy,DeleteUserPolicy,TagUser,UntagUser IAM.User=req.userName
      PutUserPermissionsBoundary,DeleteUserPermissionsBoundary IAM.User=req.userName
      CreateLoginProfile,UpdateLoginProfile,DeleteLoginProfile IAM.User=req.userName
      ChangePassword IAM.User=who.userName
      CreateAccessKey IAM.User=res.accessKey.userName|req.userName IAM.AccountSummary
      UpdateAccessKey,DeleteAccessKey IAM.User=req.userName|who.userName IAM.AccountSummary
      EnableMFADevice,DeactivateMFADevice IAM.User=req.userName IAM.AccountSummary
      CreateVirtualMFADevice,DeleteVirtualMFADevice,UploadSigningCertificate,DeleteSigningCertificate IAM.AccountSummary
      AddUserToGroup,RemoveUserFromGroup IAM.User=req.userName
      AttachUserPolicy,DetachUserPolicy IAM.User=req.userName IAM.ManagedPolicy=req.policyArn
      CreateGroup,DeleteGroup,PutGroupPolicy,DeleteGroupPolicy IAM.Group=req.groupName
      UpdateGroup IAM.Group=req.groupName IAM.Group=req.newGroupName IAM.User IAM.ManagedPolicy
      AttachGroupPolicy,DetachGroupPolicy IAM.Group=req.groupName IAM.ManagedPolicy=req.policyArn
      CreateRole,DeleteRole,UpdateRole,UpdateRoleDescription,UpdateAssumeRolePolicy IAM.Role=req.roleName
      PutRolePolicy,DeleteRolePolicy,TagRole,UntagRole IAM.Role=req.roleName
      PutRolePermissionsBoundary,DeleteRolePermissionsBoundary IAM.Role=req.roleName
      CreateServiceLinkedRole IAM.Role=res.role.roleName
      DeleteServiceLinkedRole IAM.Role=req.roleName
      AttachRolePolicy,DetachRolePolicy IAM.Role=req.roleName IAM.ManagedPolicy=req.policyArn
      CreatePolicy IAM.ManagedPolicy=res.policy.arn
      DeletePolicy,CreatePolicyVersion,DeletePolicyVersion,SetDefaultPolicyVersion IAM.ManagedPolicy=req.policyArn
      TagPolicy,UntagPolicy IAM.ManagedPolicy=req.policyArn
      UpdateAccountPasswordPolicy,DeleteAccountPasswordPolicy IAM.PasswordPolicy
      CreateInstanceProfile,DeleteInstanceProfile,AddRoleToInstanceProfile,RemoveRoleFromInstanceProfile -
      CreateAccountAlias,DeleteAccountAlias,CreateOpenIDConnectProvider,DeleteOpenIDConnectProvider -
      CreateSAMLProvider,UpdateSAMLProvider,DeleteSAMLProvider,UploadServerCertificate,DeleteServerCertificate -
      GenerateCredentialReport,GenerateServiceLastAccessedDetails,ResyncMFADevice -
    service lambda
      CreateFunction,DeleteFunction,UpdateFunctionConfiguration,UpdateFunctionCode Lambda.Function=req.functionName
      AddPermission,RemovePermission Lambda.Function=req.functionName
      CreateFunctionUrlConfig,UpdateFunctionUrlConfig,DeleteFunctionUrlConfig Lambda.Function=req.functionName
      TagResource,UntagResource Lambda.Function=req.resource
      PublishVersion,CreateAlias,UpdateAlias,DeleteAlias Lambda.Function=req.functionName
      PublishLayerVersion,DeleteLayerVersion -
      CreateEventSourceMapping,UpdateEventSourceMapping,DeleteEventSourceMapping,Invoke -
      PutFunctionConcurrency,DeleteFunctionConcurrency,PutFunctionEventInvokeConfig -
    service cloudtrail
      CreateTrail CloudTrail.Trail=res.trailARN|req.name
      UpdateTrail,DeleteTrail,StartLogging,StopLogging CloudTrail.Trail=req.name
      PutEventSelectors CloudTrail.Trail=req.trailName
      PutInsightSelectors,AddTags,RemoveTags,CreateEventDataStore,UpdateEventDataStore,DeleteEventDataStore -
    service kms
      CreateKey KMS.Key=res.keyMetadata.keyId
      ScheduleKeyDeletion,CancelKeyDeletion,EnableKey,DisableKey,DeleteKey KMS.Key=req.keyId
      EnableKeyRotation,DisableKeyRotation,PutKeyPolicy,UpdateKeyDescription KMS.Key=req.keyId
      ImportKeyMaterial,DeleteImportedKeyMaterial,UpdatePrimaryRegion KMS.Key=req.keyId
      CreateGrant,RetireGrant,RevokeGrant,CreateAlias,UpdateAlias,DeleteAlias,TagResource,UntagResource -
      Encrypt,Decrypt,ReEncrypt,GenerateDataKey,GenerateDataKeyWithoutPlaintext,Sign,Verify,GenerateMac,RotateKey -
    service rds
      CreateDBInstance,DeleteDBInstance,StartDBInstance,StopDBInstance RDS.DBInstance=req.dBInstanceIdentifier
      RebootDBInstance,CreateDBInstanceReadReplica,PromoteReadReplica RDS.DBInstance=req.dBInstanceIdentifier
      ModifyDBInstance RDS.DBInstance=req.dBInstanceIdentifier RDS.DBInstance=req.newDBInstanceIdentifier
      RestoreDBInstanceFromDBSnapshot,RestoreDBInstanceFromS3 RDS.DBInstance=req.dBInstanceIdentifier
      RestoreDBInstanceToPointInTime RDS.DBInstance=req.targetDBInstanceIdentifier
      CreateDBCluster,DeleteDBCluster,StartDBCluster,StopDBCluster RDS.DBCluster=req.dBClusterIdentifier
      ModifyDBCluster RDS.DBCluster=req.dBClusterIdentifier RDS.DBCluster=req.newDBClusterIdentifier
      RestoreDBClusterFromSnapshot,RestoreDBClusterToPointInTime RDS.DBCluster=req.dBClusterIdentifier
      FailoverDBCluster RDS.DBCluster=req.dBClusterIdentifier
      AddTagsToResource,RemoveTagsFromResource RDS.DBInstance RDS.DBCluster
      CreateDBSnapshot,DeleteDBSnapshot,CopyDBSnapshot,ModifyDBSnapshotAttribute,CreateDBClusterSnapshot -
      DeleteDBClusterSnapshot,CreateDBSubnetGroup,ModifyDBSubnetGroup,DeleteDBSubnetGroup -
      CreateDBParameterGroup,ModifyDBParameterGroup,DeleteDBParameterGroup,CreateOptionGroup -
    service config
      PutConfigurationRecorder,DeleteConfigurationRecorder Config.ConfigurationRecorder
      StartConfigurationRecorder,StopConfigurationRecorder Config.ConfigurationRecorder
      PutConfigRule Taken.ConfigRule=req.configRule.configRuleName
      DeleteConfigRule,StartConfigRulesEvaluation,DeleteEvaluationResults Taken.ConfigRule
      PutEvaluations,PutExternalEvaluation Taken.ConfigRule
      PutDeliveryChannel,DeleteDeliveryChannel,PutRetentionConfiguration,PutConfigurationAggregator -
      TagResource,UntagResource,DeliverConfigSnapshot,PutStoredQuery -
    service guardduty
      CreateDetector GuardDuty.Detector=res.detectorId Taken.GuardDuty
      UpdateDetector GuardDuty.Detector=req.detectorId
      DeleteDetector GuardDuty.Detector=req.detectorId Taken.GuardDuty
      ArchiveFindings,UnarchiveFindings,CreateSampleFindings Taken.GuardDuty
      CreateFilter,UpdateFilter,DeleteFilter Taken.GuardDuty
      StartMonitoringMembers,StopMonitoringMembers,DisassociateMembers,DeleteMembers GuardDuty.Detector
      UpdateMemberDetectors GuardDuty.Detector
      CreateIPSet,UpdateIPSet,DeleteIPSet,CreateThreatIntelSet,UpdateThreatIntelSet,TagResource,UntagResource -
    service elasticloadbalancing
      CreateLoadBalancer ELBv2.LoadBalancer=res.loadBalancers.loadBalancerArn
      DeleteLoadBalancer,ModifyLoadBalancerAttributes,SetSecurityGroups ELBv2.LoadBalancer=req.loadBalancerArn
      SetSubnets,SetIpAddressType,CreateListener ELBv2.LoadBalancer=req.loadBalancerArn
      ModifyListener,DeleteListener,AddListenerCertificates ELBv2.LoadBalancer=req.listenerArn
      RemoveListenerCertificates,ModifyListenerAttributes ELBv2.LoadBalancer=req.listenerArn
      CreateTargetGroup ELBv2.TargetGroup=res.targetGroups.targetGroupArn
      ModifyTargetGroup,ModifyTargetGroupAttributes,DeleteTargetGroup ELBv2.TargetGroup=req.targetGroupArn
      CreateRule ELBv2.LoadBalancer=req.listenerArn
      ModifyRule,DeleteRule ELBv2.LoadBalancer=req.ruleArn
      RegisterTargets,DeregisterTargets,SetRulePriorities -
      AddTags,RemoveTags ELBv2.LoadBalancer=req.resourceArns ELBv2.TargetGroup=req.resourceArns
    service acm
      RequestCertificate ACM.Certificate=res.certificateArn
      ImportCertificate ACM.Certificate=res.certificateArn|req.certificateArn
      DeleteCertificate,RenewCertificate,UpdateCertificateOptions ACM.Certificate=req.certificateArn
      AddTagsToCertificate,RemoveTagsFromCertificate,ExportCertificate,ResendValidationEmail -
    service route53
      CreateHostedZone Route53.HostedZone=res.hostedZone.id
      DeleteHostedZone,UpdateHostedZoneComment Route53.HostedZone=req.id
      ChangeResourceRecordSets,ChangeTagsForResource,CreateHealthCheck,UpdateHealthCheck,DeleteHealthCheck -
      AssociateVPCWithHostedZone,DisassociateVPCFromHostedZone -
    service wafv2
      CreateWebACL WAFv2.WebACL=res.summary.id
      UpdateWebACL,DeleteWebACL WAFv2.WebACL=req.id
      AssociateWebACL,DisassociateWebACL ELBv2.LoadBalancer=req.resourceArn
      CreateIPSet,UpdateIPSet,DeleteIPSet,CreateRegexPatternSet -
      UpdateRegexPatternSet,DeleteRegexPatternSet,CreateRuleGroup,UpdateRuleGroup,DeleteRuleGroup -
      PutLoggingConfiguration,DeleteLoggingConfiguration,TagResource,UntagResource -
    """

  /// What an event changes: a type, and paths of names, of which the first that is there counts; without paths all of it.
  struct Effect: Sendable {
    let type: String
    let paths: [[String]]
  }

  /// By service, by event.
  static let effects: Result<[String: [String: [Effect]]], DocumentFault> = Result {
    () throws(DocumentFault) in try read(text)
  }

  static func read(_ text: String) throws(DocumentFault) -> [String: [String: [Effect]]] {
    var out: [String: [String: [Effect]]] = [:]
    var service = ""
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let words = line.split(separator: " ").map(String.init)
      guard let first = words.first else { continue }
      func wrong(_ wanted: String) -> DocumentFault {
        DocumentFault(place: TextPlace(line: number + 1, column: 1), found: String(line), wanted: wanted)
      }
      guard words.count >= 2 else { throw wrong("service NAME, or events and what they change") }
      if first == "service" {
        service = words[1]
        guard out[service] == nil else { throw wrong("each service once") }
        out[service] = [:]
        continue
      }
      guard out[service] != nil else { throw wrong("service first") }
      var effects: [Effect] = []
      for word in words.dropFirst() where word != "-" {
        let sides = word.split(separator: "=", maxSplits: 1)
        let paths = sides.count < 2 ? [] : sides[1].split(separator: "|").map { path($0) }
        guard paths.allSatisfy({ $0.count > 1 && ["req", "res", "who"].contains($0[0]) }) else {
          throw wrong("TYPE=req.name, res.name or who.name")
        }
        effects.append(Effect(type: String(sides[0]), paths: paths))
      }
      for name in first.split(separator: ",").map(String.init) {
        guard out[service]?[name] == nil else { throw wrong("each event once; \(name) is here twice") }
        out[service]?[name] = effects
      }
    }
    return out
  }

  private static func path(_ text: Substring) -> [String] { text.split(separator: ".").map(String.init) }
}
