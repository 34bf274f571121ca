data "aws_caller_identity" "this" {}

locals {
  # The first installation has the well-known name; another one in the same account and region needs another.
  topic = coalesce(var.config.topic, var.name == "cutback" ? "video_production" : "${var.name}-video_production")

  # The name of a FIFO topic must end with .fifo.
  suffix = var.config.fifo ? ".fifo" : ""

  subscribers = merge(
    { for address in var.config.email : "email ${address}" => { protocol = "email", endpoint = address, filter = null } },
    { for address in var.config.https : "https ${address}" => { protocol = "https", endpoint = address, filter = null } },
    { for name, queue in var.config.queues : "sqs ${name}" => { protocol = "sqs", endpoint = queue.arn, filter = queue.filter } },
  )
}

# Events of clips: Cutback publishes, others subscribe.
resource "aws_sns_topic" "events" {
  name                        = "${local.topic}${local.suffix}"
  fifo_topic                  = var.config.fifo
  content_based_deduplication = var.config.fifo ? false : null
  kms_master_key_id           = coalesce(var.kms_key_arn, "alias/aws/sns")
}

resource "aws_sns_topic_policy" "events" {
  arn    = aws_sns_topic.events.arn
  policy = data.aws_iam_policy_document.topic["events"].json
}

resource "aws_sns_topic_subscription" "this" {
  for_each = local.subscribers

  topic_arn           = aws_sns_topic.events.arn
  protocol            = each.value.protocol
  endpoint            = each.value.endpoint
  filter_policy       = each.value.filter == null ? null : jsonencode(each.value.filter)
  filter_policy_scope = each.value.filter == null ? null : "MessageAttributes"
}

# Clip requests by SNS: others publish, the queue subscribes.
resource "aws_sns_topic" "requests" {
  name              = "${var.name}-requests"
  kms_master_key_id = coalesce(var.kms_key_arn, "alias/aws/sns")
}

resource "aws_sns_topic_policy" "requests" {
  arn    = aws_sns_topic.requests.arn
  policy = data.aws_iam_policy_document.topic["requests"].json
}

resource "aws_sns_topic_subscription" "requests" {
  topic_arn = aws_sns_topic.requests.arn
  protocol  = "sqs"
  endpoint  = var.queue_arn
}

# Within the account, the policy of each role decides; other accounts must be named.
data "aws_iam_policy_document" "topic" {
  for_each = { events = aws_sns_topic.events.arn, requests = aws_sns_topic.requests.arn }

  statement {
    sid       = "ThisAccount"
    actions   = ["sns:Publish", "sns:Subscribe", "sns:GetTopicAttributes"]
    resources = [each.value]

    principals {
      type        = "AWS"
      identifiers = [data.aws_caller_identity.this.account_id]
    }
  }

  dynamic "statement" {
    for_each = each.key == "requests" && length(var.config.requesters) > 0 ? [1] : []
    content {
      sid       = "Requesters"
      actions   = ["sns:Publish"]
      resources = [each.value]

      principals {
        type        = "AWS"
        identifiers = var.config.requesters
      }
    }
  }

  statement {
    sid       = "EncryptedConnectionsOnly"
    effect    = "Deny"
    actions   = ["sns:Publish"]
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
