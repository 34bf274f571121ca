output "secret_arn" {
  description = "The secret that holds the MongoDB URL."
  value       = local.ours ? aws_secretsmanager_secret.url[0].arn : var.config.secret_arn

  # Who reads the secret finds something in it.
  depends_on = [aws_secretsmanager_secret_version.url]
}

output "documentdb_endpoint" {
  description = "DocumentDB's address; null without it."
  value       = one(aws_docdb_cluster.this[*].endpoint)
}
