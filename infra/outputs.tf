output "recordings_bucket" {
  description = "The bucket of recordings."
  value       = module.storage.recordings.bucket
}

output "clips_bucket" {
  description = "The bucket of clips."
  value       = module.storage.clips.bucket
}

output "clips_address" {
  description = "The public base URL of clips; null without storage.public."
  value       = module.storage.address
}

output "signers_key_id" {
  description = "The id of the key in signed URLs (Key-Pair-Id); null if URLs are not signed."
  value       = module.storage.signers_key_id
}

output "clips_policy" {
  description = "The policy statement that lets CloudFront read your existing bucket of clips; null without storage.public."
  value       = module.storage.clips_policy
}

output "queue_url" {
  description = "The queue for clip requests."
  value       = module.queue.url
}

output "dead_letters_url" {
  description = "The queue of dead letters."
  value       = module.queue.dead.url
}

output "requests_topic_arn" {
  description = "The topic for clip requests."
  value       = module.announce.requests_topic_arn
}

output "events_topic_arn" {
  description = "The topic of events: subscribe here."
  value       = module.announce.topic_arn
}

output "records_secret_arn" {
  description = "The secret that holds the MongoDB URL."
  value       = module.records.secret_arn
}

output "webhooks_secret_arn" {
  description = "The secret that signs webhooks; null without webhooks."
  value       = module.worker.webhooks_secret_arn
}

output "cache_url" {
  description = "The URL of the cache; null without one."
  value       = one(module.cache[*].url)
}

output "functions" {
  description = "The functions by role, each with name, ARN, IAM role and log group."
  value       = module.worker.functions
}

output "mapping" {
  description = "The event source mapping from the queue to the worker."
  value       = module.worker.mapping
}

output "webhook_queue_url" {
  description = "The queue of webhook deliveries; null without webhooks."
  value       = one(module.webhook_queue[*].url)
}

output "long_queue_url" {
  description = "The queue of jobs for the long-running workers; null without them."
  value       = one(module.long_queue[*].url)
}

output "repository_url" {
  description = "The repository for the image of the long-running workers; null without them."
  value       = one(module.service[*].repository_url)
}

output "service" {
  description = "The long-running workers: cluster, service, image, log group, role; null without them."
  value       = one(module.service)
}

output "api" {
  description = "The REST API: its URL, repository, cluster, service, log group, role and alarms; null without it."
  value       = one(module.api)
}

output "kms_key_arn" {
  description = "The customer-managed key; null if AWS's own keys are used."
  value       = local.key
}

output "keys" {
  description = "The customer-managed keys that the programs use, and those with which they only decrypt."
  value       = local.keys
}

output "operator_policy" {
  description = "A policy (JSON) for people who run `cutback dead-letters` and `cutback redrive`: attach it to their role."
  value       = module.operator_access.json
}

output "dashboard" {
  description = "The URL of the dashboard."
  value       = module.observe.dashboard
}

output "alarms" {
  description = "The names of all alarms."
  value       = sort(concat(module.observe.alarms, flatten(module.api[*].alarms)))
}
