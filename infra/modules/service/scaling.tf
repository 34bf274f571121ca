# Scales by the age of the oldest message while messages wait: an old one means too few workers. The metric itself counts
# messages in flight as well, so one long job would start every worker. Scales to zero only when no message waits or is
# in flight; and a worker protects its task while it has a job, so scaling never interrupts it.

resource "aws_appautoscaling_target" "this" {
  service_namespace  = "ecs"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.this.name}"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = var.config.min_workers
  max_capacity       = var.config.max_workers
}

resource "aws_appautoscaling_policy" "more" {
  name               = "${var.name}-more-workers"
  service_namespace  = aws_appautoscaling_target.this.service_namespace
  resource_id        = aws_appautoscaling_target.this.resource_id
  scalable_dimension = aws_appautoscaling_target.this.scalable_dimension

  step_scaling_policy_configuration {
    adjustment_type         = "ChangeInCapacity"
    metric_aggregation_type = "Maximum"
    cooldown                = 120

    # Relative to the alarm's threshold: up to five times as old, one more worker; older, four more.
    step_adjustment {
      metric_interval_lower_bound = 0
      metric_interval_upper_bound = 4 * var.config.scale_age_seconds
      scaling_adjustment          = 1
    }

    step_adjustment {
      metric_interval_lower_bound = 4 * var.config.scale_age_seconds
      scaling_adjustment          = 4
    }
  }
}

resource "aws_appautoscaling_policy" "none" {
  name               = "${var.name}-no-workers"
  service_namespace  = aws_appautoscaling_target.this.service_namespace
  resource_id        = aws_appautoscaling_target.this.resource_id
  scalable_dimension = aws_appautoscaling_target.this.scalable_dimension

  step_scaling_policy_configuration {
    adjustment_type         = "ExactCapacity"
    metric_aggregation_type = "Maximum"
    cooldown                = 60

    step_adjustment {
      metric_interval_upper_bound = 0
      scaling_adjustment          = var.config.min_workers
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "waiting" {
  alarm_name          = "${var.name}-long-jobs-wait"
  alarm_description   = "Long jobs are waiting: starts more workers."
  evaluation_periods  = 1
  threshold           = var.config.scale_age_seconds
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_appautoscaling_policy.more.arn]

  metric_query {
    id          = "waiting"
    expression  = "IF(visible > 0, age, 0)"
    label       = "Age of the oldest job while some wait"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { visible = "ApproximateNumberOfMessagesVisible", age = "ApproximateAgeOfOldestMessage" }
    content {
      id = metric_query.key

      metric {
        namespace   = "AWS/SQS"
        metric_name = metric_query.value
        dimensions  = { QueueName = var.wires.queue.name }
        period      = 60
        stat        = "Maximum"
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "idle" {
  alarm_name          = "${var.name}-no-long-jobs"
  alarm_description   = "No long job is waiting or in flight: stops the workers."
  evaluation_periods  = 10
  threshold           = 0
  comparison_operator = "LessThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_appautoscaling_policy.none.arn]

  metric_query {
    id          = "all"
    expression  = "waiting + held"
    label       = "Long jobs"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { waiting = "ApproximateNumberOfMessagesVisible", held = "ApproximateNumberOfMessagesNotVisible" }
    content {
      id = metric_query.key

      metric {
        namespace   = "AWS/SQS"
        metric_name = metric_query.value
        dimensions  = { QueueName = var.wires.queue.name }
        period      = 60
        stat        = "Maximum"
      }
    }
  }
}
