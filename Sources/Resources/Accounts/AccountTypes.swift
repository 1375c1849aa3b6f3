// What a scan of an account found, in CloudFormation's shape. The form is explained in ShapeTable; names on the left are
// those of the services' answers, of the parts that AccountCallTable puts into an item, and of `parent`.
// Security groups have a shape of their own (AccountResources).

enum AccountTypes {
  static let text = """
    EC2.Instance = AWS::EC2::Instance
      instanceId InstanceId
      imageId ImageId
      instanceType InstanceType
      keyName KeyName
      subnetId SubnetId
      privateIpAddress PrivateIpAddress
      ebsOptimized flag EbsOptimized
      sourceDestCheck flag SourceDestCheck
      iamInstanceProfile.arn IamInstanceProfile
      groupSet pick(groupId) SecurityGroupIds
      monitored Monitoring
      placement.availabilityZone AvailabilityZone
      placement.tenancy Tenancy
      metadataOptions one MetadataOptions
        httpTokens HttpTokens
        httpEndpoint HttpEndpoint
        httpPutResponseHopLimit int HttpPutResponseHopLimit
      ipAddress NetworkInterfaces.0.PublicIp
      tagSet many Tags
        key Key
        value Value
    EC2.Volume = AWS::EC2::Volume
      size int Size
      snapshotId SnapshotId
      availabilityZone AvailabilityZone
      volumeType VolumeType
      iops int Iops
      throughput int Throughput
      encrypted flag Encrypted
      kmsKeyId KmsKeyId
      multiAttachEnabled flag MultiAttachEnabled
      tagSet many Tags
        key Key
        value Value
    EC2.VPC = AWS::EC2::VPC
      vpcId VpcId
      cidrBlock CidrBlock
      instanceTenancy InstanceTenancy
      isDefault flag IsDefault
      tagSet many Tags
        key Key
        value Value
    EC2.Subnet = AWS::EC2::Subnet
      subnetId SubnetId
      vpcId VpcId
      cidrBlock CidrBlock
      availabilityZone AvailabilityZone
      mapPublicIpOnLaunch flag MapPublicIpOnLaunch
      assignIpv6AddressOnCreation flag AssignIpv6AddressOnCreation
      tagSet many Tags
        key Key
        value Value
    EC2.FlowLog = AWS::EC2::FlowLog
      resourceId ResourceId
      trafficType TrafficType
      logDestinationType LogDestinationType
      logDestination LogDestination
      logGroupName LogGroupName
    EC2.EIP = AWS::EC2::EIP
      allocationId AllocationId
      associationId AssociationId
      publicIp PublicIp
      instanceId InstanceId
      networkInterfaceId NetworkInterfaceId
      domain Domain
      tagSet many Tags
        key Key
        value Value
    EC2.NatGateway = AWS::EC2::NatGateway
      natGatewayId NatGatewayId
      subnetId SubnetId
      connectivityType ConnectivityType
      natGatewayAddressSet pick(allocationId) AllocationIds
      tagSet many Tags
        key Key
        value Value
    EC2.InternetGateway = AWS::EC2::InternetGateway
      internetGatewayId InternetGatewayId
      attachmentSet pick(vpcId) VpcIds
      tagSet many Tags
        key Key
        value Value
    EC2.RouteTable = AWS::EC2::RouteTable
      routeTableId RouteTableId
      vpcId VpcId
      routeSet many Routes
        destinationCidrBlock DestinationCidrBlock
        destinationIpv6CidrBlock DestinationIpv6CidrBlock
        gatewayId GatewayId
        natGatewayId NatGatewayId
      associationSet many Associations
        subnetId SubnetId
        main flag Main
      tagSet many Tags
        key Key
        value Value
    EC2.NetworkInterface = AWS::EC2::NetworkInterface
      networkInterfaceId NetworkInterfaceId
      subnetId SubnetId
      description Description
      interfaceType InterfaceType
      privateIpAddress PrivateIpAddress
      association.publicIp PublicIp
      attachment.instanceId InstanceId
    AutoScaling.Group = AWS::AutoScaling::AutoScalingGroup
      AutoScalingGroupName AutoScalingGroupName
      MinSize text MinSize
      MaxSize text MaxSize
      DesiredCapacity text DesiredCapacity
      HealthCheckType HealthCheckType
      LaunchConfigurationName LaunchConfigurationName
      AvailabilityZones list AvailabilityZones
      subnets VPCZoneIdentifier
      TargetGroupARNs list TargetGroupARNs
      Tags many Tags
        Key Key
        Value Value
    S3.Bucket = AWS::S3::Bucket
      Name BucketName
      cannedACL AccessControl
      grants many AccessControlPolicy.Grants
        Grantee one Grantee
          ID ID
          DisplayName DisplayName
          EmailAddress EmailAddress
          URI URI
        Permission Permission
      encryption.Rule many BucketEncryption.ServerSideEncryptionConfiguration
        BucketKeyEnabled flag BucketKeyEnabled
        ApplyServerSideEncryptionByDefault one ServerSideEncryptionByDefault
          SSEAlgorithm SSEAlgorithm
          KMSMasterKeyID KMSMasterKeyID
      publicAccess one PublicAccessBlockConfiguration
        BlockPublicAcls flag BlockPublicAcls
        IgnorePublicAcls flag IgnorePublicAcls
        BlockPublicPolicy flag BlockPublicPolicy
        RestrictPublicBuckets flag RestrictPublicBuckets
      versioning one VersioningConfiguration
        Status Status
      logging.LoggingEnabled one LoggingConfiguration
        TargetBucket DestinationBucketName
        TargetPrefix LogFilePrefix
      replication one ReplicationConfiguration
        Role Role
        Rule many Rules
          ID Id
          Status Status
          Priority int Priority
          Destination one Destination
            Bucket Bucket
            StorageClass StorageClass
      ownership one OwnershipControls
        Rule many Rules
          ObjectOwnership ObjectOwnership
      tagging.TagSet.Tag many Tags
        Key Key
        Value Value
    S3.BucketPolicy = AWS::S3::BucketPolicy
      parent.Name Bucket
      answer json PolicyDocument
    IAM.User = AWS::IAM::User
      UserName UserName
      Path Path
      GroupList Groups
      AttachedManagedPolicies pick(PolicyArn) ManagedPolicyArns
      PermissionsBoundary.PermissionsBoundaryArn PermissionsBoundary
      UserPolicyList many Policies
        PolicyName PolicyName
        PolicyDocument json PolicyDocument
      login one LoginProfile
        PasswordResetRequired flag PasswordResetRequired
      mfa pick(SerialNumber) MFADevices
      Tags many Tags
        Key Key
        Value Value
    IAM.AccessKey = AWS::IAM::AccessKey
      UserName UserName
      AccessKeyId Id
      Status Status
      CreateDate CreateDate
      ageDays AgeDays
    IAM.Group = AWS::IAM::Group
      GroupName GroupName
      Path Path
      AttachedManagedPolicies pick(PolicyArn) ManagedPolicyArns
      GroupPolicyList many Policies
        PolicyName PolicyName
        PolicyDocument json PolicyDocument
    IAM.Role = AWS::IAM::Role
      RoleName RoleName
      Path Path
      AssumeRolePolicyDocument json AssumeRolePolicyDocument
      AttachedManagedPolicies pick(PolicyArn) ManagedPolicyArns
      PermissionsBoundary.PermissionsBoundaryArn PermissionsBoundary
      RolePolicyList many Policies
        PolicyName PolicyName
        PolicyDocument json PolicyDocument
      Tags many Tags
        Key Key
        Value Value
    IAM.ManagedPolicy = AWS::IAM::ManagedPolicy
      PolicyName ManagedPolicyName
      Path Path
      Description Description
      defaultDocument json PolicyDocument
      attached.PolicyUsers pick(UserName) Users
      attached.PolicyGroups pick(GroupName) Groups
      attached.PolicyRoles pick(RoleName) Roles
    IAM.PasswordPolicy = AWS::IAM::AccountPasswordPolicy
      MinimumPasswordLength int MinimumPasswordLength
      RequireSymbols flag RequireSymbols
      RequireNumbers flag RequireNumbers
      RequireUppercaseCharacters flag RequireUppercaseCharacters
      RequireLowercaseCharacters flag RequireLowercaseCharacters
      AllowUsersToChangePassword flag AllowUsersToChangePassword
      MaxPasswordAge int MaxPasswordAge
      PasswordReusePrevention int PasswordReusePrevention
      HardExpiry flag HardExpiry
    IAM.AccountSummary = AWS::IAM::AccountSummary
      AccountMFAEnabled int AccountMFAEnabled
      AccountAccessKeysPresent int AccountAccessKeysPresent
      AccountSigningCertificatesPresent int AccountSigningCertificatesPresent
      Users int Users
      MFADevicesInUse int MFADevicesInUse
    Lambda.Function = AWS::Lambda::Function
      FunctionName FunctionName
      Runtime Runtime
      Role Role
      Handler Handler
      Timeout Timeout
      MemorySize MemorySize
      KMSKeyArn KmsKeyArn
      PackageType PackageType
      Architectures Architectures
      Environment one Environment
        Variables Variables
      Layers pick(Arn) Layers
      VpcConfig one VpcConfig
        SubnetIds SubnetIds
        SecurityGroupIds SecurityGroupIds
      TracingConfig one TracingConfig
        Mode Mode
      DeadLetterConfig one DeadLetterConfig
        TargetArn TargetArn
      tags tags Tags
    Lambda.Permission = AWS::Lambda::Permission
      parent.FunctionArn FunctionName
      parent.AliasArn FunctionName
      Action Action
      Principal Principal
      Principal.Service Principal
      Principal.AWS Principal
      Condition.ArnLike.AWS:SourceArn SourceArn
      Condition.StringEquals.AWS:SourceAccount SourceAccount
      Condition.StringEquals.aws:PrincipalOrgID PrincipalOrgID
      Condition.StringEquals.lambda:FunctionUrlAuthType FunctionUrlAuthType
    Lambda.Url = AWS::Lambda::Url
      parent.FunctionArn TargetFunctionArn
      parent.parent.FunctionArn TargetFunctionArn
      parent.Name Qualifier
      answer.AuthType AuthType
      answer.InvokeMode InvokeMode
      answer.Cors Cors
    Lambda.Alias = AWS::Lambda::Alias
      Name Name
      Description Description
      FunctionVersion FunctionVersion
      parent.FunctionArn FunctionName
    Lambda.Version = AWS::Lambda::Version
      Version Version
      Description Description
      parent.FunctionArn FunctionName
    CloudTrail.Trail = AWS::CloudTrail::Trail
      HomeRegion HomeRegion
      Name TrailName
      S3BucketName S3BucketName
      S3KeyPrefix S3KeyPrefix
      IncludeGlobalServiceEvents IncludeGlobalServiceEvents
      IsMultiRegionTrail IsMultiRegionTrail
      IsOrganizationTrail IsOrganizationTrail
      LogFileValidationEnabled EnableLogFileValidation
      KmsKeyId KMSKeyId
      CloudWatchLogsLogGroupArn CloudWatchLogsLogGroupArn
      CloudWatchLogsRoleArn CloudWatchLogsRoleArn
      status.IsLogging IsLogging
      selectors.EventSelectors EventSelectors
      selectors.AdvancedEventSelectors AdvancedEventSelectors
    KMS.Key = AWS::KMS::Key
      key.Description Description
      key.Enabled Enabled
      key.KeyUsage KeyUsage
      key.KeySpec KeySpec
      key.MultiRegion MultiRegion
      key.KeyManager KeyManager
      key.KeyState KeyState
      key.Origin Origin
      rotation EnableKeyRotation
      policy json KeyPolicy
    RDS.DBInstance = AWS::RDS::DBInstance
      DBInstanceIdentifier DBInstanceIdentifier
      DBInstanceClass DBInstanceClass
      DBClusterIdentifier DBClusterIdentifier
      ReadReplicaSourceDBInstanceIdentifier SourceDBInstanceIdentifier
      Engine Engine
      EngineVersion EngineVersion
      DBName DBName
      MasterUsername MasterUsername
      isManaged ManageMasterUserPassword
      AllocatedStorage text AllocatedStorage
      BackupRetentionPeriod int BackupRetentionPeriod
      MultiAZ flag MultiAZ
      AutoMinorVersionUpgrade flag AutoMinorVersionUpgrade
      PubliclyAccessible flag PubliclyAccessible
      StorageType StorageType
      StorageEncrypted flag StorageEncrypted
      KmsKeyId KmsKeyId
      CopyTagsToSnapshot flag CopyTagsToSnapshot
      MonitoringInterval int MonitoringInterval
      MonitoringRoleArn MonitoringRoleArn
      DeletionProtection flag DeletionProtection
      IAMDatabaseAuthenticationEnabled flag EnableIAMDatabaseAuthentication
      PerformanceInsightsEnabled flag EnablePerformanceInsights
      EnabledCloudwatchLogsExports EnableCloudwatchLogsExports
      DBSubnetGroup.DBSubnetGroupName DBSubnetGroupName
      VpcSecurityGroups.VpcSecurityGroupMembership pick(VpcSecurityGroupId) VPCSecurityGroups
      TagList.Tag many Tags
        Key Key
        Value Value
    RDS.DBCluster = AWS::RDS::DBCluster
      ReplicationSourceIdentifier SourceDBClusterIdentifier
      DBClusterIdentifier DBClusterIdentifier
      Engine Engine
      EngineVersion EngineVersion
      EngineMode EngineMode
      MasterUsername MasterUsername
      isManaged ManageMasterUserPassword
      Port int Port
      StorageEncrypted flag StorageEncrypted
      KmsKeyId KmsKeyId
      BackupRetentionPeriod int BackupRetentionPeriod
      CopyTagsToSnapshot flag CopyTagsToSnapshot
      DeletionProtection flag DeletionProtection
      IAMDatabaseAuthenticationEnabled flag EnableIAMDatabaseAuthentication
      EnabledCloudwatchLogsExports EnableCloudwatchLogsExports
      VpcSecurityGroups.VpcSecurityGroupMembership pick(VpcSecurityGroupId) VpcSecurityGroupIds
      TagList.Tag many Tags
        Key Key
        Value Value
    Config.ConfigurationRecorder = AWS::Config::ConfigurationRecorder
      name Name
      roleARN RoleARN
      recordingGroup one RecordingGroup
        allSupported AllSupported
        includeGlobalResourceTypes IncludeGlobalResourceTypes
        resourceTypes ResourceTypes
      recording Recording
    GuardDuty.Detector = AWS::GuardDuty::Detector
      enabled Enable
      detector.findingPublishingFrequency FindingPublishingFrequency
    ELBv2.LoadBalancer = AWS::ElasticLoadBalancingV2::LoadBalancer
      LoadBalancerName Name
      Scheme Scheme
      Type Type
      IpAddressType IpAddressType
      SecurityGroups SecurityGroups
      AvailabilityZones pick(SubnetId) Subnets
      AvailabilityZones pick(ZoneName) AvailabilityZones
      acl.ARN WebACLArn
      tagList many Tags
        Key Key
        Value Value
      attributes many LoadBalancerAttributes
        Key Key
        Value Value
    ELBv2.Listener = AWS::ElasticLoadBalancingV2::Listener
      LoadBalancerArn LoadBalancerArn
      Port int Port
      Protocol Protocol
      SslPolicy SslPolicy
      Certificates many Certificates
        CertificateArn CertificateArn
      DefaultActions many DefaultActions
        Type Type
        TargetGroupArn TargetGroupArn
        RedirectConfig one RedirectConfig
          Protocol Protocol
          Port Port
          StatusCode StatusCode
          Host Host
    ELBv2.ListenerRule = AWS::ElasticLoadBalancingV2::ListenerRule
      parent.ListenerArn ListenerArn
      Priority text Priority
      Actions many Actions
        Type Type
        TargetGroupArn TargetGroupArn
    ELBv2.TargetGroup = AWS::ElasticLoadBalancingV2::TargetGroup
      TargetGroupName Name
      Port int Port
      Protocol Protocol
      ProtocolVersion ProtocolVersion
      TargetType TargetType
      VpcId VpcId
      HealthCheckPath HealthCheckPath
      HealthCheckProtocol HealthCheckProtocol
      HealthCheckEnabled flag HealthCheckEnabled
      tagList many Tags
        Key Key
        Value Value
    ACM.Certificate = AWS::CertificateManager::Certificate
      certificate.DomainName DomainName
      certificate.SubjectAlternativeNames SubjectAlternativeNames
      certificate.KeyAlgorithm KeyAlgorithm
      certificate.Status Status
      certificate.NotAfter NotAfter
      certificate.InUseBy InUseBy
      validation ValidationMethod
      daysLeft DaysLeft
      certificate.RenewalEligibility RenewalEligibility
      certificate.Options.CertificateTransparencyLoggingPreference CertificateTransparencyLoggingPreference
    Route53.HostedZone = AWS::Route53::HostedZone
      Name Name
      Config one HostedZoneConfig
        Comment Comment
        PrivateZone flag PrivateZone
    WAFv2.WebACL = AWS::WAFv2::WebACL
      Name Name
      acl.DefaultAction DefaultAction
      acl.Rules Rules
      acl.VisibilityConfig VisibilityConfig
      acl.Description Description
    """
}
