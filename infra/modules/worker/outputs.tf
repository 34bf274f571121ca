output "functions" {
  description = "The functions by what they do: worker, housekeeping and, if anybody hears, webhooks."
  value = { for role, function in aws_lambda_function.this : role => {
    name    = function.function_name
    arn     = function.arn
    role    = aws_iam_role.this[role].name
    logs    = aws_cloudwatch_log_group.this[role].name
    timeout = function.timeout
  } }
}

output "environment" {
  description = "How the program is told where everything is; the long-running workers are told the same."
  value       = local.environment
}

output "mapping" {
  description = "The event source mapping that calls the worker."
  value       = aws_lambda_event_source_mapping.worker.uuid
}

output "webhooks_secret_arn" {
  description = "What signs webhooks: give its content to your receivers. Null if nobody hears."
  value       = one(aws_secretsmanager_secret.webhooks[*].arn)
}
