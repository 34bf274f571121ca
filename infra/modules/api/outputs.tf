output "url" {
  description = "The address of the API."
  value       = local.address
}

output "domain_name" {
  description = "CloudFront's name of the distribution: the target of a DNS record for `aliases`."
  value       = aws_cloudfront_distribution.this.domain_name
}

output "repository_url" {
  description = "The repository to push the image to; null if the image comes from elsewhere."
  value       = one(aws_ecr_repository.this[*].repository_url)
}

output "image" {
  description = "The image that runs."
  value       = local.image
}

output "cluster" {
  description = "The name of the cluster, for the AWS command line."
  value       = aws_ecs_cluster.this.name
}

output "service" {
  description = "The name of the service, for the same."
  value       = aws_ecs_service.this.name
}

output "task_definition" {
  description = "The task definition, to run other commands with its settings."
  value       = aws_ecs_task_definition.this.arn
}

output "network" {
  description = "Subnets and security groups of the tasks, for the same."
  value = {
    subnet_ids         = var.network.subnet_ids
    security_group_ids = concat([aws_security_group.tasks.id], var.network.security_group_ids)
  }
}

output "logs" {
  description = "The log group of the API."
  value       = aws_cloudwatch_log_group.this.name
}

output "role" {
  description = "The role of the program in the container."
  value       = aws_iam_role.this["work"].name
}

output "alarms" {
  description = "The names of the API's alarms."
  value       = sort([for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_name])
}
