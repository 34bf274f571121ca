output "functions" {
  description = "The functions by role: worker, housekeeping and, with webhooks, webhooks. `live` is the ARN of the alias that is called, `version` the version that it points to."
  value = { for role, function in aws_lambda_function.this : role => {
    name    = function.function_name
    arn     = function.arn
    live    = aws_lambda_alias.live[role].arn
    version = function.version
    role    = aws_iam_role.this[role].name
    logs    = aws_cloudwatch_log_group.this[role].name
    timeout = function.timeout
  } }
}

output "environment" {
  description = "The settings of the program, which the long-running workers use, too."
  value       = local.environment
}

output "mapping" {
  description = "The event source mapping that invokes the worker."
  value       = aws_lambda_event_source_mapping.worker.uuid
}

output "webhooks_secret_arn" {
  description = "The secret that signs webhooks: give its value to your receivers. null without webhooks."
  value       = one(aws_secretsmanager_secret.webhooks[*].arn)
}
