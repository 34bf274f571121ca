# One list of rights, from what a program touches. The functions and the long-running workers are given theirs here, so
# that two roles that do the same work have the same rights. No "*" but the two named below.

data "aws_iam_policy_document" "this" {
  #checkov:skip=CKV_AWS_356:X-Ray and the network interfaces of a VPC know no resources to name; both only if asked for
  #checkov:skip=CKV_AWS_111:see above; everything else names its resource

  dynamic "statement" {
    for_each = length(var.receives) > 0 ? [1] : []
    content {
      sid = "Receive"
      actions = [
        "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes",
      ]
      resources = var.receives
    }
  }

  dynamic "statement" {
    for_each = length(var.sends) > 0 ? [1] : []
    content {
      sid       = "Send"
      actions   = ["sqs:SendMessage"]
      resources = var.sends
    }
  }

  # A letter that was looked at is put back by its visibility. But one that SQS itself moved there has no time of death:
  # it is sent anew with one, and then deleted. Without the one right its clip would never fail; without the other there
  # would be one letter more for each look.
  dynamic "statement" {
    for_each = length(var.looks_at) > 0 ? [1] : []
    content {
      sid = "LookAtLetters"
      actions = [
        "sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes",
        "sqs:SendMessage", "sqs:DeleteMessage",
      ]
      resources = var.looks_at
    }
  }

  # Where a queue's dead letters go is written in its attributes.
  dynamic "statement" {
    for_each = length(var.asks_about) > 0 ? [1] : []
    content {
      sid       = "FindDeadLetters"
      actions   = ["sqs:GetQueueAttributes"]
      resources = var.asks_about
    }
  }

  dynamic "statement" {
    for_each = length(var.reads) > 0 ? [1] : []
    content {
      sid       = "ReadRecordings"
      actions   = ["s3:GetObject"]
      resources = [for bucket in var.reads : "${bucket}/*"]
    }
  }

  dynamic "statement" {
    for_each = length(var.writes) > 0 ? [1] : []
    content {
      sid       = "WriteClips"
      actions   = ["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload"]
      resources = [for bucket in var.writes : "${bucket}/*"]
    }
  }

  dynamic "statement" {
    for_each = length(var.clears) > 0 ? [1] : []
    content {
      sid       = "ClearClips"
      actions   = ["s3:DeleteObject"]
      resources = [for bucket in var.clears : "${bucket}/*"]
    }
  }

  # Without it, S3 answers "forbidden" for an object that is not there.
  dynamic "statement" {
    for_each = length(local.lists) > 0 ? [1] : []
    content {
      sid       = "List"
      actions   = ["s3:ListBucket"]
      resources = local.lists
    }
  }

  dynamic "statement" {
    for_each = length(var.publishes) > 0 ? [1] : []
    content {
      sid       = "Announce"
      actions   = ["sns:Publish"]
      resources = var.publishes
    }
  }

  dynamic "statement" {
    for_each = length(var.secrets) > 0 ? [1] : []
    content {
      sid       = "ReadSecrets"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = var.secrets
    }
  }

  dynamic "statement" {
    for_each = length(var.keys) > 0 ? [1] : []
    content {
      sid       = "UseKeys"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = var.keys
    }
  }

  # The colon and star are how IAM names the streams of one log group.
  dynamic "statement" {
    for_each = length(var.logs) > 0 ? [1] : []
    content {
      sid       = "WriteLogs"
      actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      resources = [for group in var.logs : "${group}:*"]
    }
  }

  dynamic "statement" {
    for_each = var.traces ? [1] : []
    content {
      sid       = "Trace"
      actions   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
      resources = ["*"]
    }
  }

  # Lambda itself puts functions into a VPC, with the function's role; EC2 names no resource for most of it.
  dynamic "statement" {
    for_each = var.network_interfaces_of == null ? [] : [1]
    content {
      sid = "JoinNetwork"
      actions = [
        "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses",
      ]
      resources = ["*"]
    }
  }

  # What the function's own code has no business with.
  dynamic "statement" {
    for_each = var.network_interfaces_of == null ? [] : [1]
    content {
      sid    = "LeaveNetworkToLambda"
      effect = "Deny"
      actions = [
        "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses",
      ]
      resources = ["*"]

      condition {
        test     = "ArnEquals"
        variable = "lambda:SourceFunctionArn"
        values   = [var.network_interfaces_of]
      }
    }
  }
}

locals {
  lists = distinct(concat(var.reads, var.writes, var.clears))
}
