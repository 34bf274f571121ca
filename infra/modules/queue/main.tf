data "aws_caller_identity" "this" {}

resource "aws_sqs_queue" "this" {
  name                       = var.name
  visibility_timeout_seconds = var.visibility_seconds
  message_retention_seconds  = var.config.retention_days * 86400
  receive_wait_time_seconds  = 20
  sqs_managed_sse_enabled    = var.kms_key_arn == null ? true : null
  kms_master_key_id          = var.kms_key_arn

  # How often a message may be received before it counts as one that kills its workers. Cutback gives up earlier, and
  # stores the reason.
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead.arn
    maxReceiveCount     = var.config.max_receives
  })
}

# A message keeps its age when it moves here, so this queue keeps messages for as long as SQS can.
resource "aws_sqs_queue" "dead" {
  name                      = "${var.name}-dead"
  message_retention_seconds = 14 * 86400
  sqs_managed_sse_enabled   = var.kms_key_arn == null ? true : null
  kms_master_key_id         = var.kms_key_arn
}

resource "aws_sqs_queue_redrive_allow_policy" "dead" {
  queue_url = aws_sqs_queue.dead.url

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.this.arn]
  })
}

resource "aws_sqs_queue_policy" "this" {
  queue_url = aws_sqs_queue.this.url
  policy    = data.aws_iam_policy_document.this.json
}

resource "aws_sqs_queue_policy" "dead" {
  queue_url = aws_sqs_queue.dead.url
  policy    = data.aws_iam_policy_document.dead.json
}

data "aws_iam_policy_document" "this" {
  source_policy_documents = [data.aws_iam_policy_document.encrypted["this"].json]

  dynamic "statement" {
    for_each = local.senders
    content {
      sid       = statement.key
      actions   = ["sqs:SendMessage"]
      resources = [aws_sqs_queue.this.arn]

      principals {
        type        = "Service"
        identifiers = [statement.value.service]
      }

      condition {
        test     = "ArnEquals"
        variable = "aws:SourceArn"
        values   = statement.value.sources
      }

      # The ARN of a bucket names no account. Without this condition, somebody else could create a bucket with the name
      # of a deleted one, and send here.
      dynamic "condition" {
        for_each = statement.key == "S3" ? [1] : []
        content {
          test     = "StringEquals"
          variable = "aws:SourceAccount"
          values   = [data.aws_caller_identity.this.account_id]
        }
      }
    }
  }
}

data "aws_iam_policy_document" "dead" {
  source_policy_documents = [data.aws_iam_policy_document.encrypted["dead"].json]
}

data "aws_iam_policy_document" "encrypted" {
  for_each = { this = aws_sqs_queue.this.arn, dead = aws_sqs_queue.dead.arn }

  statement {
    sid       = "EncryptedConnectionsOnly"
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [each.value]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

locals {
  via = try(var.arrivals.via, "none")

  topics = concat(var.topics, aws_sns_topic.arrivals[*].arn)
  rules  = aws_cloudwatch_event_rule.arrivals[*].arn

  senders = merge(
    local.via == "queue" ? { S3 = { service = "s3.amazonaws.com", sources = [var.arrivals.bucket_arn] } } : {},
    length(var.topics) > 0 || local.via == "topic" ? { SNS = { service = "sns.amazonaws.com", sources = local.topics } } : {},
    local.via == "eventbridge" ? { EventBridge = { service = "events.amazonaws.com", sources = local.rules } } : {},
  )
}
