output "arn" {
  description = "The key, for whoever encrypts with it."
  value       = aws_kms_key.this.arn
}
