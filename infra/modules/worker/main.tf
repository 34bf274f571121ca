# Three functions from one zip: the worker, which makes clips; housekeeping, once a minute; webhooks, if anybody is to
# hear by webhook. They differ in handler, rights and what calls them.

locals {
  hears = length(var.webhooks.urls) > 0

  functions = merge(
    {
      worker = {
        handler  = "cutback.run.lambda_worker.handler"
        about    = "Makes clips"
        memory   = var.config.memory
        timeout  = var.config.timeout
        tmp      = var.config.tmp
        reserved = var.config.reserved_concurrency
      }
      housekeeping = {
        handler  = "cutback.run.lambda_worker.housekeep"
        about    = "Announces what was left, expires, sweeps, finds clips without a message"
        memory   = 512
        timeout  = 120
        tmp      = 512
        reserved = -1
      }
    },
    local.hears ? {
      webhooks = {
        handler  = "cutback.run.lambda_worker.webhooks"
        about    = "Delivers events to webhooks"
        memory   = 512
        timeout  = var.webhooks.timeout
        tmp      = 512
        reserved = -1
      }
    } : {},
  )
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_50:config.traces switches X-Ray on
  #checkov:skip=CKV_AWS_115:a new account has ten executions to share, and reserving some fails; the mapping has its own maximum
  #checkov:skip=CKV_AWS_116:called by a queue, which has dead letters of its own, or by a schedule, which comes again in a minute
  #checkov:skip=CKV_AWS_117:network puts it into a VPC; what it talks to has public, signed endpoints
  #checkov:skip=CKV_AWS_173:no secret is in its environment, only names; kms_key_arn encrypts it under your key
  #checkov:skip=CKV_AWS_272:the zip's SHA-256 is pinned; signing needs a profile of the account's own
  for_each = local.functions

  function_name                  = "${var.name}-${each.key}"
  description                    = each.value.about
  role                           = aws_iam_role.this[each.key].arn
  handler                        = each.value.handler
  runtime                        = var.config.runtime
  architectures                  = [var.config.architecture]
  s3_bucket                      = aws_s3_object.package.bucket
  s3_key                         = aws_s3_object.package.key
  source_code_hash               = local.package_hash
  layers                         = var.config.layers
  memory_size                    = each.value.memory
  timeout                        = each.value.timeout
  reserved_concurrent_executions = each.value.reserved
  kms_key_arn                    = var.kms_key_arn
  tags                           = var.tags

  ephemeral_storage {
    size = each.value.tmp
  }

  environment {
    variables = merge(
      local.environment,
      each.key == "webhooks" ? { CUTBACK_WEBHOOK_SECRET_SECRET = aws_secretsmanager_secret.webhooks[0].arn } : {},
      var.config.environment,
    )
  }

  tracing_config {
    mode = var.config.traces ? "Active" : "PassThrough"
  }

  dynamic "vpc_config" {
    for_each = var.network == null ? [] : [var.network]
    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  lifecycle {
    precondition {
      condition     = var.wires.queue.visibility_seconds >= 6 * var.config.timeout
      error_message = "The queue's visibility timeout must be at least 6 times the worker's timeout, or messages come back while they are being worked on."
    }
  }

  # Lambda tries out the role when it makes the function; and it would make a log group of its own.
  depends_on = [aws_iam_role_policy.this, aws_cloudwatch_log_group.this]
}

# How the program is told where everything is. docs/settings.md says what each means.
locals {
  environment = { for name, value in {
    CUTBACK_DATA               = "/tmp/cutback"
    CUTBACK_SOURCE_STORE       = "s3://${var.wires.recordings.bucket}"
    CUTBACK_CLIP_STORE         = "s3://${var.wires.clips.bucket}"
    CUTBACK_CLIP_ADDRESS       = var.wires.clip_address
    CUTBACK_RETENTION          = var.wires.keep_days == null ? null : tostring(var.wires.keep_days * 86400)
    CUTBACK_QUEUE_URL          = var.wires.queue.url
    CUTBACK_LONG_QUEUE_URL     = try(var.wires.long_queue.url, null)
    CUTBACK_WEBHOOK_QUEUE_URL  = try(var.wires.webhook_queue.url, null)
    CUTBACK_WEBHOOK_URLS       = local.hears ? join(",", var.webhooks.urls) : null
    CUTBACK_ANNOUNCE_URLS      = var.wires.topic_arn
    CUTBACK_RECORDS_URL_SECRET = var.wires.records_secret_arn
    CUTBACK_CACHE_URL          = var.wires.cache_url
    POWERTOOLS_SERVICE_NAME    = var.name
    # The namespace of the program's own metrics.
    POWERTOOLS_METRICS_NAMESPACE = "Cutback"
    POWERTOOLS_LOG_LEVEL         = var.config.log_level
  } : name => value if value != null }
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:kms_key_arn encrypts logs under your key; without it under CloudWatch's own
  #checkov:skip=CKV_AWS_338:how long logs are kept is observe.log_days; a year of them costs more than the clips
  for_each = local.functions

  name              = "/aws/lambda/${var.name}-${each.key}"
  retention_in_days = var.log_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}
