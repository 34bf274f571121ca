output "topic_arn" {
  description = "The topic of events: subscribe here."
  value       = aws_sns_topic.events.arn
}

output "topic_name" {
  description = "The name of this topic, for metrics."
  value       = aws_sns_topic.events.name
}

output "requests_topic_arn" {
  description = "The topic of clip requests: publish here."
  value       = aws_sns_topic.requests.arn
}
