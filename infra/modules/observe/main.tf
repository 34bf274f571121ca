# Alarms only for what needs attention. The description of an alarm says what to do.

locals {
  told = concat(aws_sns_topic.alarms[*].arn, var.config.topics)


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
}

resource "aws_sns_topic_subscription" "alarms" {
  for_each = toset(var.config.email)

  topic_arn = aws_sns_topic.alarms[0].arn
  protocol  = "email"
  endpoint  = each.key
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  for_each = var.queues

  alarm_name          = "${var.name}-${each.key}-dead-letters"
  alarm_description   = "Messages of ${each.key} were given up. `cutback dead-letters` shows why, `cutback redrive` brings them back."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = each.value.dead }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.told
  ok_actions          = local.told
}

# The metric counts messages in flight as well, so one long job would raise the alarm. It counts only while others wait.
resource "aws_cloudwatch_metric_alarm" "age" {
  for_each = var.queues

  alarm_name          = "${var.name}-${each.key}-age"
  alarm_description   = "Messages of ${each.key} wait for more than ${var.config.age_minutes} minutes: throttled, failing, or too few workers."
  evaluation_periods  = 5
  threshold           = var.config.age_minutes * 60
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.told
  ok_actions          = local.told

  metric_query {
    id          = "waiting"
    expression  = "IF(visible > 0, age, 0)"
    label       = "Age of the oldest message while some wait"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { visible = "ApproximateNumberOfMessagesVisible", age = "ApproximateAgeOfOldestMessage" }
    content {
      id = metric_query.key

      metric {
        namespace   = "AWS/SQS"
        metric_name = metric_query.value
        dimensions  = { QueueName = each.value.name }
        period      = 60
        stat        = "Maximum"
      }
    }
  }
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
}

# Lambda reports no data while there are no invocations. Missing data is treated as "missing", not as "breaching": the
# alarm starts in INSUFFICIENT_DATA without a notification at the first apply, and notifies when it returns to that state.
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
  treat_missing_data  = "missing"
  alarm_actions       = local.told
  ok_actions          = local.told

  insufficient_data_actions = local.told
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
}
