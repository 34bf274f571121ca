# An internal load balancer in all given subnets. Nothing on the internet reaches it: CloudFront does, through a VPC
# origin. Time-outs of idle connections grow towards the program: CloudFront 60 s, balancer 65 s, program 75 s. So nobody
# sends a request into a connection that the next one has just closed. Event streams send a comment every 15 s.

resource "aws_lb" "this" {
  #checkov:skip=CKV_AWS_91:access logs need another bucket and its policy; CloudFront's metrics and the API's own log tell enough
  #checkov:skip=CKV_AWS_150:config.deletion_protection is on by default
  #checkov:skip=CKV2_AWS_20:CloudFront redirects to HTTPS; nobody else reaches the balancer
  #checkov:skip=CKV2_AWS_28:config.web_acl_arn adds a firewall to CloudFront, through which every request comes
  name                       = "${var.name}-api"
  internal                   = true
  load_balancer_type         = "application"
  subnets                    = var.network.subnet_ids
  security_groups            = [aws_security_group.balancer.id]
  idle_timeout               = 65
  drop_invalid_header_fields = true
  enable_deletion_protection = var.config.deletion_protection
}

resource "aws_lb_target_group" "this" {
  #checkov:skip=CKV_AWS_378:inside the VPC, where AWS encrypts between instances; a task has no certificate
  name                          = "${var.name}-api"
  vpc_id                        = var.network.vpc_id
  target_type                   = "ip"
  protocol                      = "HTTP"
  port                          = local.port
  load_balancing_algorithm_type = "least_outstanding_requests"
  # No new requests come to a task that leaves; then ECS sends SIGTERM, and the program drains.
  deregistration_delay = 15

  health_check {
    path                = "/healthz"
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }
}

resource "aws_lb_listener" "this" {
  #checkov:skip=CKV_AWS_2:from CloudFront's interfaces in the VPC; viewers use HTTPS only
  #checkov:skip=CKV_AWS_103:without HTTPS, there is no version of TLS to choose
  load_balancer_arn = aws_lb.this.arn
  protocol          = "HTTP"
  port              = 80

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this.arn
  }
}

# CloudFront's addresses, as AWS keeps them. Its interfaces for VPC origins are in the list, too.
data "aws_ec2_managed_prefix_list" "cloudfront" {
  name = "com.amazonaws.global.cloudfront.origin-facing"
}

resource "aws_security_group" "balancer" {
  name_prefix = "${var.name}-api-balancer-"
  description = "Load balancer of ${var.name}: for CloudFront"
  vpc_id      = var.network.vpc_id
  tags        = { Name = "${var.name}-api-balancer" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "cloudfront" {
  #checkov:skip=CKV_AWS_260:from the list of CloudFront's addresses only, which checkov takes for everybody
  security_group_id = aws_security_group.balancer.id
  description       = "CloudFront"
  prefix_list_id    = data.aws_ec2_managed_prefix_list.cloudfront.id
  ip_protocol       = "tcp"
  from_port         = 80
  to_port           = 80
}

resource "aws_vpc_security_group_egress_rule" "tasks" {
  security_group_id            = aws_security_group.balancer.id
  description                  = "Tasks"
  referenced_security_group_id = aws_security_group.tasks.id
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port
}

# What tasks may reach is in the security group that they share with the workers.
resource "aws_security_group" "tasks" {
  name_prefix = "${var.name}-api-"
  description = "API of ${var.name}: from its load balancer"
  vpc_id      = var.network.vpc_id
  tags        = { Name = "${var.name}-api" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "balancer" {
  security_group_id            = aws_security_group.tasks.id
  description                  = "Load balancer"
  referenced_security_group_id = aws_security_group.balancer.id
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port
}
