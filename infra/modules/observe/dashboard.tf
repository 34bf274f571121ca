# One dashboard of the whole path, in its order: waiting messages, clips being made, dead letters, events.

data "aws_region" "this" {}

locals {
  region = data.aws_region.this.id

  graphs = [
    {
      title   = "Waiting messages"
      stat    = "Maximum"
      metrics = [for role, queue in var.queues : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue.name, { label = role }]]
    },
    {
      title   = "Age of the oldest message, s"
      stat    = "Maximum"
      metrics = [for role, queue in var.queues : ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", queue.name, { label = role }]]
    },
    {
      title   = "Messages in flight"
      stat    = "Maximum"
      metrics = [for role, queue in var.queues : ["AWS/SQS", "ApproximateNumberOfMessagesNotVisible", "QueueName", queue.name, { label = role }]]
    },
    {
      title   = "Invocations"
      stat    = "Sum"
      metrics = [for role, function in var.functions : ["AWS/Lambda", "Invocations", "FunctionName", function.name, { label = role }]]
    },
    {
      title   = "Concurrent executions"
      stat    = "Maximum"
      metrics = [for role, function in var.functions : ["AWS/Lambda", "ConcurrentExecutions", "FunctionName", function.name, { label = role }]]
    },
    {
      title = "Duration of an invocation, ms"
      stat  = "p50"
      metrics = concat(
        [for role, function in var.functions : ["AWS/Lambda", "Duration", "FunctionName", function.name, { label = "${role} p50" }]],
        [["AWS/Lambda", "Duration", "FunctionName", var.functions.worker.name, { label = "worker p95", stat = "p95" }]],
      )
    },
    {
      title   = "Dead letters"
      stat    = "Maximum"
      metrics = [for role, queue in var.queues : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue.dead, { label = role }]]
    },
    {
      title = "Errors and throttles"
      stat  = "Sum"
      metrics = concat([for metric in ["Errors", "Throttles"] : [
        for role, function in var.functions : ["AWS/Lambda", metric, "FunctionName", function.name, { label = "${role} ${lower(metric)}" }]
      ]]...)
    },
    {
      title = "Announced"
      stat  = "Sum"
      metrics = [for metric in ["NumberOfMessagesPublished", "NumberOfNotificationsDelivered", "NumberOfNotificationsFailed"] :
        ["AWS/SNS", metric, "TopicName", var.topic_name]
      ]
    },
  ]
}

# Dashboards are global: names are unique in the account, not in a region.
resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = "${var.name}-${local.region}"

  dashboard_body = jsonencode({
    widgets = concat(
      [for index, graph in local.graphs : {
        type   = "metric"
        x      = 8 * (index % 3)
        y      = 6 * floor(index / 3)
        width  = 8
        height = 6
        properties = {
          title   = graph.title
          region  = local.region
          view    = "timeSeries"
          period  = 60
          stat    = graph.stat
          metrics = graph.metrics
          yAxis   = { left = { min = 0 } }
        }
      }],
      [
        {
          type   = "metric"
          x      = 0
          y      = 18
          width  = 24
          height = 6
          properties = {
            title   = "Cutback's own metrics"
            region  = local.region
            view    = "timeSeries"
            period  = 60
            metrics = [[{ expression = "SEARCH('Namespace=\"${var.namespace}\" service=\"${var.name}\"', 'Sum', 60)", id = "own" }]]
          }
        },
        {
          type   = "log"
          x      = 0
          y      = 24
          width  = 24
          height = 6
          properties = {
            title  = "Warnings and errors, latest first"
            region = local.region
            view   = "table"
            query = join(" | ", concat(
              [for group in var.log_groups : "SOURCE '${group}'"],
              ["fields @timestamp, @log, @message", "filter @message like /WARNING|ERROR/", "sort @timestamp desc", "limit 50"],
            ))
          }
        },
      ],
    )
  })
}
