# One role for each function, with only the permissions that its calls need. tests/aws compares them with recorded
# calls.

data "aws_partition" "this" {}
data "aws_region" "this" {}
data "aws_caller_identity" "this" {}

locals {
  reads = concat([var.wires.recordings.arn], var.wires.assets[*].arn)
  sends = compact([try(var.wires.webhook_queue.arn, null)])

  # As a string, because the function is created after its role.
  function_arns = { for name in keys(local.functions) : name => join(":", [
    "arn", data.aws_partition.this.partition, "lambda", data.aws_region.this.id,
    data.aws_caller_identity.this.account_id, "function", "${var.name}-${name}",
  ]) }
}

resource "aws_iam_role" "this" {
  for_each = local.functions

  name               = "${var.name}-${each.key}-${data.aws_region.this.id}"
  description        = "${var.name}: ${each.value.about}"
  assume_role_policy = data.aws_iam_policy_document.lambda.json
}

data "aws_iam_policy_document" "lambda" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.this.account_id]
    }
  }
}

resource "aws_iam_role_policy" "this" {
  for_each = local.functions

  name   = each.key
  role   = aws_iam_role.this[each.key].id
  policy = local.policies[each.key]
}

locals {
  policies = {
    worker       = module.worker_access.json
    housekeeping = module.housekeeping_access.json
    webhooks     = one(module.webhooks_access[*].json)
  }
}

module "worker_access" {
  source = "../access"

  receives  = [var.wires.queue.arn]
  sends     = concat([var.wires.queue.arn, var.wires.queue.dead.arn], local.sends, compact([try(var.wires.long_queue.arn, null)]))
  reads     = local.reads
  writes    = [var.wires.clips.arn]
  clears    = [var.wires.clips.arn]
  publishes = [var.wires.topic_arn]
  secrets   = [var.wires.records_secret_arn]
  keys      = var.keys.uses
  decrypts  = var.keys.decrypts
  logs      = [aws_cloudwatch_log_group.this["worker"].arn]
  traces    = var.config.traces

  network_interfaces_of = var.network == null ? null : local.function_arns.worker
}

module "housekeeping_access" {
  source = "../access"

  sends      = concat([var.wires.queue.arn], local.sends)
  looks_at   = [var.wires.queue.dead.arn]
  asks_about = [var.wires.queue.arn]
  clears     = [var.wires.clips.arn]
  discards   = var.wires.takes_uploads ? [var.wires.recordings.arn] : []
  publishes  = [var.wires.topic_arn]
  secrets    = [var.wires.records_secret_arn]
  keys       = var.keys.uses
  decrypts   = var.keys.decrypts
  logs       = [aws_cloudwatch_log_group.this["housekeeping"].arn]
  traces     = var.config.traces

  network_interfaces_of = var.network == null ? null : local.function_arns.housekeeping
}

module "webhooks_access" {
  source = "../access"
  count  = local.hears ? 1 : 0

  receives = [var.wires.webhook_queue.arn]
  sends    = [var.wires.webhook_queue.dead.arn]
  secrets  = [var.wires.records_secret_arn, aws_secretsmanager_secret.webhooks[0].arn]
  keys     = var.keys.uses
  decrypts = var.keys.decrypts
  logs     = [aws_cloudwatch_log_group.this["webhooks"].arn]
  traces   = var.config.traces

  network_interfaces_of = var.network == null ? null : local.function_arns.webhooks
}
