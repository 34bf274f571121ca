output "queue_url" {
  description = "Send clip requests here."
  value       = module.cutback.queue_url
}

output "requests_topic_arn" {
  description = "Or publish them here."
  value       = module.cutback.requests_topic_arn
}

output "events_topic_arn" {
  description = "Subscribe here to hear what became of them."
  value       = module.cutback.events_topic_arn
}

output "functions" {
  description = "The functions, each with its role: let the roles use your key, if its policy does not."
  value       = module.cutback.functions
}

output "dashboard" {
  description = "The page of the whole path."
  value       = module.cutback.dashboard
}
