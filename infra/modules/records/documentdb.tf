# A cluster of Amazon DocumentDB, if the records should be in the same account.

locals {
  cluster = var.config.kind == "documentdb" ? 1 : 0

  # DocumentDB does not support retryable writes. The program contains the authorities that sign its certificates.
  documentdb_url = local.cluster == 0 ? null : join("", [
    "mongodb://${var.config.documentdb.username}:${ephemeral.aws_secretsmanager_secret_version.documentdb[0].secret_string}",
    "@${aws_docdb_cluster.this[0].endpoint}:27017/cutback?tls=true&replicaSet=rs0&retryWrites=false",
    var.config.documentdb.ca_file == null ? "" : "&tlsCAFile=${var.config.documentdb.ca_file}",
  ])
}

# The password is stored in its own secret before the cluster exists; cluster and URL both read it from there. Creating
# a cluster takes ten minutes. If the first apply stops after that, a second one must not write another password into
# the URL.
ephemeral "aws_secretsmanager_random_password" "documentdb" {
  count = local.cluster

  password_length     = 40
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret" "documentdb" {
  #checkov:skip=CKV_AWS_149:encrypted with Secrets Manager's own key unless secrets_key names yours
  #checkov:skip=CKV2_AWS_57:rotated together with the cluster's password, by url_version
  count = local.cluster

  name_prefix             = "${var.name}-documentdb-"
  description             = "Password of ${var.name}'s DocumentDB cluster"
  kms_key_id              = var.secrets_key
  recovery_window_in_days = var.config.recovery_days
}

resource "aws_secretsmanager_secret_version" "documentdb" {
  count = local.cluster

  secret_id                = aws_secretsmanager_secret.documentdb[0].id
  secret_string_wo         = ephemeral.aws_secretsmanager_random_password.documentdb[0].random_password
  secret_string_wo_version = var.config.url_version
}

ephemeral "aws_secretsmanager_secret_version" "documentdb" {
  count = local.cluster

  secret_id  = aws_secretsmanager_secret.documentdb[0].id
  version_id = aws_secretsmanager_secret_version.documentdb[0].version_id
}

# The time of the first plan makes the name of the last snapshot unique: an earlier cluster of this name may have left one.
resource "terraform_data" "made" {
  count = local.cluster

  input = formatdate("YYYYMMDDhhmmss", plantimestamp())

  lifecycle {
    ignore_changes = [input]
  }
}

resource "aws_docdb_cluster" "this" {
  #checkov:skip=CKV_AWS_360:config.documentdb.backup_days, 7 by default
  #checkov:skip=CKV_AWS_182:encrypted with RDS's own key unless kms_key_arn names yours
  count = local.cluster

  cluster_identifier              = "${var.name}-records"
  engine                          = "docdb"
  engine_version                  = "5.0.0"
  master_username                 = var.config.documentdb.username
  master_password_wo              = ephemeral.aws_secretsmanager_secret_version.documentdb[0].secret_string
  master_password_wo_version      = var.config.url_version
  db_subnet_group_name            = aws_docdb_subnet_group.this[0].name
  db_cluster_parameter_group_name = aws_docdb_cluster_parameter_group.this[0].name
  vpc_security_group_ids          = [aws_security_group.documentdb[0].id]
  storage_encrypted               = true
  kms_key_id                      = var.kms_key_arn
  backup_retention_period         = var.config.documentdb.backup_days
  deletion_protection             = var.config.documentdb.deletion_protection
  skip_final_snapshot             = !var.config.documentdb.final_snapshot
  final_snapshot_identifier       = "${var.name}-records-last-${terraform_data.made[0].output}"
  enabled_cloudwatch_logs_exports = ["audit", "profiler"]
}

resource "aws_docdb_cluster_instance" "this" {
  count = local.cluster * try(var.config.documentdb.instances, 0)

  identifier                 = "${var.name}-records-${count.index}"
  cluster_identifier         = aws_docdb_cluster.this[0].id
  instance_class             = var.config.documentdb.instance_class
  auto_minor_version_upgrade = true
}

resource "aws_docdb_cluster_parameter_group" "this" {
  count = local.cluster

  name        = "${var.name}-records"
  description = "TLS only, with an audit log"
  family      = "docdb5.0"

  parameter {
    name  = "tls"
    value = "enabled"
  }

  parameter {
    name  = "audit_logs"
    value = "enabled"
  }
}

resource "aws_docdb_subnet_group" "this" {
  count = local.cluster

  name        = "${var.name}-records"
  description = "Records of ${var.name}"
  subnet_ids  = try(var.network.subnet_ids, [])
}

resource "aws_security_group" "documentdb" {
  count = local.cluster

  name_prefix = "${var.name}-records-"
  description = "Records of ${var.name}: for its workers"
  vpc_id      = try(var.network.vpc_id, null)
  tags        = { Name = "${var.name}-records" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "documentdb" {
  count = local.cluster

  security_group_id            = aws_security_group.documentdb[0].id
  description                  = "Workers"
  referenced_security_group_id = try(var.network.workers_security_group_id, null)
  ip_protocol                  = "tcp"
  from_port                    = 27017
  to_port                      = 27017
}
