// Terraform: networks, addresses and routes; security groups have a shape of their own (SecurityGroupShape). The form is explained in ShapeTable.

extension TerraformTypes {
  static let network = """
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
      ipv6_cidr_block Ipv6CidrBlock
      assign_ipv6_address_on_creation AssignIpv6AddressOnCreation
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
      network_interface NetworkInterfaceId
    aws_eip_association = AWS::EC2::EIPAssociation
      allocation_id AllocationId
      instance_id InstanceId
      network_interface_id NetworkInterfaceId
    aws_nat_gateway = AWS::EC2::NatGateway
      allocation_id AllocationId
      subnet_id SubnetId
      connectivity_type ConnectivityType
      tags tags Tags
    aws_internet_gateway = AWS::EC2::InternetGateway
      tags tags Tags
    aws_egress_only_internet_gateway = AWS::EC2::EgressOnlyInternetGateway
      vpc_id VpcId
    aws_route_table = AWS::EC2::RouteTable
      vpc_id VpcId
      route many Routes
        cidr_block DestinationCidrBlock
        ipv6_cidr_block DestinationIpv6CidrBlock
        gateway_id GatewayId
        nat_gateway_id NatGatewayId
      tags tags Tags
    aws_route_table#route = AWS::EC2::Route by id
      owner RouteTableId
      value.cidr_block filled DestinationCidrBlock
      value.ipv6_cidr_block filled DestinationIpv6CidrBlock
      value.gateway_id filled GatewayId
      value.nat_gateway_id filled NatGatewayId
    aws_default_route_table = aws_route_table
    aws_route = AWS::EC2::Route
      route_table_id RouteTableId
      destination_cidr_block DestinationCidrBlock
      destination_ipv6_cidr_block DestinationIpv6CidrBlock
      gateway_id GatewayId
      nat_gateway_id NatGatewayId
    aws_route_table_association = AWS::EC2::SubnetRouteTableAssociation
      subnet_id SubnetId
      route_table_id RouteTableId
    aws_network_interface = AWS::EC2::NetworkInterface
      subnet_id SubnetId
      description Description
      security_groups GroupSet
      source_dest_check SourceDestCheck
      interface_type InterfaceType
      tags tags Tags
    aws_network_acl = AWS::EC2::NetworkAcl
      vpc_id VpcId
      tags tags Tags
    aws_network_acl#ingress = AWS::EC2::NetworkAclEntry by id
      + Egress false
      owner NetworkAclId
      value.rule_no RuleNumber
      value.action RuleAction
      value.protocol int Protocol
      value.cidr_block filled CidrBlock
      value.ipv6_cidr_block filled Ipv6CidrBlock
      value.from_port PortRange.From
      value.to_port PortRange.To
      value.icmp_type Icmp.Type
      value.icmp_code Icmp.Code
    aws_network_acl#egress = AWS::EC2::NetworkAclEntry by id
      + Egress true
      owner NetworkAclId
      value.rule_no RuleNumber
      value.action RuleAction
      value.protocol int Protocol
      value.cidr_block filled CidrBlock
      value.ipv6_cidr_block filled Ipv6CidrBlock
      value.from_port PortRange.From
      value.to_port PortRange.To
      value.icmp_type Icmp.Type
      value.icmp_code Icmp.Code
    aws_vpc_endpoint = AWS::EC2::VPCEndpoint
      vpc_id VpcId
      service_name ServiceName
      vpc_endpoint_type VpcEndpointType
      policy json PolicyDocument
      subnet_ids SubnetIds
      security_group_ids SecurityGroupIds
    """
}
