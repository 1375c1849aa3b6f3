// Terraform: who may do what, and what watches: identities, keys, trails, recorders. The form is explained in ShapeTable.

extension TerraformTypes {
  static let governing = """
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
      arn PolicyArn
      path Path
      description Description
      policy json PolicyDocument
      users Users
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
      inline_policies Policies
      managed_policies ManagedPolicyArns
      name UserName
      path Path
      permissions_boundary PermissionsBoundary
      tags tags Tags
    aws_iam_group = AWS::IAM::Group
      inline_policies Policies
      managed_policies ManagedPolicyArns
      name GroupName
      path Path
    aws_iam_access_key = AWS::IAM::AccessKey
      user UserName
      status Status
      age_days AgeDays
    aws_kms_key = AWS::KMS::Key
      key_manager KeyManager
      key_state KeyState
      key_origin Origin
      description Description
      enable_key_rotation EnableKeyRotation
      deletion_window_in_days PendingWindowInDays
      is_enabled Enabled
      key_usage KeyUsage
      customer_master_key_spec KeySpec
      multi_region MultiRegion
      policy json KeyPolicy
      tags tags Tags
    aws_kms_key_policy = AWS::KMS::Key by key_id
      policy json KeyPolicy
    aws_cloudtrail = AWS::CloudTrail::Trail
      its_home_region HomeRegion
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
      advanced_event_selector many AdvancedEventSelectors
        name Name
        field_selector many FieldSelectors
          field Field
          equals Equals
          not_equals NotEquals
          starts_with StartsWith
          not_starts_with NotStartsWith
          ends_with EndsWith
          not_ends_with NotEndsWith
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
    aws_secretsmanager_secret = AWS::SecretsManager::Secret
      name Name
      description Description
      kms_key_id KmsKeyId
      tags tags Tags
    aws_secretsmanager_secret#policy = AWS::SecretsManager::ResourcePolicy by arn
      owner SecretId
      value json ResourcePolicy
    aws_secretsmanager_secret_policy = AWS::SecretsManager::ResourcePolicy
      secret_arn SecretId
      policy json ResourcePolicy
    aws_secretsmanager_secret_rotation = AWS::SecretsManager::RotationSchedule
      secret_id SecretId
      rotation_lambda_arn RotationLambdaARN
      rotation_rules one RotationRules
        automatically_after_days AutomaticallyAfterDays
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
      is_recording Recording
    aws_iam_account_password_policy = AWS::IAM::AccountPasswordPolicy
      minimum_password_length MinimumPasswordLength
      require_symbols RequireSymbols
      require_numbers RequireNumbers
      require_uppercase_characters RequireUppercaseCharacters
      require_lowercase_characters RequireLowercaseCharacters
      allow_users_to_change_password AllowUsersToChangePassword
      max_password_age MaxPasswordAge
      password_reuse_prevention PasswordReusePrevention
      hard_expiry HardExpiry
    aws_iam_user_login_profile = AWS::IAM::User by user
      + LoginProfile {}
      password_reset_required LoginProfile.PasswordResetRequired
    aws_iam_user_policy_attachment = AWS::IAM::PolicyAttachment
      policy_arn PolicyArn
      user list Users
    aws_iam_group_policy_attachment = AWS::IAM::PolicyAttachment
      policy_arn PolicyArn
      group list Groups
    aws_iam_role_policy_attachment = AWS::IAM::PolicyAttachment
      policy_arn PolicyArn
      role list Roles
    aws_iam_policy_attachment = AWS::IAM::PolicyAttachment
      policy_arn PolicyArn
      users Users
      groups Groups
      roles Roles
    aws_iam_instance_profile = AWS::IAM::InstanceProfile
      name InstanceProfileName
      role list Roles
    aws_iam_group_membership = AWS::IAM::UserToGroupAddition
      group GroupName
      users Users
    aws_kms_alias = AWS::KMS::Alias
      name AliasName
      target_key_id TargetKeyId
    aws_config_configuration_recorder_status = AWS::Config::ConfigurationRecorder by name
      is_enabled Recording
    aws_config_delivery_channel = AWS::Config::DeliveryChannel
      name Name
      s3_bucket_name S3BucketName
      sns_topic_arn SnsTopicARN
    aws_config_config_rule = AWS::Config::ConfigRule
      name ConfigRuleName
      source one Source
        owner Owner
        source_identifier SourceIdentifier
    """
}
