# The secret that signs webhooks. It is created here once and stored only in Secrets Manager, neither in the state nor
# in plans.

ephemeral "aws_secretsmanager_random_password" "webhooks" {
  count = local.hears ? 1 : 0

  password_length     = 32
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret" "webhooks" {
  #checkov:skip=CKV_AWS_149:encrypted with Secrets Manager's own key unless secrets_key names yours
  #checkov:skip=CKV2_AWS_57:receivers have the same secret; change it together with them, with webhooks.secret_version
  count = local.hears ? 1 : 0

  name_prefix             = "${var.name}-webhooks-"
  description             = "Signs webhooks (Standard Webhooks)"
  kms_key_id              = var.secrets_key
  recovery_window_in_days = var.webhooks.recovery_days
}

resource "aws_secretsmanager_secret_version" "webhooks" {
  count = local.hears ? 1 : 0

  secret_id                = aws_secretsmanager_secret.webhooks[0].id
  secret_string_wo         = "whsec_${base64encode(ephemeral.aws_secretsmanager_random_password.webhooks[0].random_password)}"
  secret_string_wo_version = var.webhooks.secret_version
}
