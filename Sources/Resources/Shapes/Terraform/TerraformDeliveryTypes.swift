// Terraform: what stands before services: balancers, distributions, interfaces, names, certificates, web ACLs. The form is explained in ShapeTable.

extension TerraformTypes {
  static let delivery = """
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
      subnet_mapping many SubnetMappings
        subnet_id SubnetId
        allocation_id AllocationId
        private_ipv4_address PrivateIPv4Address
    aws_alb = aws_lb
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
    aws_alb_listener = aws_lb_listener
    aws_lb_listener_rule = AWS::ElasticLoadBalancingV2::ListenerRule
      listener_arn ListenerArn
      priority Priority
      action many Actions
        type Type
        target_group_arn TargetGroupArn
    aws_alb_listener_rule = aws_lb_listener_rule
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
      tags tags Tags
    aws_alb_target_group = aws_lb_target_group
    aws_lb_target_group_attachment = AWS::ElasticLoadBalancingV2::TargetGroupAttachment
      target_group_arn TargetGroupArn
      target_id TargetId
      port Port
    aws_alb_target_group_attachment = aws_lb_target_group_attachment
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
    aws_wafv2_web_acl_association = AWS::ElasticLoadBalancingV2::LoadBalancer by resource_arn
      web_acl_arn WebACLArn
    aws_acm_certificate = AWS::CertificateManager::Certificate
      domain_name DomainName
      validation_method ValidationMethod
      certificate_authority_arn CertificateAuthorityArn
      subject_alternative_names SubjectAlternativeNames
      tags tags Tags
      days_left DaysLeft
    aws_route53_zone = AWS::Route53::HostedZone
      name Name
    aws_route53_record = AWS::Route53::RecordSet
      name Name
      type Type
      ttl text TTL
      records ResourceRecords
      zone_id HostedZoneId
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
    """
}
