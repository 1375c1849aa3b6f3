// Terraform's types (provider hashicorp/aws) in CloudFormation's shape; the form is explained in ShapeTable.

enum TerraformTypes {
  static let text = """
    aws_s3_bucket = AWS::S3::Bucket
      bucket BucketName
      acl AccessControl
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
      acl AccessControl
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
    aws_instance = AWS::EC2::Instance
      ami ImageId
      instance_type InstanceType
      availability_zone AvailabilityZone
      subnet_id SubnetId
      key_name KeyName
      ebs_optimized EbsOptimized
      monitoring Monitoring
      disable_api_termination DisableApiTermination
      iam_instance_profile IamInstanceProfile
      vpc_security_group_ids SecurityGroupIds
      user_data UserData
      private_ip PrivateIpAddress
      source_dest_check SourceDestCheck
      tenancy Tenancy
      associate_public_ip_address NetworkInterfaces.0.AssociatePublicIpAddress
      ebs_block_device many BlockDeviceMappings
        device_name DeviceName
        encrypted Ebs.Encrypted
        volume_size Ebs.VolumeSize
        volume_type Ebs.VolumeType
        kms_key_id Ebs.KmsKeyId
        delete_on_termination Ebs.DeleteOnTermination
      tags tags Tags
    aws_ebs_volume = AWS::EC2::Volume
      availability_zone AvailabilityZone
      encrypted Encrypted
      kms_key_id KmsKeyId
      size Size
      type VolumeType
      iops Iops
      snapshot_id SnapshotId
      tags tags Tags
    aws_vpc = AWS::EC2::VPC
      cidr_block CidrBlock
      enable_dns_hostnames EnableDnsHostnames
      enable_dns_support EnableDnsSupport
      instance_tenancy InstanceTenancy
      tags tags Tags
    aws_subnet = AWS::EC2::Subnet
      vpc_id VpcId
      cidr_block CidrBlock
      availability_zone AvailabilityZone
      map_public_ip_on_launch MapPublicIpOnLaunch
      tags tags Tags
    aws_flow_log = AWS::EC2::FlowLog
      traffic_type TrafficType
      log_destination LogDestination
      log_destination_type LogDestinationType
      vpc_id ResourceId
      tags tags Tags
    aws_eip = AWS::EC2::EIP
      instance InstanceId
      domain Domain
      tags tags Tags
    aws_launch_template = AWS::EC2::LaunchTemplate
      name LaunchTemplateName
      image_id LaunchTemplateData.ImageId
      instance_type LaunchTemplateData.InstanceType
      ebs_optimized text LaunchTemplateData.EbsOptimized
      metadata_options one LaunchTemplateData.MetadataOptions
        http_tokens HttpTokens
        http_endpoint HttpEndpoint
        http_put_response_hop_limit HttpPutResponseHopLimit
      block_device_mappings many LaunchTemplateData.BlockDeviceMappings
        device_name DeviceName
        ebs one Ebs
          encrypted Encrypted
          volume_size VolumeSize
          volume_type VolumeType
          kms_key_id KmsKeyId
    aws_autoscaling_group = AWS::AutoScaling::AutoScalingGroup
      name AutoScalingGroupName
      min_size text MinSize
      max_size text MaxSize
      desired_capacity text DesiredCapacity
      health_check_type HealthCheckType
      health_check_grace_period HealthCheckGracePeriod
      load_balancers LoadBalancerNames
      target_group_arns TargetGroupARNs
      vpc_zone_identifier VPCZoneIdentifier
      availability_zones AvailabilityZones
    aws_launch_configuration = AWS::AutoScaling::LaunchConfiguration
      image_id ImageId
      instance_type InstanceType
      associate_public_ip_address AssociatePublicIpAddress
      iam_instance_profile IamInstanceProfile
      security_groups SecurityGroups
    aws_elb = AWS::ElasticLoadBalancing::LoadBalancer
      name LoadBalancerName
      internal onoff(internal,internet-facing) Scheme
      cross_zone_load_balancing CrossZone
      security_groups SecurityGroups
      subnets Subnets
      listener many Listeners
        instance_port text InstancePort
        instance_protocol InstanceProtocol
        lb_port text LoadBalancerPort
        lb_protocol Protocol
        ssl_certificate_id SSLCertificateId
      access_logs one AccessLoggingPolicy
        bucket S3BucketName
        bucket_prefix S3BucketPrefix
        enabled Enabled
        interval EmitInterval
      connection_draining ConnectionDrainingPolicy.Enabled
      connection_draining_timeout ConnectionDrainingPolicy.Timeout
    aws_lb = AWS::ElasticLoadBalancingV2::LoadBalancer
      name Name
      internal onoff(internal,internet-facing) Scheme
      load_balancer_type Type
      security_groups SecurityGroups
      subnets Subnets
      ip_address_type IpAddressType
      tags tags Tags
    aws_alb = AWS::ElasticLoadBalancingV2::LoadBalancer
      name Name
      internal onoff(internal,internet-facing) Scheme
      load_balancer_type Type
      security_groups SecurityGroups
      subnets Subnets
      tags tags Tags
    aws_lb_listener = AWS::ElasticLoadBalancingV2::Listener
      load_balancer_arn LoadBalancerArn
      port Port
      protocol Protocol
      ssl_policy SslPolicy
      certificate_arn Certificates.0.CertificateArn
      default_action many DefaultActions
        type Type
        target_group_arn TargetGroupArn
        redirect one RedirectConfig
          protocol Protocol
          port Port
          status_code StatusCode
          host Host
    aws_lb_target_group = AWS::ElasticLoadBalancingV2::TargetGroup
      name Name
      port Port
      protocol Protocol
      protocol_version ProtocolVersion
      target_type TargetType
      vpc_id VpcId
      health_check one HealthCheck
        path HealthCheckPath
        protocol HealthCheckProtocol
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
    aws_lambda_function = AWS::Lambda::Function
      function_name FunctionName
      handler Handler
      runtime Runtime
      role Role
      timeout Timeout
      memory_size MemorySize
      kms_key_arn KmsKeyArn
      reserved_concurrent_executions ReservedConcurrentExecutions
      package_type PackageType
      dead_letter_config one DeadLetterConfig
        target_arn TargetArn
      vpc_config one VpcConfig
        subnet_ids SubnetIds
        security_group_ids SecurityGroupIds
      environment one Environment
        variables Variables
      tracing_config one TracingConfig
        mode Mode
      tags tags Tags
    aws_lambda_permission = AWS::Lambda::Permission
      action Action
      function_name FunctionName
      principal Principal
      source_arn SourceArn
      source_account SourceAccount
      function_url_auth_type FunctionUrlAuthType
    aws_lambda_function_url = AWS::Lambda::Url
      function_name TargetFunctionArn
      authorization_type AuthType
    aws_iam_role = AWS::IAM::Role
      name RoleName
      path Path
      assume_role_policy json AssumeRolePolicyDocument
      managed_policy_arns ManagedPolicyArns
      permissions_boundary PermissionsBoundary
      max_session_duration MaxSessionDuration
      inline_policy many Policies
        name PolicyName
        policy json PolicyDocument
      tags tags Tags
    aws_iam_policy = AWS::IAM::ManagedPolicy
      name ManagedPolicyName
      path Path
      description Description
      policy json PolicyDocument
    aws_iam_role_policy = AWS::IAM::Policy
      name PolicyName
      role list Roles
      policy json PolicyDocument
    aws_iam_user_policy = AWS::IAM::Policy
      name PolicyName
      user list Users
      policy json PolicyDocument
    aws_iam_group_policy = AWS::IAM::Policy
      name PolicyName
      group list Groups
      policy json PolicyDocument
    aws_iam_user = AWS::IAM::User
      name UserName
      path Path
      permissions_boundary PermissionsBoundary
      tags tags Tags
    aws_iam_group = AWS::IAM::Group
      name GroupName
      path Path
    aws_iam_access_key = AWS::IAM::AccessKey
      user UserName
      status Status
    aws_kms_key = AWS::KMS::Key
      description Description
      enable_key_rotation EnableKeyRotation
      deletion_window_in_days PendingWindowInDays
      is_enabled Enabled
      key_usage KeyUsage
      customer_master_key_spec KeySpec
      multi_region MultiRegion
      policy json KeyPolicy
      tags tags Tags
    aws_cloudtrail = AWS::CloudTrail::Trail
      name TrailName
      s3_bucket_name S3BucketName
      is_multi_region_trail IsMultiRegionTrail
      include_global_service_events IncludeGlobalServiceEvents
      enable_log_file_validation EnableLogFileValidation
      enable_logging IsLogging
      kms_key_id KMSKeyId
      cloud_watch_logs_group_arn CloudWatchLogsLogGroupArn
      cloud_watch_logs_role_arn CloudWatchLogsRoleArn
      sns_topic_name SnsTopicName
      event_selector many EventSelectors
        include_management_events IncludeManagementEvents
        read_write_type ReadWriteType
        data_resource many DataResources
          type Type
          values Values
    aws_cloudwatch_log_group = AWS::Logs::LogGroup
      name LogGroupName
      retention_in_days RetentionInDays
      kms_key_id KmsKeyId
      tags tags Tags
    aws_cloudwatch_metric_alarm = AWS::CloudWatch::Alarm
      alarm_name AlarmName
      actions_enabled ActionsEnabled
      alarm_actions AlarmActions
      insufficient_data_actions InsufficientDataActions
      ok_actions OKActions
    aws_sns_topic = AWS::SNS::Topic
      name TopicName
      display_name DisplayName
      kms_master_key_id KmsMasterKeyId
      tags tags Tags
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
    aws_sqs_queue_policy = AWS::SQS::QueuePolicy
      queue_url list Queues
      policy json PolicyDocument
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
    aws_ecr_repository = AWS::ECR::Repository
      name RepositoryName
      image_tag_mutability ImageTagMutability
      image_scanning_configuration one ImageScanningConfiguration
        scan_on_push ScanOnPush
      encryption_configuration one EncryptionConfiguration
        encryption_type EncryptionType
        kms_key KmsKey
      tags tags Tags
    aws_ecs_cluster = AWS::ECS::Cluster
      name ClusterName
      setting many ClusterSettings
        name Name
        value Value
      tags tags Tags
    aws_ecs_service = AWS::ECS::Service
      name ServiceName
      cluster Cluster
      launch_type LaunchType
      platform_version PlatformVersion
      task_definition TaskDefinition
      network_configuration one NetworkConfiguration.AwsvpcConfiguration
        assign_public_ip onoff(ENABLED,DISABLED) AssignPublicIp
        security_groups SecurityGroups
        subnets Subnets
    aws_eks_cluster = AWS::EKS::Cluster
      name Name
      role_arn RoleArn
      version Version
      encryption_config many EncryptionConfig
        resources Resources
      vpc_config one ResourcesVpcConfig
        endpoint_private_access EndpointPrivateAccess
        endpoint_public_access EndpointPublicAccess
        public_access_cidrs PublicAccessCidrs
        subnet_ids SubnetIds
        security_group_ids SecurityGroupIds
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
    aws_secretsmanager_secret = AWS::SecretsManager::Secret
      name Name
      description Description
      kms_key_id KmsKeyId
      tags tags Tags
    aws_secretsmanager_secret_rotation = AWS::SecretsManager::RotationSchedule
      secret_id SecretId
      rotation_lambda_arn RotationLambdaARN
      rotation_rules one RotationRules
        automatically_after_days AutomaticallyAfterDays
    aws_acm_certificate = AWS::CertificateManager::Certificate
      domain_name DomainName
      validation_method ValidationMethod
      subject_alternative_names SubjectAlternativeNames
      tags tags Tags
    aws_wafv2_web_acl = AWS::WAFv2::WebACL
      name Name
      scope Scope
      rule many Rules
        name Name
        priority Priority
      visibility_config one VisibilityConfig
        cloudwatch_metrics_enabled CloudWatchMetricsEnabled
        metric_name MetricName
        sampled_requests_enabled SampledRequestsEnabled
    aws_guardduty_detector = AWS::GuardDuty::Detector
      enable Enable
      finding_publishing_frequency FindingPublishingFrequency
    aws_config_configuration_recorder = AWS::Config::ConfigurationRecorder
      name Name
      role_arn RoleARN
      recording_group one RecordingGroup
        all_supported AllSupported
        include_global_resource_types IncludeGlobalResourceTypes
        resource_types ResourceTypes
    aws_route53_zone = AWS::Route53::HostedZone
      name Name
    aws_route53_record = AWS::Route53::RecordSet
      name Name
      type Type
      ttl text TTL
      records ResourceRecords
      zone_id HostedZoneId
    aws_kinesis_stream = AWS::Kinesis::Stream
      name Name
      shard_count ShardCount
      retention_period RetentionPeriodHours
      encryption_type StreamEncryption.EncryptionType
      kms_key_id StreamEncryption.KeyId
      tags tags Tags
    aws_api_gateway_stage = AWS::ApiGateway::Stage
      stage_name StageName
      rest_api_id RestApiId
      cache_cluster_enabled CacheClusterEnabled
      client_certificate_id ClientCertificateId
      xray_tracing_enabled TracingEnabled
      access_log_settings one AccessLogSetting
        destination_arn DestinationArn
        format Format
    aws_apigatewayv2_stage = AWS::ApiGatewayV2::Stage
      name StageName
      api_id ApiId
      access_log_settings one AccessLogSettings
        destination_arn DestinationArn
        format Format
    aws_cloudfront_distribution = AWS::CloudFront::Distribution
      enabled DistributionConfig.Enabled
      default_root_object DistributionConfig.DefaultRootObject
      http_version DistributionConfig.HttpVersion
      web_acl_id DistributionConfig.WebACLId
      logging_config one DistributionConfig.Logging
        bucket Bucket
        prefix Prefix
      viewer_certificate one DistributionConfig.ViewerCertificate
        acm_certificate_arn AcmCertificateArn
        minimum_protocol_version MinimumProtocolVersion
        ssl_support_method SslSupportMethod
        cloudfront_default_certificate CloudFrontDefaultCertificate
      default_cache_behavior one DistributionConfig.DefaultCacheBehavior
        viewer_protocol_policy ViewerProtocolPolicy
        target_origin_id TargetOriginId
      ordered_cache_behavior many DistributionConfig.CacheBehaviors
        viewer_protocol_policy ViewerProtocolPolicy
        path_pattern PathPattern
      origin many DistributionConfig.Origins
        domain_name DomainName
        origin_id Id
        custom_origin_config one CustomOriginConfig
          origin_protocol_policy OriginProtocolPolicy
          origin_ssl_protocols OriginSSLProtocols
    aws_sagemaker_notebook_instance = AWS::SageMaker::NotebookInstance
      name NotebookInstanceName
      instance_type InstanceType
      kms_key_id KmsKeyId
      direct_internet_access DirectInternetAccess
      root_access RootAccess
      subnet_id SubnetId
    aws_dms_replication_instance = AWS::DMS::ReplicationInstance
      replication_instance_id ReplicationInstanceIdentifier
      replication_instance_class ReplicationInstanceClass
      publicly_accessible PubliclyAccessible
      kms_key_arn KmsKeyId
      multi_az MultiAZ
    aws_codebuild_project = AWS::CodeBuild::Project
      name Name
      encryption_key EncryptionKey
      artifacts one Artifacts
        type Type
        encryption_disabled EncryptionDisabled
      environment one Environment
        type Type
        image Image
        compute_type ComputeType
        privileged_mode PrivilegedMode
        environment_variable many EnvironmentVariables
          name Name
          value Value
          type Type
      source one Source
        type Type
        location Location
    """
}
