# Two roles: one starts the container (image, secrets, logs), the other is for the program in the container. tests/aws
# compares the second with recorded calls.

resource "aws_iam_role" "this" {
  for_each = toset(["start", "work"])

  name               = "${var.name}-api-${each.key}-${data.aws_region.this.id}"
  description        = each.key == "start" ? "${var.name}: starts the API" : "${var.name}: the API"
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
  webhook_queues = var.wires.webhook_queue == null ? [] : [var.wires.webhook_queue]
  long_queues    = var.wires.long_queue == null ? [] : [var.wires.long_queue]
}

# Queues: send requests, and what people who redrive may do. Recordings: read frames, take uploads. Assets: plan requests
# that name some. Clips: send files, and keep pictures made from recordings (_made, see lifecycle/made_files.py in the
# source); housekeeping removes old ones, and the files of deleted clips.
module "access" {
  source = "../access"

  redrives     = [for queue in concat([var.wires.queue], local.webhook_queues) : { queue = queue.arn, dead = queue.dead.arn }]
  asks_about   = flatten([for queue in local.long_queues : [queue.arn, queue.dead.arn]])
  reads        = concat([var.wires.recordings.arn, var.wires.clips.arn], var.wires.assets[*].arn)
  uploads      = [var.wires.recordings.arn]
  writes_below = ["${var.wires.clips.arn}/_made/"]
  clears       = [var.wires.recordings.arn] # only what was uploaded and is no recording
  publishes    = [var.wires.topic_arn]
  secrets      = [var.wires.records_secret_arn]
  keys         = distinct(concat(var.keys.uses, compact([var.keys.recordings])))
  decrypts     = setsubtract(var.keys.decrypts, compact([var.keys.recordings]))
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
