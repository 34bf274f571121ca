output "repository_url" {
  description = "The repository to push the image to; null if the image comes from elsewhere."
  value       = one(aws_ecr_repository.this[*].repository_url)
}

output "repository_arn" {
  description = "This repository's ARN."
  value       = one(aws_ecr_repository.this[*].arn)
}

output "image" {
  description = "The image that runs."
  value       = local.image
}

output "cluster" {
  description = "The name of the cluster, for metrics and the AWS command line."
  value       = aws_ecs_cluster.this.name
}

output "service" {
  description = "The name of the service, for the same."
  value       = aws_ecs_service.this.name
}

output "logs" {
  description = "The log group of the workers."
  value       = aws_cloudwatch_log_group.this.name
}

output "role" {
  description = "The role of the program in the container."
  value       = aws_iam_role.this["work"].name
}
