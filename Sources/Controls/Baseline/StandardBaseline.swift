// The baseline that is there without any file: the text of Baselines/standard.yaml (a test compares).

extension Baseline {
  /// As a document, to begin with.
  public static let standardText = #"""
    # What every account has. What isn't named here stays as it is.
    baseline: standard
    version: 1
    # home: eu-west-1                 # of trail, logs and what is recorded once; else the first region asked for
    logs:
      bucket: kabuto-logs-{account}-{region}
      encryption: AES256              # or aws:kms, with kms-key
      versioning: true
      only-tls: true
    trail:
      name: kabuto-trail
      validation: true
    config:
      name: default
      delivery: TwentyFour_Hours
      rules:
        - {name: kabuto-root-mfa, identifier: ROOT_ACCOUNT_MFA_ENABLED, only: home}
        - {name: kabuto-root-keys, identifier: IAM_ROOT_ACCESS_KEY_CHECK, only: home}
        - {name: kabuto-user-mfa, identifier: MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS, only: home}
        - {name: kabuto-old-keys, identifier: ACCESS_KEYS_ROTATED, parameters: {maxAccessKeyAge: 90}, only: home}
        - {name: kabuto-trail, identifier: MULTI_REGION_CLOUD_TRAIL_ENABLED, only: home}
        - {name: kabuto-bucket-read, identifier: S3_BUCKET_PUBLIC_READ_PROHIBITED}
        - {name: kabuto-bucket-write, identifier: S3_BUCKET_PUBLIC_WRITE_PROHIBITED}
        - {name: kabuto-open-ssh, identifier: INCOMING_SSH_DISABLED}
        - {name: kabuto-open-ports, identifier: RESTRICTED_INCOMING_TRAFFIC}
        - {name: kabuto-default-groups, identifier: VPC_DEFAULT_SECURITY_GROUP_CLOSED}
        - {name: kabuto-volumes, identifier: ENCRYPTED_VOLUMES}
        - {name: kabuto-databases, identifier: RDS_STORAGE_ENCRYPTED}
        - {name: kabuto-public-databases, identifier: RDS_INSTANCE_PUBLIC_ACCESS_CHECK}
        - {name: kabuto-public-functions, identifier: LAMBDA_FUNCTION_PUBLIC_ACCESS_PROHIBITED}
    guardduty:
      frequency: FIFTEEN_MINUTES
    access-analyzer:
      name: kabuto
    ebs-encryption: true
    account-public-access-block: true
    default-security-groups: closed
    password-policy:
      minimum-length: 14
      reuse-prevention: 24
      maximum-age-days: 365
      symbols: true
      numbers: true
      upper-case: true
      lower-case: true
      users-may-change: true
    # regions:
    #   used: [eu-west-1, us-east-1]  # of all others it is told what runs there
    hygiene:
      root-mfa: true
      no-root-access-keys: true
      user-mfa: true
      access-key-days: 90
    """# + "\n"
}
