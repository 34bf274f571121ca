# Two roles: one starts the container (image, secrets, logs), the other is for the program in the container.

resource "aws_iam_role" "this" {
  for_each = toset(["start", "work"])

  name               = "${var.name}-service-${each.key}-${data.aws_region.this.id}"
  description        = each.key == "start" ? "${var.name}: starts long-running workers" : "${var.name}: long-running workers"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

data "aws_iam_policy_document" "tasks" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.this.account_id]
    }
  }
}

resource "aws_iam_role_policy" "this" {
  for_each = {
    start = data.aws_iam_policy_document.start.json
    work  = module.access.json
  }

  name   = each.key
  role   = aws_iam_role.this[each.key].id
  policy = each.value
}

locals {
  reads = concat([var.wires.recordings.arn], var.wires.assets[*].arn)
}

# The permissions of the worker in module worker, and of webhooks and housekeeping: `cutback worker` does all three.
module "access" {
  source = "../access"

  receives  = concat([var.wires.queue.arn], compact([try(var.wires.webhook_queue.arn, null)]))
  sends     = concat([var.wires.queue.arn, var.wires.queue.dead.arn], compact([try(var.wires.webhook_queue.arn, null), try(var.wires.webhook_queue.dead.arn, null)]))
  looks_at  = [var.wires.queue.dead.arn]
  reads     = local.reads
  writes    = [var.wires.clips.arn]
  clears    = [var.wires.clips.arn]
  discards  = var.wires.takes_uploads ? [var.wires.recordings.arn] : []
  publishes = [var.wires.topic_arn]
  secrets   = [var.wires.records_secret_arn]
  keys      = var.keys.uses
  decrypts  = var.keys.decrypts

  protects_tasks_of = local.tasks_arn
}

data "aws_iam_policy_document" "start" {
  #checkov:skip=CKV_AWS_356:a token for ECR is valid for a whole registry; the images that may be pulled are named
  statement {
    sid       = "WriteLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this.arn}:*"]
  }

  dynamic "statement" {
    for_each = length(local.secrets) > 0 ? [1] : []
    content {
      sid       = "ReadSecrets"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = values(local.secrets)
    }
  }

  statement {
    sid       = "EnterRegistry"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  dynamic "statement" {
    for_each = concat(aws_ecr_repository.this[*].arn, compact([var.config.repository_arn]))
    content {
      sid       = "PullImage"
      actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = length(var.keys.uses) + length(var.keys.decrypts) > 0 ? [1] : []
    content {
      sid       = "UseKeys"
      actions   = ["kms:Decrypt"]
      resources = setunion(var.keys.uses, var.keys.decrypts)
    }
  }
}
