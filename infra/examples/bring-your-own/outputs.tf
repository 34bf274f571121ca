output "queue_url" {
  description = "The queue for clip requests."
  value       = module.cutback.queue_url
}

output "requests_topic_arn" {
  description = "The topic for clip requests."
  value       = module.cutback.requests_topic_arn
}

output "events_topic_arn" {
  description = "The topic of events: subscribe here."
  value       = module.cutback.events_topic_arn
}

output "functions" {
  description = "The functions, each with its role. If the policy of your key does not allow these roles, add them."
  value       = module.cutback.functions
}

output "dashboard" {
  description = "The URL of the dashboard."
  value       = module.cutback.dashboard
}

output "operator_policy" {
  description = "A policy (JSON) for people who run `cutback dead-letters` and `cutback redrive`."
  value       = module.cutback.operator_policy
}
