# The REST API: `cutback api` on Fargate, at least two tasks in two zones, behind a load balancer that only CloudFront
# reaches (balancer.tf, cloudfront.tf).

data "aws_region" "this" {}
data "aws_caller_identity" "this" {}

locals {
  image = var.config.image != null ? var.config.image : "${aws_ecr_repository.this[0].repository_url}:${var.config.tag}"
  port  = 8080

  # Seconds from SIGTERM to the end of the program: it drains, ends requests in progress (6), and then itself (2).
  # ECS kills it only later.
  stop_timeout = min(120, var.config.drain_seconds + 8 + 12)

  environment = merge(
    { for name, value in var.wires.environment : name => value if !startswith(name, "POWERTOOLS_") },
    {
      CUTBACK_LISTEN         = "0.0.0.0:${local.port}"
      CUTBACK_PUBLIC_URL     = local.address
      CUTBACK_DRAIN_SECONDS  = tostring(var.config.drain_seconds)
      CUTBACK_MEDIA_DELIVERY = var.config.media
      CUTBACK_LOG_LEVEL      = var.config.log_level
      CUTBACK_LOG_FORMAT     = "json"
      # For the process that reads frames; on Fargate, the program cannot find out how much memory its task has.
      CUTBACK_LIMIT_MEMORY = tostring((var.config.memory - local.parent_memory) * 1048576)
    },
    var.config.environment,
  )

  # MB for the server beside that process.
  parent_memory = 640

  secrets = var.wires.webhooks_secret_arn == null ? {} : { CUTBACK_WEBHOOK_SECRET = var.wires.webhooks_secret_arn }
}

# ECS creates this role with the first cluster of an account, but a little later than it needs it.
resource "aws_iam_service_linked_role" "ecs" {
  count = var.config.create_ecs_role ? 1 : 0

  aws_service_name = "ecs.amazonaws.com"
  description      = "Lets ECS manage network interfaces and load balancers"
}

resource "aws_ecr_repository" "this" {
  #checkov:skip=CKV_AWS_136:encrypted by ECR's own key unless kms_key_arn names yours
  count = var.config.image == null ? 1 : 0

  name                 = "${var.name}-api"
  image_tag_mutability = "IMMUTABLE"
  force_delete         = true

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = var.kms_key_arn == null ? "AES256" : "KMS"
    kms_key         = var.kms_key_arn
  }
}

resource "aws_ecs_cluster" "this" {
  name = "${var.name}-api"

  depends_on = [aws_iam_service_linked_role.ecs]

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_ecs_task_definition" "this" {
  #checkov:skip=CKV_AWS_336:the API needs /tmp for its child's pipe; running the image with the rest read-only is untested
  #checkov:skip=CKV_AWS_97:no file system is mounted
  family                   = "${var.name}-api"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.config.cpu
  memory                   = var.config.memory
  execution_role_arn       = aws_iam_role.this["start"].arn
  task_role_arn            = aws_iam_role.this["work"].arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.config.architecture == "arm64" ? "ARM64" : "X86_64"
  }

  container_definitions = jsonencode([{
    name            = "api"
    image           = local.image
    essential       = true
    entryPoint      = ["cutback"]
    command         = ["api"]
    portMappings    = [{ containerPort = local.port, hostPort = local.port, protocol = "tcp" }]
    environment     = [for name in sort(keys(local.environment)) : { name = name, value = local.environment[name] }]
    secrets         = [for name in sort(keys(local.secrets)) : { name = name, valueFrom = local.secrets[name] }]
    stopTimeout     = local.stop_timeout
    linuxParameters = { initProcessEnabled = true, capabilities = { drop = ["ALL"] } }
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        "awslogs-group"         = aws_cloudwatch_log_group.this.name
        "awslogs-region"        = data.aws_region.this.id
        "awslogs-stream-prefix" = "api"
      }
    }
  }])
}

resource "aws_ecs_service" "this" {
  name                               = "${var.name}-api"
  cluster                            = aws_ecs_cluster.this.id
  task_definition                    = aws_ecs_task_definition.this.arn
  desired_count                      = var.config.min_tasks
  launch_type                        = "FARGATE"
  platform_version                   = "LATEST"
  propagate_tags                     = "SERVICE"
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = 60

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.network.subnet_ids
    security_groups  = concat([aws_security_group.tasks.id], var.network.security_group_ids)
    assign_public_ip = false
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.this.arn
    container_name   = "api"
    container_port   = local.port
  }

  # Scaling sets the number of tasks.
  lifecycle {
    ignore_changes = [desired_count]
  }

  depends_on = [aws_lb_listener.this, aws_iam_role_policy.this]
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:kms_key_arn encrypts logs with your key; without it, CloudWatch uses its own
  #checkov:skip=CKV_AWS_338:how long logs are kept is observe.log_days
  name              = "/ecs/${var.name}-api"
  retention_in_days = var.log_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_appautoscaling_target" "this" {
  service_namespace  = "ecs"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.this.name}"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = var.config.min_tasks
  max_capacity       = var.config.max_tasks
}

# Every request counts, an event stream once.
resource "aws_appautoscaling_policy" "requests" {
  name               = "${var.name}-api-requests"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this.service_namespace
  resource_id        = aws_appautoscaling_target.this.resource_id
  scalable_dimension = aws_appautoscaling_target.this.scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value       = var.config.requests_per_minute
    scale_out_cooldown = 60
    scale_in_cooldown  = 300

    predefined_metric_specification {
      predefined_metric_type = "ALBRequestCountPerTarget"
      resource_label         = "${aws_lb.this.arn_suffix}/${aws_lb_target_group.this.arn_suffix}"
    }
  }
}
