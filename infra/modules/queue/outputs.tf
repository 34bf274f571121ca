output "url" {
  description = "The URL of the queue."
  value       = aws_sqs_queue.this.url
}

output "arn" {
  description = "The ARN of the queue."
  value       = aws_sqs_queue.this.arn
}

output "name" {
  description = "The name of the queue, for metrics."
  value       = aws_sqs_queue.this.name
}

output "visibility_seconds" {
  description = "The default visibility timeout, in seconds."
  value       = aws_sqs_queue.this.visibility_timeout_seconds
}

output "dead" {
  description = "Its dead-letter queue."
  value = {
    url  = aws_sqs_queue.dead.url
    arn  = aws_sqs_queue.dead.arn
    name = aws_sqs_queue.dead.name
  }
}
