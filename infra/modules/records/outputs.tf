output "secret_arn" {
  description = "The secret that holds the MongoDB URL."
  value       = local.ours ? aws_secretsmanager_secret.url[0].arn : var.config.secret_arn

  # The secret has a value before anything reads it.
  depends_on = [aws_secretsmanager_secret_version.url]
}

output "documentdb_endpoint" {
  description = "The address of DocumentDB; null without it."
  value       = one(aws_docdb_cluster.this[*].endpoint)
}

output "secret_version" {
  description = "The version of the secret that was written last; null for an existing secret."
  value       = one(aws_secretsmanager_secret_version.url[*].version_id)
}
