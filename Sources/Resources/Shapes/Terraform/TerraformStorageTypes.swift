// Terraform: buckets, databases, queues and streams. The form is explained in ShapeTable.

extension TerraformTypes {
  static let storage = """
    aws_s3_bucket = AWS::S3::Bucket
      bucket BucketName
      acl pascal AccessControl
      grant many AccessControlPolicy.Grants
        uri Grantee.URI
        permissions Permissions
      tags tags Tags
      versioning one VersioningConfiguration
        enabled onoff(Enabled,Suspended) Status
      logging one LoggingConfiguration
        target_bucket DestinationBucketName
        target_prefix LogFilePrefix
      server_side_encryption_configuration one BucketEncryption
        rule many ServerSideEncryptionConfiguration
          bucket_key_enabled BucketKeyEnabled
          apply_server_side_encryption_by_default one ServerSideEncryptionByDefault
            sse_algorithm SSEAlgorithm
            kms_master_key_id KMSMasterKeyID
      object_lock_enabled ObjectLockEnabled
      website one WebsiteConfiguration
        index_document IndexDocument
        error_document ErrorDocument
    aws_s3_bucket#policy = AWS::S3::BucketPolicy by bucket
      owner Bucket
      value json PolicyDocument
    aws_s3_bucket_public_access_block = AWS::S3::Bucket by bucket
      block_public_acls PublicAccessBlockConfiguration.BlockPublicAcls
      block_public_policy PublicAccessBlockConfiguration.BlockPublicPolicy
      ignore_public_acls PublicAccessBlockConfiguration.IgnorePublicAcls
      restrict_public_buckets PublicAccessBlockConfiguration.RestrictPublicBuckets
    aws_s3_bucket_versioning = AWS::S3::Bucket by bucket
      versioning_configuration one VersioningConfiguration
        status Status
    aws_s3_bucket_server_side_encryption_configuration = AWS::S3::Bucket by bucket
      rule many BucketEncryption.ServerSideEncryptionConfiguration
        bucket_key_enabled BucketKeyEnabled
        apply_server_side_encryption_by_default one ServerSideEncryptionByDefault
          sse_algorithm SSEAlgorithm
          kms_master_key_id KMSMasterKeyID
    aws_s3_bucket_logging = AWS::S3::Bucket by bucket
      target_bucket LoggingConfiguration.DestinationBucketName
      target_prefix LoggingConfiguration.LogFilePrefix
    aws_s3_bucket_acl = AWS::S3::Bucket by bucket
      acl pascal AccessControl
      access_control_policy one AccessControlPolicy
        grant many Grants
          permission Permission
          grantee one Grantee
            uri URI
            id ID
            type Type
    aws_s3_bucket_ownership_controls = AWS::S3::Bucket by bucket
      rule many OwnershipControls.Rules
        object_ownership ObjectOwnership
    aws_s3_bucket_object_lock_configuration = AWS::S3::Bucket by bucket
      object_lock_enabled ObjectLockConfiguration.ObjectLockEnabled
      rule one ObjectLockConfiguration.Rule
        default_retention one DefaultRetention
          mode Mode
          days Days
          years Years
    aws_s3_bucket_policy = AWS::S3::BucketPolicy
      bucket Bucket
      policy json PolicyDocument
    aws_db_instance = AWS::RDS::DBInstance
      identifier DBInstanceIdentifier
      allocated_storage text AllocatedStorage
      engine Engine
      engine_version EngineVersion
      instance_class DBInstanceClass
      db_name DBName
      username MasterUsername
      password MasterUserPassword
      manage_master_user_password ManageMasterUserPassword
      port text Port
      publicly_accessible PubliclyAccessible
      storage_encrypted StorageEncrypted
      storage_type StorageType
      kms_key_id KmsKeyId
      multi_az MultiAZ
      backup_retention_period BackupRetentionPeriod
      copy_tags_to_snapshot CopyTagsToSnapshot
      deletion_protection DeletionProtection
      auto_minor_version_upgrade AutoMinorVersionUpgrade
      iam_database_authentication_enabled EnableIAMDatabaseAuthentication
      enabled_cloudwatch_logs_exports EnableCloudwatchLogsExports
      monitoring_interval MonitoringInterval
      monitoring_role_arn MonitoringRoleArn
      performance_insights_enabled EnablePerformanceInsights
      db_subnet_group_name DBSubnetGroupName
      vpc_security_group_ids VPCSecurityGroups
      snapshot_identifier DBSnapshotIdentifier
      replicate_source_db SourceDBInstanceIdentifier
      tags tags Tags
    aws_rds_cluster = AWS::RDS::DBCluster
      replication_source_identifier SourceDBClusterIdentifier
      cluster_identifier DBClusterIdentifier
      engine Engine
      engine_version EngineVersion
      engine_mode EngineMode
      master_username MasterUsername
      master_password MasterUserPassword
      manage_master_user_password ManageMasterUserPassword
      port Port
      storage_encrypted StorageEncrypted
      kms_key_id KmsKeyId
      backup_retention_period BackupRetentionPeriod
      copy_tags_to_snapshot CopyTagsToSnapshot
      deletion_protection DeletionProtection
      iam_database_authentication_enabled EnableIAMDatabaseAuthentication
      enabled_cloudwatch_logs_exports EnableCloudwatchLogsExports
      snapshot_identifier SnapshotIdentifier
      vpc_security_group_ids VpcSecurityGroupIds
      tags tags Tags
    aws_rds_cluster_instance = AWS::RDS::DBInstance
      identifier DBInstanceIdentifier
      cluster_identifier DBClusterIdentifier
      engine Engine
      instance_class DBInstanceClass
      publicly_accessible PubliclyAccessible
      auto_minor_version_upgrade AutoMinorVersionUpgrade
      monitoring_interval MonitoringInterval
      performance_insights_enabled EnablePerformanceInsights
      db_subnet_group_name DBSubnetGroupName
      tags tags Tags
    aws_db_subnet_group = AWS::RDS::DBSubnetGroup
      name DBSubnetGroupName
      subnet_ids SubnetIds
      tags tags Tags
    aws_dynamodb_table = AWS::DynamoDB::Table
      name TableName
      billing_mode BillingMode
      deletion_protection_enabled DeletionProtectionEnabled
      point_in_time_recovery one PointInTimeRecoverySpecification
        enabled PointInTimeRecoveryEnabled
      server_side_encryption one SSESpecification
        enabled SSEEnabled
        kms_key_arn KMSMasterKeyId
      read_capacity ProvisionedThroughput.ReadCapacityUnits
      write_capacity ProvisionedThroughput.WriteCapacityUnits
      tags tags Tags
    aws_efs_file_system = AWS::EFS::FileSystem
      encrypted Encrypted
      kms_key_id KmsKeyId
      performance_mode PerformanceMode
      throughput_mode ThroughputMode
      tags tags FileSystemTags
    aws_elasticache_replication_group = AWS::ElastiCache::ReplicationGroup
      replication_group_id ReplicationGroupId
      description ReplicationGroupDescription
      at_rest_encryption_enabled AtRestEncryptionEnabled
      transit_encryption_enabled TransitEncryptionEnabled
      automatic_failover_enabled AutomaticFailoverEnabled
      auth_token AuthToken
      kms_key_id KmsKeyId
      snapshot_retention_limit SnapshotRetentionLimit
      tags tags Tags
    aws_redshift_cluster = AWS::Redshift::Cluster
      cluster_identifier ClusterIdentifier
      cluster_type ClusterType
      node_type NodeType
      database_name DBName
      master_username MasterUsername
      master_password MasterUserPassword
      encrypted Encrypted
      kms_key_id KmsKeyId
      publicly_accessible PubliclyAccessible
      allow_version_upgrade AllowVersionUpgrade
      automated_snapshot_retention_period AutomatedSnapshotRetentionPeriod
      enhanced_vpc_routing EnhancedVpcRouting
      logging one LoggingProperties
        bucket_name BucketName
        s3_key_prefix S3KeyPrefix
      tags tags Tags
    aws_opensearch_domain = AWS::OpenSearchService::Domain
      domain_name DomainName
      engine_version EngineVersion
      access_policies json AccessPolicies
      encrypt_at_rest one EncryptionAtRestOptions
        enabled Enabled
        kms_key_id KmsKeyId
      node_to_node_encryption one NodeToNodeEncryptionOptions
        enabled Enabled
      domain_endpoint_options one DomainEndpointOptions
        enforce_https EnforceHTTPS
        tls_security_policy TLSSecurityPolicy
      vpc_options one VPCOptions
        subnet_ids SubnetIds
        security_group_ids SecurityGroupIds
      tags tags Tags
    aws_elasticsearch_domain = AWS::Elasticsearch::Domain
      domain_name DomainName
      elasticsearch_version ElasticsearchVersion
      access_policies json AccessPolicies
      encrypt_at_rest one EncryptionAtRestOptions
        enabled Enabled
        kms_key_id KmsKeyId
      node_to_node_encryption one NodeToNodeEncryptionOptions
        enabled Enabled
      domain_endpoint_options one DomainEndpointOptions
        enforce_https EnforceHTTPS
        tls_security_policy TLSSecurityPolicy
      vpc_options one VPCOptions
        subnet_ids SubnetIds
        security_group_ids SecurityGroupIds
    aws_dms_replication_instance = AWS::DMS::ReplicationInstance
      replication_instance_id ReplicationInstanceIdentifier
      replication_instance_class ReplicationInstanceClass
      publicly_accessible PubliclyAccessible
      kms_key_arn KmsKeyId
      multi_az MultiAZ
    aws_sns_topic = AWS::SNS::Topic
      name TopicName
      display_name DisplayName
      kms_master_key_id KmsMasterKeyId
      tags tags Tags
    aws_sns_topic#policy = AWS::SNS::TopicPolicy by arn
      owner list Topics
      value json PolicyDocument
    aws_sns_topic_policy = AWS::SNS::TopicPolicy
      arn list Topics
      policy json PolicyDocument
    aws_sqs_queue = AWS::SQS::Queue
      name QueueName
      kms_master_key_id KmsMasterKeyId
      sqs_managed_sse_enabled SqsManagedSseEnabled
      fifo_queue FifoQueue
      redrive_policy json RedrivePolicy
      tags tags Tags
    aws_sqs_queue#policy = AWS::SQS::QueuePolicy by url
      owner list Queues
      value json PolicyDocument
    aws_sqs_queue_policy = AWS::SQS::QueuePolicy
      queue_url list Queues
      policy json PolicyDocument
    aws_kinesis_stream = AWS::Kinesis::Stream
      name Name
      shard_count ShardCount
      retention_period RetentionPeriodHours
      encryption_type StreamEncryption.EncryptionType
      kms_key_id StreamEncryption.KeyId
      tags tags Tags
    """
}
