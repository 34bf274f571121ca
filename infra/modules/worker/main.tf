# Three functions from one zip: worker makes clips, housekeeping runs once a minute, and webhooks delivers events if
# webhooks are set. They differ in handler, permissions and trigger.

locals {
  hears = length(var.webhooks.urls) > 0

  # The zip contains libraries and bytecode for one version of Python; infra/lambda_zip.py reads the same file.
  runtime = "python${trimspace(file("${path.module}/python-version"))}"

  functions = merge(
    {
      worker = {
        handler  = "cutback.worker.aws_lambda.handler"
        about    = "Makes clips"
        memory   = var.config.memory
        timeout  = var.config.timeout
        tmp      = var.config.tmp
        reserved = var.config.reserved_concurrency
      }
      housekeeping = {
        handler  = "cutback.worker.aws_lambda.housekeep"
        about    = "Announces pending events, expires clips, sweeps, finds clips without a message"
        memory   = 512
        timeout  = 120
        tmp      = 512
        reserved = -1
      }
    },
    local.hears ? {
      webhooks = {
        handler  = "cutback.worker.aws_lambda.webhooks"
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
  #checkov:skip=CKV_AWS_50:config.traces enables X-Ray
  #checkov:skip=CKV_AWS_115:a new account has only ten concurrent executions, and reserving some fails; the mapping has its own maximum
  #checkov:skip=CKV_AWS_116:invoked by a queue, which has its own dead letters, or by a schedule, which runs again in a minute
  #checkov:skip=CKV_AWS_117:network puts it into a VPC; the services it uses have public, signed endpoints
  #checkov:skip=CKV_AWS_173:its environment contains no secrets, only names; kms_key_arn encrypts it with your key
  #checkov:skip=CKV_AWS_272:the zip's SHA-256 is pinned; signing needs a profile in your account
  for_each = local.functions

  function_name                  = "${var.name}-${each.key}"
  description                    = each.value.about
  role                           = aws_iam_role.this[each.key].arn
  handler                        = each.value.handler
  runtime                        = local.runtime
  publish                        = true
  architectures                  = [var.config.architecture]
  s3_bucket                      = aws_s3_object.package.bucket
  s3_key                         = aws_s3_object.package.key
  source_code_hash               = local.package_hash
  layers                         = var.config.layers
  memory_size                    = each.value.memory
  timeout                        = each.value.timeout
  reserved_concurrent_executions = each.value.reserved
  kms_key_arn                    = var.kms_key_arn

  ephemeral_storage {
    size = each.value.tmp
  }

  environment {
    variables = merge(
      local.environment,
      each.key == "webhooks" ? {
        CUTBACK_WEBHOOK_SECRET_SECRET = aws_secretsmanager_secret.webhooks[0].arn
        WEBHOOK_SECRET_VERSION        = aws_secretsmanager_secret_version.webhooks[0].version_id
      } : {},
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
      error_message = "The queue's visibility timeout must be at least 6 times the worker's timeout, or messages come back while they are being processed."
    }
  }

  # Lambda checks the role when it creates the function, and would otherwise create its own log group.
  depends_on = [aws_iam_role_policy.this, aws_cloudwatch_log_group.this]
}

# Queues and schedule call the version that this alias points to. To roll back, point it to another one:
# aws lambda update-alias --function-name NAME-worker --name live --function-version N
resource "aws_lambda_alias" "live" {
  for_each = aws_lambda_function.this

  name             = "live"
  description      = "The version that queues and schedule call"
  function_name    = each.value.function_name
  function_version = each.value.version
}

# The settings of the program; docs/settings.md describes each of them.
locals {
  environment = { for name, value in {
    CUTBACK_DATA               = "/tmp/cutback"
    CUTBACK_SOURCE_STORE       = "s3://${var.wires.recordings.bucket}"
    CUTBACK_CLIP_STORE         = "s3://${var.wires.clips.bucket}"
    CUTBACK_ASSETS             = try(var.wires.assets.url, null)
    CUTBACK_CLIP_ADDRESS       = var.wires.clip_address
    CUTBACK_RETENTION          = var.wires.keep_days == null ? null : tostring(var.wires.keep_days * 86400)
    CUTBACK_QUEUE_URL          = var.wires.queue.url
    CUTBACK_LONG_QUEUE_URL     = try(var.wires.long_queue.url, null)
    CUTBACK_WEBHOOK_QUEUE_URL  = try(var.wires.webhook_queue.url, null)
    CUTBACK_WEBHOOK_URLS       = local.hears ? join(",", var.webhooks.urls) : null
    CUTBACK_ANNOUNCE_URLS      = var.wires.topic_arn
    CUTBACK_RECORDS_URL_SECRET = var.wires.records_secret_arn
    CUTBACK_CACHE_URL          = var.wires.cache_url
    # The program reads the secret when it starts. A new version in the environment starts it again.
    RECORDS_URL_VERSION     = var.wires.records_version
    POWERTOOLS_SERVICE_NAME = var.name
    # The namespace of Cutback's own metrics.
    POWERTOOLS_METRICS_NAMESPACE = "Cutback"
    POWERTOOLS_LOG_LEVEL         = var.config.log_level
  } : name => value if value != null }
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:kms_key_arn encrypts logs with your key; without it, CloudWatch uses its own
  #checkov:skip=CKV_AWS_338:how long logs are kept is observe.log_days; a year of them costs more than the clips
  for_each = local.functions

  name              = "/aws/lambda/${var.name}-${each.key}"
  retention_in_days = var.log_days
  kms_key_id        = var.kms_key_arn
}
