// What is called in an account. The form is explained in AccountCalls. Sources: the API references of the services.

enum AccountCallTable {
  static let text = """
    service ec2 ec2 2016-11-15
      list EC2.SecurityGroup DescribeSecurityGroups MaxResults=1000
        from securityGroupInfo
        page NextToken nextToken
        arn arn:{partition}:ec2:{region}:{account}:security-group/{groupId}
      list EC2.Instance DescribeInstances MaxResults=1000
        from reservationSet.instancesSet
        page NextToken nextToken
        arn arn:{partition}:ec2:{region}:{account}:instance/{instanceId}
        skip instanceState.name terminated,shutting-down
      list EC2.Volume DescribeVolumes MaxResults=500
        from volumeSet
        page NextToken nextToken
        arn arn:{partition}:ec2:{region}:{account}:volume/{volumeId}
      list EC2.VPC DescribeVpcs MaxResults=1000
        from vpcSet
        page NextToken nextToken
        arn arn:{partition}:ec2:{region}:{account}:vpc/{vpcId}
      list EC2.Subnet DescribeSubnets MaxResults=1000
        from subnetSet
        page NextToken nextToken
        arn arn:{partition}:ec2:{region}:{account}:subnet/{subnetId}
      list EC2.FlowLog DescribeFlowLogs MaxResults=1000
        from flowLogSet
        page NextToken nextToken
        arn arn:{partition}:ec2:{region}:{account}:vpc-flow-log/{flowLogId}
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
    service autoscaling query 2011-01-01
      list AutoScaling.Group DescribeAutoScalingGroups MaxRecords=100
        from AutoScalingGroups
        page NextToken NextToken
        arn {AutoScalingGroupARN}
    service s3 rest-xml 2006-03-01 global
      list S3.Bucket GET /
        from Buckets.Bucket
        page continuation-token ContinuationToken
        arn arn:{partition}:s3:::{Name}
        region location
        and location GET /{Name}?location
        and encryption GET /{Name}?encryption
          absent ServerSideEncryptionConfigurationNotFoundError
        and publicAccess GET /{Name}?publicAccessBlock
          absent NoSuchPublicAccessBlockConfiguration
        and versioning GET /{Name}?versioning
        and logging GET /{Name}?logging
        and acl GET /{Name}?acl
        and ownership GET /{Name}?ownershipControls
          absent OwnershipControlsNotFoundError
        and replication GET /{Name}?replication
          absent ReplicationConfigurationNotFoundError
        and tagging GET /{Name}?tagging
          absent NoSuchTagSet,NoSuchTagSetError
        list S3.BucketPolicy GET /{Name}?policy
          from .
          absent NoSuchBucketPolicy
          arn arn:{partition}:s3:::{Name}?policy
    service iam query 2010-05-08 global
      list IAM.User GetAccountAuthorizationDetails Filter.member.1=User MaxItems=1000
        from UserDetailList
        page Marker Marker
        arn {Arn}
        and login GetLoginProfile UserName={UserName}
          take LoginProfile
          absent NoSuchEntity
        and mfa ListMFADevices UserName={UserName}
          take MFADevices
        list IAM.AccessKey ListAccessKeys UserName={UserName}
          from AccessKeyMetadata
          page Marker Marker
          arn {Arn}#{AccessKeyId}
      list IAM.Group GetAccountAuthorizationDetails Filter.member.1=Group MaxItems=1000
        from GroupDetailList
        page Marker Marker
        arn {Arn}
      list IAM.Role GetAccountAuthorizationDetails Filter.member.1=Role MaxItems=1000
        from RoleDetailList
        page Marker Marker
        arn {Arn}
      list IAM.ManagedPolicy GetAccountAuthorizationDetails Filter.member.1=LocalManagedPolicy MaxItems=1000
        from Policies
        page Marker Marker
        arn {Arn}
        and attached ListEntitiesForPolicy PolicyArn={Arn} MaxItems=1000
      list IAM.PasswordPolicy GetAccountPasswordPolicy
        from PasswordPolicy
        absent NoSuchEntity
        arn arn:{partition}:iam::{account}:account-password-policy
      list IAM.AccountSummary GetAccountSummary
        from SummaryMap
        arn arn:{partition}:iam::{account}:root
    service lambda rest-json 2015-03-31
      list Lambda.Function GET /2015-03-31/functions?MaxItems=50
        from Functions
        page Marker NextMarker
        arn {FunctionArn}
        and tags GET /2017-03-31/tags/{FunctionArn}
          take Tags
        list Lambda.Permission GET /2015-03-31/functions/{FunctionName}/policy
          from Policy.Statement
          absent ResourceNotFoundException
          arn {FunctionArn}#{Sid}
        list Lambda.Url GET /2021-10-31/functions/{FunctionName}/url
          from .
          absent ResourceNotFoundException
          arn {FunctionArn}#url
    service cloudtrail json com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101 1.1
      list CloudTrail.Trail DescribeTrails includeShadowTrails=true
        from trailList
        arn {TrailARN}
        region HomeRegion
        and status GetTrailStatus Name={TrailARN}
        and selectors GetEventSelectors TrailName={TrailARN}
    service kms json TrentService 1.1
      list KMS.Key ListKeys Limit=1000
        from Keys
        page Marker NextMarker
        arn {KeyArn}
        and key DescribeKey KeyId={KeyId}
          take KeyMetadata
        and rotation GetKeyRotationStatus KeyId={KeyId}
          take KeyRotationEnabled
          absent UnsupportedOperationException
        and policy GetKeyPolicy KeyId={KeyId} PolicyName=default
          take Policy
    service rds query 2014-10-31
      list RDS.DBInstance DescribeDBInstances MaxRecords=100
        from DBInstances.DBInstance
        page Marker Marker
        arn {DBInstanceArn}
      list RDS.DBCluster DescribeDBClusters MaxRecords=100
        from DBClusters.DBCluster
        page Marker Marker
        arn {DBClusterArn}
    service config json StarlingDoveService 1.1
      list Config.ConfigurationRecorder DescribeConfigurationRecorders
        from ConfigurationRecorders
        arn arn:{partition}:config:{region}:{account}:configuration-recorder/{name}
        and status DescribeConfigurationRecorderStatus
          take ConfigurationRecordersStatus
    service guardduty rest-json 2017-11-28
      list GuardDuty.Detector GET /detector?maxResults=50
        from detectorIds
        page nextToken nextToken
        arn arn:{partition}:guardduty:{region}:{account}:detector/{it}
        and detector GET /detector/{it}
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
          take WebACL
          absent WAFInvalidParameterException,WAFNonexistentItemException
        list ELBv2.Listener DescribeListeners LoadBalancerArn={LoadBalancerArn}
          from Listeners
          page Marker NextMarker
          arn {ListenerArn}
      list ELBv2.TargetGroup DescribeTargetGroups PageSize=400
        from TargetGroups
        page Marker NextMarker
        arn {TargetGroupArn}
        and tags DescribeTags ResourceArns.member.1={TargetGroupArn}
          take TagDescriptions
    service acm json CertificateManager 1.1
      list ACM.Certificate ListCertificates MaxItems=1000
        from CertificateSummaryList
        page NextToken NextToken
        arn {CertificateArn}
        and certificate DescribeCertificate CertificateArn={CertificateArn}
          take Certificate
    service route53 rest-xml 2013-04-01 global
      list Route53.HostedZone GET /2013-04-01/hostedzone
        from HostedZones.HostedZone
        page marker NextMarker
        arn arn:{partition}:route53::{account}:{Id}
    service wafv2 json AWSWAF_20190729 1.1
      list WAFv2.WebACL ListWebACLs Scope=REGIONAL Limit=100
        from WebACLs
        page NextMarker NextMarker
        arn {ARN}
        and acl GetWebACL Scope=REGIONAL Name={Name} Id={Id}
          take WebACL
      list WAFv2.WebACL ListWebACLs Scope=CLOUDFRONT Limit=100
        from WebACLs
        only us-east-1
        page NextMarker NextMarker
        arn {ARN}
        and acl GetWebACL Scope=CLOUDFRONT Name={Name} Id={Id}
          take WebACL
    """
}
