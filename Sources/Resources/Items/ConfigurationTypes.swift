// AWS Config's items in CloudFormation's shape: `configuration` and `supplementaryConfiguration` side by side, the item's
// tags as `itemTags`. The form is explained in ShapeTable.

enum ConfigurationTypes {
  static let text = """
    AWS::S3::Bucket = AWS::S3::Bucket
      name BucketName
      BucketVersioningConfiguration given VersioningConfiguration
        status Status
      BucketLoggingConfiguration given LoggingConfiguration
        destinationBucketName DestinationBucketName
        logFilePrefix LogFilePrefix
      PublicAccessBlockConfiguration given PublicAccessBlockConfiguration
        blockPublicAcls BlockPublicAcls
        blockPublicPolicy BlockPublicPolicy
        ignorePublicAcls IgnorePublicAcls
        restrictPublicBuckets RestrictPublicBuckets
      ServerSideEncryptionConfiguration given BucketEncryption
        rules many ServerSideEncryptionConfiguration
          bucketKeyEnabled BucketKeyEnabled
          applyServerSideEncryptionByDefault given ServerSideEncryptionByDefault
            sseAlgorithm SSEAlgorithm
            kmsMasterKeyID KMSMasterKeyID
      itemTags tags Tags
    AWS::S3::Bucket#BucketPolicy.policyText = AWS::S3::BucketPolicy by name
      owner Bucket
      value json PolicyDocument
    AWS::EC2::Volume = AWS::EC2::Volume
      size Size
      snapshotId SnapshotId
      availabilityZone AvailabilityZone
      volumeType VolumeType
      iops Iops
      encrypted Encrypted
      kmsKeyId KmsKeyId
      itemTags tags Tags
    AWS::EC2::Instance = AWS::EC2::Instance
      instanceId InstanceId
      imageId ImageId
      instanceType InstanceType
      keyName KeyName
      subnetId SubnetId
      ebsOptimized EbsOptimized
      sourceDestCheck SourceDestCheck
      placement given Placement
        availabilityZone AvailabilityZone
        tenancy Tenancy
      metadataOptions given MetadataOptions
        httpTokens HttpTokens
        httpEndpoint HttpEndpoint
        httpPutResponseHopLimit HttpPutResponseHopLimit
      publicIpAddress NetworkInterfaces.0.PublicIp
      itemTags tags Tags
    AWS::IAM::Role = AWS::IAM::Role
      path Path
      roleName RoleName
      assumeRolePolicyDocument json AssumeRolePolicyDocument
      rolePolicyList many Policies
        policyName PolicyName
        policyDocument json PolicyDocument
    AWS::IAM::User = AWS::IAM::User
      path Path
      userName UserName
      userPolicyList many Policies
        policyName PolicyName
        policyDocument json PolicyDocument
      groupList Groups
    AWS::IAM::Group = AWS::IAM::Group
      path Path
      groupName GroupName
      groupPolicyList many Policies
        policyName PolicyName
        policyDocument json PolicyDocument
    AWS::Lambda::Function = AWS::Lambda::Function
      functionName FunctionName
      runtime Runtime
      role Role
      handler Handler
      timeout Timeout
      memorySize MemorySize
      kMSKeyArn KmsKeyArn
      vpcConfig given VpcConfig
        subnetIds SubnetIds
        securityGroupIds SecurityGroupIds
      tracingConfig given TracingConfig
        mode Mode
      deadLetterConfig given DeadLetterConfig
        targetArn TargetArn
      itemTags tags Tags
    AWS::Lambda::Function#Policy.Statement = AWS::Lambda::Permission by functionArn
      owner FunctionName
      value.Action Action
      value.Principal Principal
      value.Principal.Service Principal
      value.Principal.AWS Principal
      value.Condition.ArnLike.AWS:SourceArn SourceArn
      value.Condition.ArnLike.aws:SourceArn SourceArn
      value.Condition.ArnEquals.aws:SourceArn SourceArn
      value.Condition.StringEquals.AWS:SourceAccount SourceAccount
      value.Condition.StringEquals.aws:SourceAccount SourceAccount
      value.Condition.StringEquals.aws:PrincipalOrgID PrincipalOrgID
      value.Condition.StringEquals.lambda:FunctionUrlAuthType FunctionUrlAuthType
    AWS::RDS::DBInstance = AWS::RDS::DBInstance
      dBInstanceIdentifier DBInstanceIdentifier
      dBInstanceClass DBInstanceClass
      dBClusterIdentifier DBClusterIdentifier
      readReplicaSourceDBInstanceIdentifier SourceDBInstanceIdentifier
      engine Engine
      engineVersion EngineVersion
      masterUsername MasterUsername
      allocatedStorage text AllocatedStorage
      backupRetentionPeriod BackupRetentionPeriod
      multiAZ MultiAZ
      autoMinorVersionUpgrade AutoMinorVersionUpgrade
      publiclyAccessible PubliclyAccessible
      storageType StorageType
      storageEncrypted StorageEncrypted
      kmsKeyId KmsKeyId
      copyTagsToSnapshot CopyTagsToSnapshot
      monitoringInterval MonitoringInterval
      monitoringRoleArn MonitoringRoleArn
      deletionProtection DeletionProtection
      iAMDatabaseAuthenticationEnabled EnableIAMDatabaseAuthentication
      enabledCloudwatchLogsExports EnableCloudwatchLogsExports
      itemTags tags Tags
    AWS::CloudTrail::Trail = AWS::CloudTrail::Trail
      homeRegion HomeRegion
      name TrailName
      s3BucketName S3BucketName
      s3KeyPrefix S3KeyPrefix
      includeGlobalServiceEvents IncludeGlobalServiceEvents
      isMultiRegionTrail IsMultiRegionTrail
      logFileValidationEnabled EnableLogFileValidation
      kmsKeyId KMSKeyId
      cloudWatchLogsLogGroupArn CloudWatchLogsLogGroupArn
      cloudWatchLogsRoleArn CloudWatchLogsRoleArn
    AWS::KMS::Key = AWS::KMS::Key
      description Description
      enabled Enabled
      keyUsage KeyUsage
      keySpec KeySpec
      multiRegion MultiRegion
      keyRotationStatus EnableKeyRotation
      keyManager KeyManager
      keyState KeyState
      origin Origin
      Policy json KeyPolicy
    AWS::EC2::VPC = AWS::EC2::VPC
      vpcId VpcId
      cidrBlock CidrBlock
      instanceTenancy InstanceTenancy
      isDefault IsDefault
      itemTags tags Tags
    AWS::EC2::Subnet = AWS::EC2::Subnet
      subnetId SubnetId
      vpcId VpcId
      cidrBlock CidrBlock
      availabilityZone AvailabilityZone
      mapPublicIpOnLaunch MapPublicIpOnLaunch
      assignIpv6AddressOnCreation AssignIpv6AddressOnCreation
      itemTags tags Tags
    AWS::EC2::EIP = AWS::EC2::EIP
      allocationId AllocationId
      associationId AssociationId
      publicIp PublicIp
      instanceId InstanceId
      networkInterfaceId NetworkInterfaceId
      domain Domain
      itemTags tags Tags
    AWS::EC2::NatGateway = AWS::EC2::NatGateway
      natGatewayId NatGatewayId
      subnetId SubnetId
      connectivityType ConnectivityType
      natGatewayAddresses pick(allocationId) AllocationIds
      itemTags tags Tags
    AWS::EC2::InternetGateway = AWS::EC2::InternetGateway
      internetGatewayId InternetGatewayId
      attachments pick(vpcId) VpcIds
      itemTags tags Tags
    AWS::EC2::RouteTable = AWS::EC2::RouteTable
      routeTableId RouteTableId
      vpcId VpcId
      routes many Routes
        destinationCidrBlock DestinationCidrBlock
        destinationIpv6CidrBlock DestinationIpv6CidrBlock
        gatewayId GatewayId
        natGatewayId NatGatewayId
      associations many Associations
        subnetId SubnetId
        main Main
      itemTags tags Tags
    AWS::EC2::NetworkInterface = AWS::EC2::NetworkInterface
      networkInterfaceId NetworkInterfaceId
      subnetId SubnetId
      description Description
      interfaceType InterfaceType
      privateIpAddress PrivateIpAddress
      association.publicIp PublicIp
      attachment.instanceId InstanceId
    AWS::AutoScaling::AutoScalingGroup = AWS::AutoScaling::AutoScalingGroup
      autoScalingGroupName AutoScalingGroupName
      minSize text MinSize
      maxSize text MaxSize
      desiredCapacity text DesiredCapacity
      availabilityZones AvailabilityZones
      healthCheckType HealthCheckType
      launchConfigurationName LaunchConfigurationName
      targetGroupARNs TargetGroupARNs
    AWS::ElasticLoadBalancingV2::LoadBalancer = AWS::ElasticLoadBalancingV2::LoadBalancer
      loadBalancerName Name
      scheme Scheme
      type Type
      ipAddressType IpAddressType
      securityGroups SecurityGroups
      availabilityZones pick(subnetId) Subnets
      availabilityZones pick(zoneName) AvailabilityZones
      subnetMappings SubnetMappings
      LoadBalancerAttributes many LoadBalancerAttributes
        key Key
        value Value
      itemTags tags Tags
    AWS::ElasticLoadBalancingV2::Listener = AWS::ElasticLoadBalancingV2::Listener
      loadBalancerArn LoadBalancerArn
      port Port
      protocol Protocol
      sslPolicy SslPolicy
      certificates many Certificates
        certificateArn CertificateArn
      defaultActions many DefaultActions
        type Type
        targetGroupArn TargetGroupArn
        redirectConfig given RedirectConfig
          protocol Protocol
          port Port
          statusCode StatusCode
          host Host
    AWS::RDS::DBCluster = AWS::RDS::DBCluster
      replicationSourceIdentifier SourceDBClusterIdentifier
      dBClusterIdentifier DBClusterIdentifier
      engine Engine
      engineVersion EngineVersion
      engineMode EngineMode
      masterUsername MasterUsername
      port Port
      storageEncrypted StorageEncrypted
      kmsKeyId KmsKeyId
      backupRetentionPeriod BackupRetentionPeriod
      copyTagsToSnapshot CopyTagsToSnapshot
      deletionProtection DeletionProtection
      iAMDatabaseAuthenticationEnabled EnableIAMDatabaseAuthentication
      enabledCloudwatchLogsExports EnableCloudwatchLogsExports
      itemTags tags Tags
    AWS::ACM::Certificate = AWS::CertificateManager::Certificate
      domainName DomainName
      subjectAlternativeNames SubjectAlternativeNames
      keyAlgorithm KeyAlgorithm
      status Status
      notAfter NotAfter
      renewalEligibility RenewalEligibility
      inUseBy InUseBy
      itemTags tags Tags
    AWS::IAM::Policy = AWS::IAM::ManagedPolicy
      policyName ManagedPolicyName
      path Path
      description Description
    AWS::WAFv2::WebACL = AWS::WAFv2::WebACL
      name Name
      description Description
      defaultAction DefaultAction
      rules Rules
      visibilityConfig VisibilityConfig
    """
}
