output "url" {
  description = "The queue, for whoever sends and receives."
  value       = aws_sqs_queue.this.url
}

output "arn" {
  description = "The queue, for policies and mappings."
  value       = aws_sqs_queue.this.arn
}

output "name" {
  description = "The queue, for metrics."
  value       = aws_sqs_queue.this.name
}

output "visibility_seconds" {
  description = "How long a message stays hidden when nobody asks for longer."
  value       = aws_sqs_queue.this.visibility_timeout_seconds
}

output "dead" {
  description = "The queue of its dead letters."
  value = {
    url  = aws_sqs_queue.dead.url
    arn  = aws_sqs_queue.dead.arn
    name = aws_sqs_queue.dead.name
  }
}
