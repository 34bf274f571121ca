output "recordings_bucket" {
  description = "aws s3 cp sea.mp4 s3://THIS/"
  value       = module.cutback.recordings_bucket
}

output "clips_bucket" {
  description = "aws s3 cp s3://THIS/… wave.mp4"
  value       = module.cutback.clips_bucket
}

output "queue_url" {
  description = "aws sqs send-message --queue-url THIS --message-body file://wave.json"
  value       = module.cutback.queue_url
}

output "dead_letters_url" {
  description = "The queue of dead letters."
  value       = module.cutback.dead_letters_url
}

output "requests_topic_arn" {
  description = "aws sns publish --topic-arn THIS --message file://wave.json"
  value       = module.cutback.requests_topic_arn
}

output "events_topic_arn" {
  description = "aws sns subscribe --topic-arn THIS --protocol email --notification-endpoint you@example.org"
  value       = module.cutback.events_topic_arn
}

output "records_secret_arn" {
  description = "The secret that holds the MongoDB URL."
  value       = module.cutback.records_secret_arn
}

output "functions" {
  description = "aws logs tail --follow the worker's log group."
  value       = module.cutback.functions
}

output "mapping" {
  description = "The event source mapping from the queue to the worker."
  value       = module.cutback.mapping
}

output "dashboard" {
  description = "The URL of the dashboard."
  value       = module.cutback.dashboard
}

output "clips_address" {
  description = "The public base URL of clips."
  value       = module.cutback.clips_address
}

output "signers_key_id" {
  description = "The id of the key in signed URLs (Key-Pair-Id)."
  value       = module.cutback.signers_key_id
}

output "webhook_queue_url" {
  description = "The queue of webhook deliveries."
  value       = module.cutback.webhook_queue_url
}

output "webhooks_secret_arn" {
  description = "aws secretsmanager get-secret-value --secret-id THIS, for your receivers."
  value       = module.cutback.webhooks_secret_arn
}

output "long_queue_url" {
  description = "The queue of jobs for the long-running workers."
  value       = module.cutback.long_queue_url
}

output "repository_url" {
  description = "docker push THIS:0.1.0"
  value       = module.cutback.repository_url
}

output "service" {
  description = "The long-running workers."
  value       = module.cutback.service
}

output "api" {
  description = "The REST API: curl THIS.url/healthz"
  value       = module.cutback.api
}

output "cache_url" {
  description = "The cache."
  value       = module.cutback.cache_url
}

output "reader_queue_url" {
  description = "Events of clips: aws sqs receive-message --queue-url THIS --wait-time-seconds 20"
  value       = aws_sqs_queue.reader.url
}

output "operator_policy" {
  description = "A policy (JSON) for people who run `cutback dead-letters` and `cutback redrive`."
  value       = module.cutback.operator_policy
}
