# The REST API and its network, as planned. tests/aws applies both to an emulation, which does not check what is asserted
# here: the order of time-outs, the way from CloudFront to the program, and what alarms watch.

mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_region" {
    defaults = { id = "eu-central-1" }
  }
  mock_data "aws_availability_zones" {
    defaults = { names = ["eu-central-1a", "eu-central-1b", "eu-central-1c"] }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/cutback" }
  }
  mock_resource "aws_lb" {
    defaults = {
      arn        = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/cutback-api/1"
      arn_suffix = "app/cutback-api/1"
      dns_name   = "internal-cutback-api-1.eu-central-1.elb.amazonaws.com"
    }
  }
  mock_resource "aws_lb_target_group" {
    defaults = {
      arn        = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/cutback-api/2"
      arn_suffix = "targetgroup/cutback-api/2"
    }
  }
  mock_resource "aws_cloudfront_distribution" {
    defaults = { arn = "arn:aws:cloudfront::123456789012:distribution/E1", domain_name = "d1.cloudfront.net" }
  }
  mock_resource "aws_cloudfront_vpc_origin" {
    defaults = { id = "vo_1" }
  }
  mock_resource "aws_ecs_cluster" {
    defaults = { arn = "arn:aws:ecs:eu-central-1:123456789012:cluster/cutback-api", id = "arn:aws:ecs:eu-central-1:123456789012:cluster/cutback-api" }
  }
  mock_resource "aws_ecs_task_definition" {
    defaults = { arn = "arn:aws:ecs:eu-central-1:123456789012:task-definition/cutback-api:1" }
  }
  mock_resource "aws_ecr_repository" {
    defaults = { arn = "arn:aws:ecr:eu-central-1:123456789012:repository/cutback-api", repository_url = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/cutback-api" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:/ecs/cutback-api" }
  }
}

variables {
  name     = "cutback"
  log_days = 30
  network  = { vpc_id = "vpc-1", subnet_ids = ["subnet-1", "subnet-2"], security_group_ids = ["sg-1"] }
  wires = {
    environment        = { CUTBACK_SOURCE_STORE = "s3://sea", POWERTOOLS_SERVICE_NAME = "cutback" }
    queue              = { arn = "arn:aws:sqs:::requests", dead = { arn = "arn:aws:sqs:::requests-dead" } }
    recordings         = { arn = "arn:aws:s3:::sea" }
    clips              = { arn = "arn:aws:s3:::waves" }
    topic_arn          = "arn:aws:sns:::video_production"
    records_secret_arn = "arn:aws:secretsmanager:::secret:records"
  }
}

run "the_way_from_cloudfront_to_the_program" {
  command = apply

  module {
    source = "./modules/api"
  }

  assert {
    condition     = aws_lb.this.internal && length(aws_lb.this.subnets) == 2 && aws_lb_target_group.this.load_balancing_algorithm_type == "least_outstanding_requests"
    error_message = "The balancer must be internal, in two zones, and send to the task with the fewest requests."
  }

  assert {
    condition     = one(aws_lb_target_group.this.health_check).path == "/healthz" && aws_lb_target_group.this.target_type == "ip"
    error_message = "The health check must touch no dependency: or a slow database would end every task."
  }

  assert {
    condition     = one(one(aws_cloudfront_distribution.this.origin).vpc_origin_config).vpc_origin_id == "vo_1" && one(aws_cloudfront_vpc_origin.this.vpc_origin_endpoint_config).arn == aws_lb.this.arn
    error_message = "CloudFront must reach the balancer through the VPC origin."
  }

  assert {
    condition = (
      one(one(aws_cloudfront_distribution.this.origin).vpc_origin_config).origin_keepalive_timeout < aws_lb.this.idle_timeout &&
      one(one(aws_cloudfront_distribution.this.origin).vpc_origin_config).origin_read_timeout == 60 &&
      aws_lb.this.idle_timeout < 75
    )
    error_message = "Idle time-outs must grow towards the program, which keeps connections for 75 s; and event streams send every 15 s."
  }

  assert {
    condition     = one(aws_cloudfront_distribution.this.default_cache_behavior).cache_policy_id == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad" && one(aws_cloudfront_distribution.this.default_cache_behavior).compress == false
    error_message = "CloudFront must cache nothing of the API and hold back no event stream."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.cloudfront.prefix_list_id == data.aws_ec2_managed_prefix_list.cloudfront.id && aws_vpc_security_group_ingress_rule.balancer.referenced_security_group_id == aws_security_group.balancer.id
    error_message = "Only CloudFront may reach the balancer, and only the balancer the tasks."
  }

  assert {
    condition     = output.url == "https://d1.cloudfront.net"
    error_message = "Without a name of your own, the address is CloudFront's."
  }
}

run "tasks_roll_back_drain_and_scale" {
  command = apply

  module {
    source = "./modules/api"
  }

  variables {
    config = { drain_seconds = 30 }
  }

  assert {
    condition     = aws_ecs_service.this.desired_count == 2 && one(aws_ecs_service.this.deployment_circuit_breaker).enable && one(aws_ecs_service.this.deployment_circuit_breaker).rollback && aws_ecs_service.this.deployment_minimum_healthy_percent == 100
    error_message = "Two tasks, never fewer while deploying, and back to the version before if the new one fails."
  }

  assert {
    condition     = one(aws_ecs_task_definition.this.runtime_platform).cpu_architecture == "ARM64"
    error_message = "arm64 by default."
  }

  assert {
    condition = (
      jsondecode(aws_ecs_task_definition.this.container_definitions)[0].stopTimeout > 30 + 8 &&
      contains(jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment, { name = "CUTBACK_DRAIN_SECONDS", value = "30" })
    )
    error_message = "ECS must not kill a task before it has drained and ended its requests."
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].command == ["api"] && contains(jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment, { name = "CUTBACK_LISTEN", value = "0.0.0.0:8080" }) && contains(jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment, { name = "CUTBACK_PUBLIC_URL", value = "https://d1.cloudfront.net" })
    error_message = "The program must listen where the balancer sends, and write links that clients can follow."
  }

  assert {
    condition     = one(one(aws_appautoscaling_policy.requests.target_tracking_scaling_policy_configuration).predefined_metric_specification).resource_label == "app/cutback-api/1/targetgroup/cutback-api/2"
    error_message = "Scaling must follow the requests of each task."
  }

  assert {
    condition     = toset([for alarm in aws_cloudwatch_metric_alarm.this : alarm.metric_name]) == toset(["UnHealthyHostCount", "HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count", "TargetResponseTime"])
    error_message = "Unhealthy hosts, 5xx of both, and latency must each have an alarm."
  }
}

run "what_the_api_refuses" {
  command = plan

  module {
    source = "./modules/api"
  }

  variables {
    config  = { min_tasks = 1 } # nobody answers while it restarts
    network = { vpc_id = "vpc-1", subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] }
  }

  expect_failures = [var.config, var.network]
}

run "your_own_name_needs_its_certificate" {
  command = plan

  module {
    source = "./modules/api"
  }

  variables {
    config = { aliases = ["clips.example.org"] }
  }

  expect_failures = [var.config]
}

run "a_network_with_nat" {
  command = apply

  module {
    source = "./modules/network"
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 1 && aws_route.out[0].nat_gateway_id == aws_nat_gateway.this[0].id && length(aws_vpc_endpoint.aws) == 0
    error_message = "With NAT, everything but S3 goes through it."
  }

  assert {
    condition     = length(output.network.subnet_ids) == 2 && length(distinct(aws_subnet.private[*].availability_zone)) == 2
    error_message = "A balancer needs two zones."
  }
}

run "a_network_without_nat" {
  command = apply

  module {
    source = "./modules/network"
  }

  variables {
    config = { nat = false }
  }

  assert {
    condition     = length(aws_nat_gateway.this) + length(aws_eip.nat) + length(aws_route.out) + length(aws_subnet.public) == 0
    error_message = "Without NAT, nothing leads to the internet."
  }

  assert {
    condition = toset([for endpoint in aws_vpc_endpoint.aws : endpoint.service_name]) == toset([
      for service in ["sqs", "sns", "secretsmanager", "logs", "ecr.api", "ecr.dkr"] : "com.amazonaws.eu-central-1.${service}"
    ])
    error_message = "Without NAT, every service that a task calls needs an endpoint."
  }

  assert {
    condition     = length(aws_internet_gateway.this.vpc_id) > 0
    error_message = "CloudFront's VPC origins demand an internet gateway, even if no route leads to it."
  }
}
