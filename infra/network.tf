# The optional VPC of functions, workers and API, and the security group that they share. Cache and database accept
# connections from this group.

locals {
  worker_network = var.network == null ? null : {
    subnet_ids         = var.network.subnet_ids
    security_group_ids = concat([aws_security_group.workers[0].id], coalesce(var.network.security_group_ids, []))
  }

  # Subnets of the API's load balancer, and what its tasks may reach.
  api_network = var.network == null ? null : {
    vpc_id             = var.network.vpc_id
    subnet_ids         = var.network.subnet_ids
    security_group_ids = local.worker_network.security_group_ids
  }

  data_network = var.network == null ? null : {
    vpc_id                    = var.network.vpc_id
    subnet_ids                = var.network.subnet_ids
    workers_security_group_id = aws_security_group.workers[0].id
  }
}

resource "aws_security_group" "workers" {
  #checkov:skip=CKV2_AWS_5:two modules put functions and workers into it
  count = var.network == null ? 0 : 1

  name_prefix = "${var.name}-workers-"
  description = "Workers of ${var.name}: no inbound connections"
  vpc_id      = var.network.vpc_id
  tags        = { Name = "${var.name}-workers" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_egress_rule" "workers" {
  for_each = var.network == null ? {} : { for port in coalesce(var.network.egress_ports, [443, 11211, 27015, 27016, 27017]) : tostring(port) => port }

  security_group_id = aws_security_group.workers[0].id
  description       = "AWS, webhooks (443), memcached (11211), MongoDB (27017; Atlas: 27015 to 27017)"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
}
