// Terraform: instances, their volumes and what starts them. The form is explained in ShapeTable.

extension TerraformTypes {
  static let compute = """
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
      ipv6_address_count Ipv6AddressCount
      metadata_options one MetadataOptions
        http_tokens HttpTokens
        http_endpoint HttpEndpoint
        http_put_response_hop_limit HttpPutResponseHopLimit
    aws_ebs_volume = AWS::EC2::Volume
      availability_zone AvailabilityZone
      encrypted Encrypted
      kms_key_id KmsKeyId
      size Size
      type VolumeType
      iops Iops
      snapshot_id SnapshotId
      tags tags Tags
    aws_volume_attachment = AWS::EC2::VolumeAttachment
      volume_id VolumeId
      instance_id InstanceId
      device_name Device
    aws_key_pair = AWS::EC2::KeyPair
      key_name KeyName
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
      vpc_security_group_ids LaunchTemplateData.SecurityGroupIds
      network_interfaces many LaunchTemplateData.NetworkInterfaces
        associate_public_ip_address flag AssociatePublicIpAddress
        subnet_id SubnetId
        security_groups Groups
    aws_launch_configuration = AWS::AutoScaling::LaunchConfiguration
      image_id ImageId
      instance_type InstanceType
      associate_public_ip_address AssociatePublicIpAddress
      iam_instance_profile IamInstanceProfile
      security_groups SecurityGroups
      ebs_block_device many BlockDeviceMappings
        device_name DeviceName
        encrypted Ebs.Encrypted
        volume_size Ebs.VolumeSize
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
      launch_template one LaunchTemplate
        id LaunchTemplateId
        name LaunchTemplateName
        version Version
      launch_configuration LaunchConfigurationName
      tag many Tags
        key Key
        value Value
        propagate_at_launch PropagateAtLaunch
    aws_autoscaling_attachment = AWS::AutoScaling::Attachment
      autoscaling_group_name AutoScalingGroupName
      lb_target_group_arn TargetGroupARN
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
      principal_org_id PrincipalOrgID
    aws_lambda_function_url = AWS::Lambda::Url
      function_name TargetFunctionArn
      authorization_type AuthType
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
    aws_sagemaker_notebook_instance = AWS::SageMaker::NotebookInstance
      name NotebookInstanceName
      instance_type InstanceType
      kms_key_id KmsKeyId
      direct_internet_access DirectInternetAccess
      root_access RootAccess
      subnet_id SubnetId
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
