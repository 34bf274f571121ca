# Long-running workers for jobs that do not fit into Lambda: `cutback worker` on Fargate. None run while there is
# nothing to do.

data "aws_region" "this" {}
data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}

locals {
  image = var.config.image != null ? var.config.image : "${aws_ecr_repository.this[0].repository_url}:${var.config.tag}"

  # The queue of long jobs is the poll worker's main queue, so it hands nothing over.
  told_otherwise = ["CUTBACK_LONG_QUEUE_URL", "CUTBACK_QUEUE_URL"]
  environment = merge(
    { for name, value in var.wires.environment : name => value if !startswith(name, "POWERTOOLS_") && !contains(local.told_otherwise, name) },
    { CUTBACK_QUEUE_URL = var.wires.queue.url, CUTBACK_LOG_LEVEL = var.config.log_level },
    # On Fargate, the program cannot find out how much memory its task has.
    { CUTBACK_LIMIT_MEMORY = tostring((var.config.memory - local.parent_memory) * 1048576) },
    var.config.environment,
  )

  # MB for the worker beside the process that cuts: interpreter, libraries, buffers of uploads and downloads.
  parent_memory = 640

  # ECS injects this value when a task starts. The program itself reads the URL of the records, so that it can read it
  # again after the password has changed.
  secrets = var.wires.webhooks_secret_arn == null ? {} : { CUTBACK_WEBHOOK_SECRET = var.wires.webhooks_secret_arn }

  tasks_arn = "arn:${data.aws_partition.this.partition}:ecs:${data.aws_region.this.id}:${data.aws_caller_identity.this.account_id}:task/${var.name}/*"
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

  name                 = var.name
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
  name = var.name

  depends_on = [aws_iam_service_linked_role.ecs]

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]
}

resource "aws_ecs_task_definition" "this" {
  #checkov:skip=CKV_AWS_336:a worker needs /tmp for its spool and its child's pipe; running the image with the rest read-only is untested
  #checkov:skip=CKV_AWS_97:no file system is mounted
  family                   = var.name
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

  ephemeral_storage {
    size_in_gib = var.config.disk
  }

  container_definitions = jsonencode([{
    name        = "worker"
    image       = local.image
    essential   = true
    entryPoint  = ["cutback"]
    command     = ["worker"]
    environment = [for name in sort(keys(local.environment)) : { name = name, value = local.environment[name] }]
    secrets     = [for name in sort(keys(local.secrets)) : { name = name, valueFrom = local.secrets[name] }]
    # A worker that is stopped gives its job back at once; an init process reaps its child.
    stopTimeout     = 60
    linuxParameters = { initProcessEnabled = true, capabilities = { drop = ["ALL"] } }
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        "awslogs-group"         = aws_cloudwatch_log_group.this.name
        "awslogs-region"        = data.aws_region.this.id
        "awslogs-stream-prefix" = "worker"
      }
    }
  }])
}

resource "aws_ecs_service" "this" {
  name                               = "${var.name}-workers"
  cluster                            = aws_ecs_cluster.this.id
  task_definition                    = aws_ecs_task_definition.this.arn
  desired_count                      = var.config.min_workers
  platform_version                   = "1.4.0"
  propagate_tags                     = "SERVICE"
  deployment_minimum_healthy_percent = 100

  capacity_provider_strategy {
    capacity_provider = var.config.spot ? "FARGATE_SPOT" : "FARGATE"
    weight            = 1
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.network.subnet_ids
    security_groups  = var.network.security_group_ids
    assign_public_ip = false
  }

  # Scaling sets the number of workers.
  lifecycle {
    ignore_changes = [desired_count]
  }

  depends_on = [aws_ecs_cluster_capacity_providers.this, aws_iam_role_policy.this]
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:kms_key_arn encrypts logs with your key; without it, CloudWatch uses its own
  #checkov:skip=CKV_AWS_338:how long logs are kept is observe.log_days
  name              = "/ecs/${var.name}-workers"
  retention_in_days = var.log_days
  kms_key_id        = var.kms_key_arn
}
