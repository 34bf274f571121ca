output "repository_url" {
  description = "Where to push the image; null if it comes from elsewhere."
  value       = one(aws_ecr_repository.this[*].repository_url)
}

output "image" {
  description = "The image that is run."
  value       = local.image
}

output "cluster" {
  description = "The cluster, for metrics and the AWS command line."
  value       = aws_ecs_cluster.this.name
}

output "service" {
  description = "The service, likewise."
  value       = aws_ecs_service.this.name
}

output "logs" {
  description = "The workers' log group."
  value       = aws_cloudwatch_log_group.this.name
}

output "role" {
  description = "The role of the program inside."
  value       = aws_iam_role.this["work"].name
}
