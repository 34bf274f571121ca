# One secret holds the MongoDB URL of the records, including its password. The programs read it when they start.

locals {
  ours = var.config.kind != "secret"
}

resource "aws_secretsmanager_secret" "url" {
  #checkov:skip=CKV_AWS_149:encrypted with Secrets Manager's own key unless secrets_key names yours
  #checkov:skip=CKV2_AWS_57:the password is MongoDB's; after you rotate it there, write the new URL with url_version
  count = local.ours ? 1 : 0

  name_prefix             = "${var.name}-records-"
  description             = "MongoDB URL of ${var.name}'s records"
  kms_key_id              = var.secrets_key
  recovery_window_in_days = var.config.recovery_days
}

# Write-only: it is stored neither in the state nor in plans.
resource "aws_secretsmanager_secret_version" "url" {
  count = local.ours ? 1 : 0

  secret_id                = aws_secretsmanager_secret.url[0].id
  secret_string_wo         = var.config.kind == "documentdb" ? local.documentdb_url : var.url
  secret_string_wo_version = var.config.url_version

  lifecycle {
    precondition {
      condition     = var.config.kind != "url" || can(regex("^mongodb(\\+srv)?://", var.url))
      error_message = "records_url must be a MongoDB URL (mongodb:// or mongodb+srv://). Set TF_VAR_records_url."
    }
  }
}
