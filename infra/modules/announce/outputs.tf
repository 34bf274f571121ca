output "topic_arn" {
  description = "What became of clips: subscribe here."
  value       = aws_sns_topic.events.arn
}

output "topic_name" {
  description = "The same topic, for metrics."
  value       = aws_sns_topic.events.name
}

output "requests_topic_arn" {
  description = "Clip requests by way of SNS: publish here."
  value       = aws_sns_topic.requests.arn
}
