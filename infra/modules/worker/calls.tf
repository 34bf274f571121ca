# What calls the functions.

resource "aws_lambda_event_source_mapping" "worker" {
  event_source_arn                   = var.wires.queue.arn
  function_name                      = aws_lambda_alias.live["worker"].arn
  batch_size                         = var.config.batch_size
  maximum_batching_window_in_seconds = var.config.batch_size > 10 ? 1 : 0
  function_response_types            = ["ReportBatchItemFailures"]

  # A limit of the mapping, not reserved concurrency: further messages wait in the queue and do not count as received.
  scaling_config {
    maximum_concurrency = var.config.max_concurrency
  }
}

resource "aws_lambda_event_source_mapping" "webhooks" {
  count = local.hears ? 1 : 0

  event_source_arn        = var.wires.webhook_queue.arn
  function_name           = aws_lambda_alias.live["webhooks"].arn
  batch_size              = 1
  function_response_types = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = var.webhooks.max_concurrency
  }
}

resource "aws_cloudwatch_event_rule" "housekeeping" {
  name                = "${var.name}-housekeeping"
  description         = "Starts Cutback's housekeeping"
  schedule_expression = "rate(1 minute)"
}

resource "aws_cloudwatch_event_target" "housekeeping" {
  rule = aws_cloudwatch_event_rule.housekeeping.name
  arn  = aws_lambda_alias.live["housekeeping"].arn

  # A missed round is not repeated: the next one does all the work.
  retry_policy {
    maximum_event_age_in_seconds = 60
    maximum_retry_attempts       = 0
  }
}

resource "aws_lambda_permission" "housekeeping" {
  statement_id  = "schedule"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_alias.live["housekeeping"].function_name
  qualifier     = aws_lambda_alias.live["housekeeping"].name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.housekeeping.arn
}

# The same for Lambda's own retries, because EventBridge invokes asynchronously.
resource "aws_lambda_function_event_invoke_config" "housekeeping" {
  function_name                = aws_lambda_alias.live["housekeeping"].function_name
  qualifier                    = aws_lambda_alias.live["housekeeping"].name
  maximum_event_age_in_seconds = 60
  maximum_retry_attempts       = 0
}
