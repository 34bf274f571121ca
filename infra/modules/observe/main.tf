# Alarms only for what needs attention. The description of an alarm says what to do.

locals {
  told = concat(aws_sns_topic.alarms[*].arn, var.config.topics)

  queue_alarms = merge([for role, queue in var.queues : {
    "${role}-dead-letters" = {
      about   = "Messages of ${role} became dead letters. `cutback dead-letters` shows the reasons; `cutback redrive` sends them back to the queue."
      metric  = "ApproximateNumberOfMessagesVisible"
      queue   = queue.dead
      most    = 0
      minutes = 1
    }
    "${role}-age" = {
      about   = "Messages of ${role} have waited for more than ${var.config.age_minutes} minutes: workers are throttled, fail, or are too few."
      metric  = "ApproximateAgeOfOldestMessage"
      queue   = queue.name
      most    = var.config.age_minutes * 60
      minutes = 5
    }
  }]...)

  function_alarms = merge([for role, function in var.functions : {
    "${role}-errors" = {
      about    = "${function.name} failed with unhandled errors: see its log."
      metric   = "Errors"
      function = function.name
      stat     = "Sum"
      most     = var.config.errors
    }
    "${role}-throttles" = {
      about    = "${function.name} was throttled because the account's concurrency is used up. Request more, or lower worker.max_concurrency."
      metric   = "Throttles"
      function = function.name
      stat     = "Sum"
      most     = var.config.throttles
    }
    "${role}-latency" = {
      about    = "${function.name} is close to its timeout of ${function.timeout} s: more memory makes it faster."
      metric   = "Duration"
      function = function.name
      stat     = "p95"
      most     = function.timeout * 1000 * 0.8
    }
  }]...)
}

resource "aws_sns_topic" "alarms" {
  #checkov:skip=CKV_AWS_26:CloudWatch cannot publish to a topic encrypted with SNS's own key; kms_key_arn names a key with which it can
  count = length(var.config.email) > 0 ? 1 : 0

  name              = "${var.name}-alarms"
  kms_master_key_id = var.kms_key_arn
  tags              = var.tags
}

resource "aws_sns_topic_subscription" "alarms" {
  for_each = toset(var.config.email)

  topic_arn = aws_sns_topic.alarms[0].arn
  protocol  = "email"
  endpoint  = each.key
}

resource "aws_cloudwatch_metric_alarm" "queue" {
  for_each = local.queue_alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.about
  namespace           = "AWS/SQS"
  metric_name         = each.value.metric
  dimensions          = { QueueName = each.value.queue }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = each.value.minutes
  threshold           = each.value.most
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.told
  ok_actions          = local.told
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "function" {
  for_each = local.function_alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.about
  namespace           = "AWS/Lambda"
  metric_name         = each.value.metric
  dimensions          = { FunctionName = each.value.function }
  statistic           = each.value.stat == "Sum" ? "Sum" : null
  extended_statistic  = each.value.stat == "Sum" ? null : each.value.stat
  period              = 300
  evaluation_periods  = 1
  threshold           = each.value.most
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.told
  ok_actions          = local.told
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "silence" {
  alarm_name          = "${var.name}-housekeeping-silent"
  alarm_description   = "Housekeeping did not run for 15 minutes: events may not be announced. Check the rule ${var.name}-housekeeping."
  namespace           = "AWS/Lambda"
  metric_name         = "Invocations"
  dimensions          = { FunctionName = var.functions.housekeeping.name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 3
  threshold           = 1
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "breaching"
  alarm_actions       = local.told
  ok_actions          = local.told
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "announcing" {
  alarm_name          = "${var.name}-announcing"
  alarm_description   = "SNS could not deliver events to a subscriber."
  namespace           = "AWS/SNS"
  metric_name         = "NumberOfNotificationsFailed"
  dimensions          = { TopicName = var.topic_name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.told
  ok_actions          = local.told
  tags                = var.tags
}
