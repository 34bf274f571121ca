data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}
data "aws_region" "this" {}

locals {
  account = data.aws_caller_identity.this.account_id
  aws     = data.aws_partition.this.partition
  region  = data.aws_region.this.id
}

resource "aws_kms_key" "this" {
  description             = "${var.name}: recordings, clips, messages, secrets and logs"
  enable_key_rotation     = true
  deletion_window_in_days = var.deletion_days
  policy                  = data.aws_iam_policy_document.this.json
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.this.key_id
}

# In the policy of a key, "*" means this key and no other.
data "aws_iam_policy_document" "this" {
  #checkov:skip=CKV_AWS_109:a key without its account as administrator can never be changed again
  #checkov:skip=CKV_AWS_111:in a key's policy "*" is the key itself
  #checkov:skip=CKV_AWS_356:in a key's policy "*" is the key itself
  statement {
    sid       = "TheAccountAdministers"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${local.aws}:iam::${local.account}:root"]
    }
  }

  # S3 and SNS send to encrypted queues; alarms and budgets publish to encrypted topics. These services send
  # aws:SourceAccount with their calls to KMS:
  # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
  # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
  statement {
    sid       = "ServicesOfThisAccount"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey*"]
    resources = ["*"]

    principals {
      type = "Service"
      identifiers = [
        "budgets.amazonaws.com", "cloudwatch.amazonaws.com", "s3.amazonaws.com", "sns.amazonaws.com",
      ]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }

  # EventBridge sends no aws:SourceAccount and no aws:SourceArn with its calls to KMS. A condition upon one of them is
  # never met, and EventBridge drops the event without an error. The policies of queues and topics limit what it may reach.
  # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#sns-what-permissions-for-sse
  statement {
    sid       = "EventBridge"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey*"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }
  }

  statement {
    sid       = "LogsOfThisAccount"
    actions   = ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["logs.${local.region}.amazonaws.com"]
    }

    condition {
      test     = "ArnLike"
      variable = "kms:EncryptionContext:aws:logs:arn"
      values   = ["arn:${local.aws}:logs:${local.region}:${local.account}:log-group:*"]
    }
  }

  statement {
    sid       = "ClipsThroughCloudFront"
    actions   = ["kms:Decrypt"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["cloudfront.amazonaws.com"]
    }

    # Not the ARN of one distribution: it is created after the bucket, and the bucket after this key.
    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:${local.aws}:cloudfront::${local.account}:distribution/*"]
    }
  }
}
