# Events of the bucket of recordings reach the queue in one of three ways: directly, through a topic (to which others
# may subscribe, too), or through EventBridge (which others use already).

locals {
  # Expiry by a lifecycle rule has its own events in S3. In EventBridge it is an "Object Deleted" like any other.
  bucket_events = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:LifecycleExpiration:*"]
}

resource "aws_s3_bucket_notification" "arrivals" {
  # A bucket has only one notification configuration, and this one would replace another. An existing bucket may have
  # one: its owner enables EventBridge instead.
  count = local.via == "none" || local.via == "eventbridge" && try(var.arrivals.brought, false) ? 0 : 1

  bucket      = var.arrivals.bucket
  eventbridge = local.via == "eventbridge"

  dynamic "queue" {
    for_each = local.via == "queue" ? [1] : []
    content {
      id            = var.name
      queue_arn     = aws_sqs_queue.this.arn
      events        = local.bucket_events
      filter_prefix = var.arrivals.prefix
    }
  }

  dynamic "topic" {
    for_each = local.via == "topic" ? [1] : []
    content {
      id            = var.name
      topic_arn     = aws_sns_topic.arrivals[0].arn
      events        = local.bucket_events
      filter_prefix = var.arrivals.prefix
    }
  }

  # S3 checks that it may send before it accepts the configuration.
  depends_on = [aws_sqs_queue_policy.this, aws_sns_topic_policy.arrivals]
}

resource "aws_sns_topic" "arrivals" {
  #checkov:skip=CKV_AWS_26:S3 cannot publish to a topic encrypted with SNS's own key; kms_key_arn names a key with which it can
  count = local.via == "topic" ? 1 : 0

  name              = "${var.name}-arrivals"
  kms_master_key_id = var.kms_key_arn
}

resource "aws_sns_topic_policy" "arrivals" {
  count = local.via == "topic" ? 1 : 0

  arn    = aws_sns_topic.arrivals[0].arn
  policy = data.aws_iam_policy_document.arrivals[0].json
}

data "aws_iam_policy_document" "arrivals" {
  count = local.via == "topic" ? 1 : 0

  statement {
    sid       = "S3"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.arrivals[0].arn]

    principals {
      type        = "Service"
      identifiers = ["s3.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [var.arrivals.bucket_arn]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.this.account_id]
    }
  }
}

resource "aws_sns_topic_subscription" "arrivals" {
  count = local.via == "topic" ? 1 : 0

  topic_arn = aws_sns_topic.arrivals[0].arn
  protocol  = "sqs"
  endpoint  = aws_sqs_queue.this.arn
}

resource "aws_cloudwatch_event_rule" "arrivals" {
  count = local.via == "eventbridge" ? 1 : 0

  name        = "${var.name}-arrivals"
  description = "Cutback: recordings created and removed"

  event_pattern = jsonencode({
    source        = ["aws.s3"]
    "detail-type" = ["Object Created", "Object Deleted"]
    detail = merge(
      { bucket = { name = [var.arrivals.bucket] } },
      var.arrivals.prefix == null ? {} : { object = { key = [{ prefix = var.arrivals.prefix }] } },
    )
  })
}

resource "aws_cloudwatch_event_target" "arrivals" {
  count = local.via == "eventbridge" ? 1 : 0

  rule = aws_cloudwatch_event_rule.arrivals[0].name
  arn  = aws_sqs_queue.this.arn
}
