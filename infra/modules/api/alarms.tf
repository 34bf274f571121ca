# Alarms only for what needs attention. The description of an alarm says what to do.

locals {
  balancer = { LoadBalancer = aws_lb.this.arn_suffix }
  targets  = { LoadBalancer = aws_lb.this.arn_suffix, TargetGroup = aws_lb_target_group.this.arn_suffix }

  alarms = {
    unhealthy = {
      about      = "A task of the API fails its health check for 5 minutes: see its log, /ecs/${var.name}-api. ECS replaces it; if new ones fail, look at the service's events."
      metric     = "UnHealthyHostCount"
      dimensions = local.targets
      stat       = "Maximum"
      period     = 60
      periods    = 5
      most       = 0
    }
    errors = {
      about      = "The API answered with errors of its own (5xx): see its log, /ecs/${var.name}-api, by reason."
      metric     = "HTTPCode_Target_5XX_Count"
      dimensions = local.targets
      stat       = "Sum"
      period     = 300
      periods    = 1
      most       = var.config.errors
    }
    unanswered = {
      about      = "The load balancer itself answered with 5xx: no healthy task, or tasks that close connections. Look at the service's events and the tasks' memory."
      metric     = "HTTPCode_ELB_5XX_Count"
      dimensions = local.balancer
      stat       = "Sum"
      period     = 300
      periods    = 1
      most       = var.config.errors
    }
    # Until the answer begins, so without the length of event streams and files. Requests that wait for a clip count.
    latency = {
      about      = "A twentieth of the API's answers begin later than ${var.config.latency_seconds} s: MongoDB is slow, or api.max_tasks are too few. Clients that wait for clips count, too."
      metric     = "TargetResponseTime"
      dimensions = local.targets
      stat       = "p95"
      period     = 300
      periods    = 3
      most       = var.config.latency_seconds
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-api-${each.key}"
  alarm_description   = each.value.about
  namespace           = "AWS/ApplicationELB"
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = startswith(each.value.stat, "p") ? null : each.value.stat
  extended_statistic  = startswith(each.value.stat, "p") ? each.value.stat : null
  period              = each.value.period
  evaluation_periods  = each.value.periods
  threshold           = each.value.most
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topics
  ok_actions          = var.alarm_topics
}
