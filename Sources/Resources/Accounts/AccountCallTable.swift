// What is called in an account. The form is explained in AccountCalls. Sources: the API references of the services.

enum AccountCallTable {
  /// Without them ListCertificates tells RSA of 1024 and 2048 bits only.
  private static let keyTypes =
    "RSA_1024,RSA_2048,RSA_3072,RSA_4096,EC_prime256v1,EC_secp384r1,EC_secp521r1"
  static let text = """
    service ec2 ec2 2016-11-15
      list EC2.SecurityGroup DescribeSecurityGroups MaxResults=1000
        from securityGroupInfo
        page NextToken nextToken
        arn arn:{partition}:ec2:{region}:{account}:security-group/{groupId}
        one DescribeSecurityGroups GroupId.1={id}
          gone InvalidGroup.NotFound,InvalidGroupId.Malformed,InvalidGroupId.NotFound
      list EC2.Instance DescribeInstances MaxResults=1000
        from reservationSet.instancesSet
        page NextToken nextToken
        arn arn:{partition}:ec2:{region}:{account}:instance/{instanceId}
        skip instanceState.name terminated,shutting-down
        one DescribeInstances InstanceId.1={id}
          gone InvalidInstanceID.NotFound,InvalidInstanceID.Malformed
      list EC2.Volume DescribeVolumes MaxResults=500
        from volumeSet
        page NextToken nextToken
        arn arn:{partition}:ec2:{region}:{account}:volume/{volumeId}
        one DescribeVolumes VolumeId.1={id}
          gone InvalidVolume.NotFound
      list EC2.VPC DescribeVpcs MaxResults=1000
        from vpcSet
        page NextToken nextToken
        arn arn:{partition}:ec2:{region}:{account}:vpc/{vpcId}
        own ownerId
        one DescribeVpcs VpcId.1={id}
          gone InvalidVpcID.NotFound
      list EC2.Subnet DescribeSubnets MaxResults=1000
        from subnetSet
        page NextToken nextToken
        arn arn:{partition}:ec2:{region}:{account}:subnet/{subnetId}
        own ownerId
        one DescribeSubnets SubnetId.1={id}
          gone InvalidSubnetID.NotFound
      list EC2.FlowLog DescribeFlowLogs MaxResults=1000
        from flowLogSet
        page NextToken nextToken
        arn arn:{partition}:ec2:{region}:{account}:vpc-flow-log/{flowLogId}
        one DescribeFlowLogs FlowLogId.1={id}
          gone InvalidFlowLogId.NotFound
      list EC2.EIP DescribeAddresses
        from addressesSet
        arn arn:{partition}:ec2:{region}:{account}:elastic-ip/{allocationId}
      list EC2.NatGateway DescribeNatGateways MaxResults=1000
        from natGatewaySet
        page NextToken nextToken
        arn arn:{partition}:ec2:{region}:{account}:natgateway/{natGatewayId}
        skip state deleted,deleting,failed
      list EC2.InternetGateway DescribeInternetGateways MaxResults=1000
        from internetGatewaySet
        page NextToken nextToken
        arn arn:{partition}:ec2:{region}:{account}:internet-gateway/{internetGatewayId}
      list EC2.RouteTable DescribeRouteTables MaxResults=100
        from routeTableSet
        page NextToken nextToken
        arn arn:{partition}:ec2:{region}:{account}:route-table/{routeTableId}
      list EC2.NetworkInterface DescribeNetworkInterfaces MaxResults=1000
        from networkInterfaceSet
        page NextToken nextToken
        arn arn:{partition}:ec2:{region}:{account}:network-interface/{networkInterfaceId}
        own ownerId
    service autoscaling query 2011-01-01
      list AutoScaling.Group DescribeAutoScalingGroups MaxRecords=100
        from AutoScalingGroups
        page NextToken NextToken
        arn {AutoScalingGroupARN}
    service s3 rest-xml 2006-03-01 global
      list S3.Bucket ListBuckets GET /?max-buckets=1000
        from Buckets.Bucket
        root ListAllMyBucketsResult
        page continuation-token ContinuationToken
        arn arn:{partition}:s3:::{Name}
        key {Name}
        region location
        and location GetBucketLocation GET /{Name}?location
          root LocationConstraint
        and encryption GetBucketEncryption GET /{Name}?encryption
          root ServerSideEncryptionConfiguration
          needs Rule
          absent ServerSideEncryptionConfigurationNotFoundError
        and publicAccess GetPublicAccessBlock GET /{Name}?publicAccessBlock
          root PublicAccessBlockConfiguration
          absent NoSuchPublicAccessBlockConfiguration
        and versioning GetBucketVersioning GET /{Name}?versioning
          root VersioningConfiguration
        and logging GetBucketLogging GET /{Name}?logging
          root BucketLoggingStatus
        and acl GetBucketAcl GET /{Name}?acl
          root AccessControlPolicy
          needs Owner,AccessControlList
        and ownership GetBucketOwnershipControls GET /{Name}?ownershipControls
          root OwnershipControls
          needs Rule
          absent OwnershipControlsNotFoundError
        and replication GetBucketReplication GET /{Name}?replication
          root ReplicationConfiguration
          needs Rule
          absent ReplicationConfigurationNotFoundError
        and tagging GetBucketTagging GET /{Name}?tagging
          root Tagging
          needs TagSet
          absent NoSuchTagSet,NoSuchTagSetError
        one -
          set Name {id}
          gone NoSuchBucket
        list S3.BucketPolicy GetBucketPolicy GET /{Name}?policy
          from .
          needs Statement
          root json
          absent NoSuchBucketPolicy
          arn arn:{partition}:s3:::{Name}?policy
    service iam query 2010-05-08 global
      list IAM.User GetAccountAuthorizationDetails Filter.member.1=User MaxItems=1000
        from UserDetailList
        page Marker Marker
        arn {Arn}
        and login GetLoginProfile UserName={UserName}
          take LoginProfile alone
          absent NoSuchEntity
        and mfa ListMFADevices UserName={UserName}
          take MFADevices
          page Marker Marker
        key {UserName}
        one GetUser UserName={id}
          from User alone
          gone NoSuchEntity
          with GroupList ListGroupsForUser UserName={id} MaxItems=1000
            take Groups.GroupName
            page Marker Marker
          with AttachedManagedPolicies ListAttachedUserPolicies UserName={id} MaxItems=1000
            take AttachedPolicies
            page Marker Marker
          with UserPolicyList ListUserPolicies UserName={id} MaxItems=1000
            take PolicyNames
            page Marker Marker
            each GetUserPolicy UserName={id} PolicyName={it}
            needs PolicyDocument
        list IAM.AccessKey ListAccessKeys UserName={UserName}
          from AccessKeyMetadata
          page Marker Marker
          arn {Arn}#{AccessKeyId}
      list IAM.Group GetAccountAuthorizationDetails Filter.member.1=Group MaxItems=1000
        from GroupDetailList
        page Marker Marker
        arn {Arn}
        key {GroupName}
        one GetGroup GroupName={id} MaxItems=1
          from Group alone
          gone NoSuchEntity
          with AttachedManagedPolicies ListAttachedGroupPolicies GroupName={id} MaxItems=1000
            take AttachedPolicies
            page Marker Marker
          with GroupPolicyList ListGroupPolicies GroupName={id} MaxItems=1000
            take PolicyNames
            page Marker Marker
            each GetGroupPolicy GroupName={id} PolicyName={it}
            needs PolicyDocument
      list IAM.Role GetAccountAuthorizationDetails Filter.member.1=Role MaxItems=1000
        from RoleDetailList
        page Marker Marker
        arn {Arn}
        key {RoleName}
        one GetRole RoleName={id}
          from Role alone
          gone NoSuchEntity
          with AttachedManagedPolicies ListAttachedRolePolicies RoleName={id} MaxItems=1000
            take AttachedPolicies
            page Marker Marker
          with RolePolicyList ListRolePolicies RoleName={id} MaxItems=1000
            take PolicyNames
            page Marker Marker
            each GetRolePolicy RoleName={id} PolicyName={it}
            needs PolicyDocument
      list IAM.ManagedPolicy GetAccountAuthorizationDetails Filter.member.1=LocalManagedPolicy MaxItems=1000
        from Policies
        page Marker Marker
        arn {Arn}
        and attached ListEntitiesForPolicy PolicyArn={Arn} PolicyUsageFilter=PermissionsPolicy MaxItems=1000
          needs PolicyGroups,PolicyUsers,PolicyRoles
          page Marker Marker
        key {Arn}
        one GetPolicy PolicyArn={id}
          from Policy alone
          gone NoSuchEntity
          with PolicyVersionList GetPolicyVersion PolicyArn={id} VersionId={DefaultVersionId}
            take PolicyVersion alone
      list IAM.PasswordPolicy GetAccountPasswordPolicy
        from PasswordPolicy alone
        absent NoSuchEntity
        arn arn:{partition}:iam::{account}:account-password-policy
      list IAM.AccountSummary GetAccountSummary
        from SummaryMap alone
        arn arn:{partition}:iam::{account}:root
    service lambda rest-json 2015-03-31
      list Lambda.Function ListFunctions GET /2015-03-31/functions?MaxItems=50
        from Functions
        page Marker NextMarker
        arn {FunctionArn}
        and tags ListTags GET /2017-03-31/tags/{FunctionArn}
          take Tags
        key {FunctionName}
        one GetFunction GET /2015-03-31/functions/{id}
          from Configuration alone
          gone ResourceNotFoundException
        list Lambda.Permission GetPolicy GET /2015-03-31/functions/{FunctionName}/policy
          from Policy.Statement
          absent ResourceNotFoundException
          arn {FunctionArn}#{Sid}
        list Lambda.Url GetFunctionUrlConfig GET /2021-10-31/functions/{FunctionName}/url
          from .
          needs AuthType
          absent ResourceNotFoundException
          nowhere Unable to determine service/operation name to be authorized
          arn {FunctionArn}#url
        list Lambda.Alias ListAliases GET /2015-03-31/functions/{FunctionName}/aliases
          from Aliases
          page Marker NextMarker
          absent ResourceNotFoundException
          arn {AliasArn}
          list Lambda.Permission GetPolicy GET /2015-03-31/functions/{FunctionName}/policy?Qualifier={Name}
            from Policy.Statement
            absent ResourceNotFoundException
            arn {AliasArn}#{Sid}
          list Lambda.Url GetFunctionUrlConfig GET /2021-10-31/functions/{FunctionName}/url?Qualifier={Name}
            from .
            needs AuthType
            absent ResourceNotFoundException
            nowhere Unable to determine service/operation name to be authorized
            arn {AliasArn}#url
        list Lambda.Version ListVersionsByFunction GET /2015-03-31/functions/{FunctionName}/versions
          from Versions
          page Marker NextMarker
          skip Version $LATEST
          most 50
          absent ResourceNotFoundException
          arn {FunctionArn}
          list Lambda.Permission GetPolicy GET /2015-03-31/functions/{FunctionName}/policy?Qualifier={Version}
            from Policy.Statement
            absent ResourceNotFoundException
            arn {FunctionArn}#{Sid}
    service cloudtrail json com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101 1.1
      list CloudTrail.Trail DescribeTrails includeShadowTrails=true
        from trailList
        arn {TrailARN}
        key {TrailARN}
        region HomeRegion
        and status GetTrailStatus Name={TrailARN}
          needs IsLogging
          elsewhere TrailNotFoundException,CloudTrailARNInvalidException
        and selectors GetEventSelectors TrailName={TrailARN}
          needs TrailARN
          elsewhere TrailNotFoundException,CloudTrailARNInvalidException
    service kms json TrentService 1.1
      list KMS.Key ListKeys Limit=1000
        from Keys
        page Marker NextMarker
        arn {KeyArn}
        and key DescribeKey KeyId={KeyId}
          take KeyMetadata alone
        and rotation GetKeyRotationStatus KeyId={KeyId}
          take KeyRotationEnabled
          absent UnsupportedOperationException
        and policy GetKeyPolicy KeyId={KeyId} PolicyName=default
          take Policy json
        key {KeyId}
        one -
          set KeyId {id}
          set KeyArn arn:{partition}:kms:{region}:{account}:key/{id}
          gone NotFoundException
    service rds query 2014-10-31
      list RDS.DBInstance DescribeDBInstances MaxRecords=100
        from DBInstances.DBInstance
        page Marker Marker
        arn {DBInstanceArn}
        key {DBInstanceIdentifier}
        one DescribeDBInstances DBInstanceIdentifier={id}
          gone DBInstanceNotFound,DBInstanceNotFoundFault
      list RDS.DBCluster DescribeDBClusters MaxRecords=100
        from DBClusters.DBCluster
        page Marker Marker
        arn {DBClusterArn}
        key {DBClusterIdentifier}
        one DescribeDBClusters DBClusterIdentifier={id}
          gone DBClusterNotFoundFault
    service config json StarlingDoveService 1.1
      list Config.ConfigurationRecorder DescribeConfigurationRecorders
        from ConfigurationRecorders
        arn arn:{partition}:config:{region}:{account}:configuration-recorder/{name}
        key {name}
        and status DescribeConfigurationRecorderStatus
          take ConfigurationRecordersStatus
    service guardduty rest-json 2017-11-28
      list GuardDuty.Detector ListDetectors GET /detector?maxResults=50
        from detectorIds
        page nextToken nextToken
        arn arn:{partition}:guardduty:{region}:{account}:detector/{it}
        key {it}
        and detector GetDetector GET /detector/{it}
          needs status
    service elasticloadbalancing query 2015-12-01
      list ELBv2.LoadBalancer DescribeLoadBalancers PageSize=400
        from LoadBalancers
        page Marker NextMarker
        arn {LoadBalancerArn}
        and attributes DescribeLoadBalancerAttributes LoadBalancerArn={LoadBalancerArn}
          take Attributes
        and tags DescribeTags ResourceArns.member.1={LoadBalancerArn}
          take TagDescriptions
        and acl wafv2:GetWebACLForResource ResourceArn={LoadBalancerArn}
          take WebACL?
          absent WAFInvalidParameterException,WAFNonexistentItemException
        key {LoadBalancerArn}
        one DescribeLoadBalancers LoadBalancerArns.member.1={id}
          gone LoadBalancerNotFound
        list ELBv2.Listener DescribeListeners LoadBalancerArn={LoadBalancerArn}
          from Listeners
          page Marker NextMarker
          arn {ListenerArn}
          list ELBv2.ListenerRule DescribeRules ListenerArn={ListenerArn}
            from Rules
            page Marker NextMarker
            skip IsDefault true
            arn {RuleArn}
      list ELBv2.TargetGroup DescribeTargetGroups PageSize=400
        from TargetGroups
        page Marker NextMarker
        arn {TargetGroupArn}
        and tags DescribeTags ResourceArns.member.1={TargetGroupArn}
          take TagDescriptions
        key {TargetGroupArn}
        one DescribeTargetGroups TargetGroupArns.member.1={id}
          gone TargetGroupNotFound
    service acm json CertificateManager 1.1
      list ACM.Certificate ListCertificates MaxItems=1000 Includes.keyTypes=[\(keyTypes)]
        from CertificateSummaryList
        page NextToken NextToken
        arn {CertificateArn}
        and certificate DescribeCertificate CertificateArn={CertificateArn}
          take Certificate alone
        key {CertificateArn}
        one -
          set CertificateArn {id}
          gone ResourceNotFoundException
    service route53 rest-xml 2013-04-01 global
      list Route53.HostedZone ListHostedZones GET /2013-04-01/hostedzone
        from HostedZones.HostedZone
        root ListHostedZonesResponse
        page marker NextMarker
        arn arn:{partition}:route53:::{/Id}
        key {Id}
        one GetHostedZone GET /2013-04-01/hostedzone/{id}
          from HostedZone alone
          root GetHostedZoneResponse
          gone NoSuchHostedZone
    service wafv2 json AWSWAF_20190729 1.1
      list WAFv2.WebACL ListWebACLs Scope=REGIONAL Limit=100
        from WebACLs
        page NextMarker NextMarker empty
        arn {ARN}
        key {Id}
        and acl GetWebACL Scope=REGIONAL Name={Name} Id={Id}
          take WebACL alone
      list WAFv2.WebACL ListWebACLs Scope=CLOUDFRONT Limit=100
        from WebACLs
        only us-east-1
        page NextMarker NextMarker empty
        arn {ARN}
        key {Id}
        and acl GetWebACL Scope=CLOUDFRONT Name={Name} Id={Id}
          take WebACL alone
    """
}
