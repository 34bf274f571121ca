output "recordings_bucket" {
  description = "Put recordings here."
  value       = module.storage.recordings.bucket
}

output "clips_bucket" {
  description = "Clips are stored here."
  value       = module.storage.clips.bucket
}

output "clips_address" {
  description = "Where the public finds clips; null if it does not."
  value       = module.storage.address
}

output "signers_key_id" {
  description = "The key's name in signed addresses (Key-Pair-Id); null if addresses are not signed."
  value       = module.storage.signers_key_id
}

output "clips_policy" {
  description = "What a bucket of clips that you brought along must allow CloudFront; null without storage.public."
  value       = module.storage.clips_policy
}

output "queue_url" {
  description = "Send clip requests here."
  value       = module.queue.url
}

output "dead_letters_url" {
  description = "What was given up."
  value       = module.queue.dead.url
}

output "requests_topic_arn" {
  description = "Or publish them here."
  value       = module.announce.requests_topic_arn
}

output "events_topic_arn" {
  description = "Subscribe here to hear what became of them."
  value       = module.announce.topic_arn
}

output "records_secret_arn" {
  description = "The secret that holds the MongoDB URL."
  value       = module.records.secret_arn
}

output "webhooks_secret_arn" {
  description = "The secret that signs webhooks; null if nobody hears by webhook."
  value       = module.worker.webhooks_secret_arn
}

output "cache_url" {
  description = "The cache; null without one."
  value       = one(module.cache[*].url)
}

output "functions" {
  description = "The functions by what they do, each with name, ARN, role and log group."
  value       = module.worker.functions
}

output "mapping" {
  description = "The event source mapping between queue and worker."
  value       = module.worker.mapping
}

output "webhook_queue_url" {
  description = "Deliveries to webhooks; null if nobody hears by webhook."
  value       = one(module.webhook_queue[*].url)
}

output "long_queue_url" {
  description = "Jobs for the long-running workers; null without them."
  value       = one(module.long_queue[*].url)
}

output "repository_url" {
  description = "Push the image of the long-running workers here; null without them."
  value       = one(module.service[*].repository_url)
}

output "service" {
  description = "The long-running workers: cluster, service, image, log group, role; null without them."
  value       = one(module.service)
}

output "kms_key_arn" {
  description = "The customer-managed key; null where AWS's own are used."
  value       = local.key
}

output "dashboard" {
  description = "The page of the whole path."
  value       = module.observe.dashboard
}

output "alarms" {
  description = "Every alarm's name."
  value       = module.observe.alarms
}
