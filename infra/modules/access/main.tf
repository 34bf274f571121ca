# One policy, derived from the resources that a program uses. The functions and the long-running workers get theirs
# here, so that two roles for the same work have the same permissions. There is no "*" except the two explained below.

data "aws_iam_policy_document" "this" {
  #checkov:skip=CKV_AWS_356:X-Ray and the network interfaces of a VPC have no resource names; both only if asked for
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

  # A dead letter that was listed becomes visible again. But one that SQS itself moved has no time: it is sent again
  # with one, and then deleted. Without permission to send, its clip would never fail; without permission to delete,
  # each listing would add a dead letter.
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

  # For people who redrive: list dead letters, move all of them with SQS's own task, or send some of them again.
  dynamic "statement" {
    for_each = length(var.redrives) > 0 ? [1] : []
    content {
      sid = "RedriveFrom"
      actions = [
        "sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes", "sqs:SendMessage",
        "sqs:DeleteMessage", "sqs:StartMessageMoveTask", "sqs:ListMessageMoveTasks",
      ]
      resources = var.redrives[*].dead
    }
  }

  dynamic "statement" {
    for_each = length(var.redrives) > 0 ? [1] : []
    content {
      sid       = "RedriveTo"
      actions   = ["sqs:GetQueueAttributes", "sqs:SendMessage"]
      resources = var.redrives[*].queue
    }
  }

  # The attributes of a queue name its dead-letter queue.
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
      sid       = "Read"
      actions   = ["s3:GetObject"]
      resources = [for bucket in var.reads : "${bucket}/*"]
    }
  }

  dynamic "statement" {
    for_each = length(var.uploads) > 0 ? [1] : []
    content {
      sid       = "TakeUploads"
      actions   = ["s3:PutObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"]
      resources = [for bucket in var.uploads : "${bucket}/*"]
    }
  }

  dynamic "statement" {
    for_each = length(var.discards) > 0 ? [1] : []
    content {
      sid       = "EndUploads"
      actions   = ["s3:AbortMultipartUpload"]
      resources = [for bucket in var.discards : "${bucket}/*"]
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
    for_each = length(var.writes_below) > 0 ? [1] : []
    content {
      sid       = "WriteFolders"
      actions   = ["s3:PutObject", "s3:AbortMultipartUpload"]
      resources = [for folder in var.writes_below : "${folder}*"]
    }
  }

  dynamic "statement" {
    for_each = length(var.clears) > 0 ? [1] : []
    content {
      sid       = "Clear"
      actions   = ["s3:DeleteObject"]
      resources = [for bucket in var.clears : "${bucket}/*"]
    }
  }

  # Without it, S3 answers "forbidden" for an object that does not exist.
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

  dynamic "statement" {
    for_each = length(var.decrypts) > 0 ? [1] : []
    content {
      sid       = "Decrypt"
      actions   = ["kms:Decrypt"]
      resources = var.decrypts
    }
  }

  # While a task has a job, ECS must not stop it to scale in.
  dynamic "statement" {
    for_each = var.protects_tasks_of == null ? [] : [1]
    content {
      sid       = "ProtectTask"
      actions   = ["ecs:UpdateTaskProtection"]
      resources = [var.protects_tasks_of]
    }
  }

  # With the colon and star, IAM names the streams of one log group.
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

  # Lambda uses the function's role to put it into a VPC; most of these EC2 calls have no resource name.
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

  # The function's own code must not make these calls.
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
  lists = distinct(concat(var.reads, var.writes, var.clears, var.uploads))
}
