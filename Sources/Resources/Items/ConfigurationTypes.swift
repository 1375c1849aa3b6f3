// AWS Config's items in CloudFormation's shape: `configuration` and `supplementaryConfiguration` side by side, the item's
// tags as `itemTags`. The form is explained in ShapeTable.

enum ConfigurationTypes {
  static let text = """
    AWS::S3::Bucket = AWS::S3::Bucket
      name BucketName
      BucketVersioningConfiguration one VersioningConfiguration
        status Status
      BucketLoggingConfiguration one LoggingConfiguration
        destinationBucketName DestinationBucketName
        logFilePrefix LogFilePrefix
      PublicAccessBlockConfiguration one PublicAccessBlockConfiguration
        blockPublicAcls BlockPublicAcls
        blockPublicPolicy BlockPublicPolicy
        ignorePublicAcls IgnorePublicAcls
        restrictPublicBuckets RestrictPublicBuckets
      ServerSideEncryptionConfiguration one BucketEncryption
        rules many ServerSideEncryptionConfiguration
          bucketKeyEnabled BucketKeyEnabled
          applyServerSideEncryptionByDefault one ServerSideEncryptionByDefault
            sseAlgorithm SSEAlgorithm
            kmsMasterKeyID KMSMasterKeyID
      itemTags tags Tags
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
      imageId ImageId
      instanceType InstanceType
      keyName KeyName
      subnetId SubnetId
      ebsOptimized EbsOptimized
      sourceDestCheck SourceDestCheck
      placement one Placement
        availabilityZone AvailabilityZone
        tenancy Tenancy
      metadataOptions one MetadataOptions
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
      vpcConfig one VpcConfig
        subnetIds SubnetIds
        securityGroupIds SecurityGroupIds
      tracingConfig one TracingConfig
        mode Mode
      deadLetterConfig one DeadLetterConfig
        targetArn TargetArn
      itemTags tags Tags
    AWS::RDS::DBInstance = AWS::RDS::DBInstance
      dBInstanceIdentifier DBInstanceIdentifier
      dBInstanceClass DBInstanceClass
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
      Policy json KeyPolicy
    """
}
