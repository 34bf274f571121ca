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

output "api" {
  description = "The REST API: curl THIS.url/healthz; null without it."
  value       = module.cutback.api
}

output "nat_address" {
  description = "With the API: the address from which MongoDB is reached, for its access list."
  value       = one(module.network[*].nat_address)
}

output "dashboard" {
  description = "The URL of the dashboard."
  value       = module.cutback.dashboard
}

output "operator_policy" {
  description = "A policy (JSON) for people who run `cutback dead-letters` and `cutback redrive`."
  value       = module.cutback.operator_policy
}
