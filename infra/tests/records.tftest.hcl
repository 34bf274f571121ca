# A DocumentDB cluster, which the emulation does not support: what would be created.
# Without a mocked provider, because Terraform cannot mock ephemeral resources. It asks AWS, or the emulation that
# AWS_ENDPOINT_URL names, but creates nothing.

provider "aws" {}

variables {
  name = "cutback"
  config = {
    kind       = "documentdb"
    documentdb = { instances = 3 }
  }
  network = {
    vpc_id                    = "vpc-1"
    subnet_ids                = ["subnet-1", "subnet-2"]
    workers_security_group_id = "sg-1"
  }
}

run "a_cluster_that_keeps_what_it_has" {
  command = plan

  module {
    source = "./modules/records"
  }

  assert {
    condition     = aws_docdb_cluster.this[0].storage_encrypted && aws_docdb_cluster.this[0].deletion_protection
    error_message = "The cluster must be encrypted and protected from accidental deletion."
  }

  assert {
    condition     = !aws_docdb_cluster.this[0].skip_final_snapshot && aws_docdb_cluster.this[0].backup_retention_period == 7
    error_message = "There must be backups, including a final one."
  }

  assert {
    condition     = length(aws_docdb_cluster_instance.this) == 3
    error_message = "The number of instances must be as configured."
  }

  assert {
    condition     = contains([for each in aws_docdb_cluster_parameter_group.this[0].parameter : "${each.name}=${each.value}"], "tls=enabled")
    error_message = "Only encrypted connections are allowed."
  }

  assert {
    condition     = aws_docdb_cluster.this[0].master_password == null && aws_secretsmanager_secret_version.url[0].secret_string == null && aws_secretsmanager_secret_version.documentdb[0].secret_string == null
    error_message = "The password must be write-only: neither the state nor a plan may contain it."
  }

  assert {
    condition = (
      aws_vpc_security_group_ingress_rule.documentdb[0].referenced_security_group_id == "sg-1" &&
      aws_vpc_security_group_ingress_rule.documentdb[0].from_port == 27017
    )
    error_message = "Only the workers may connect to it."
  }
}

run "destroying_leaves_a_snapshot" {
  command = plan

  module {
    source = "./modules/records"
  }

  variables {
    config = {
      kind          = "documentdb"
      documentdb    = { deletion_protection = false }
      recovery_days = 0
    }
  }

  assert {
    condition     = !aws_docdb_cluster.this[0].skip_final_snapshot && !aws_docdb_cluster.this[0].deletion_protection
    error_message = "That it may be destroyed does not mean that nothing may stay of it."
  }

  assert {
    condition     = can(regex("^[0-9]{14}$", terraform_data.made[0].input))
    error_message = "The snapshot's name must be unique: an earlier cluster of this name may have left one."
  }
}

run "without_a_last_snapshot" {
  command = plan

  module {
    source = "./modules/records"
  }

  variables {
    config = { kind = "documentdb", documentdb = { deletion_protection = false, final_snapshot = false } }
  }

  assert {
    condition     = aws_docdb_cluster.this[0].skip_final_snapshot
    error_message = "Who asks for none gets none."
  }
}

run "a_url_must_be_mongodbs" {
  command = plan

  module {
    source = "./modules/records"
  }

  variables {
    config = { kind = "url" }
    url    = "postgres://host/cutback"
  }

  expect_failures = [aws_secretsmanager_secret_version.url]
}

run "a_secret_of_ones_own" {
  command = plan

  module {
    source = "./modules/records"
  }

  variables {
    config = { kind = "secret", secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:mine-abcdef" }
  }

  assert {
    condition     = output.secret_arn == var.config.secret_arn && length(aws_secretsmanager_secret.url) == 0
    error_message = "The existing secret is used, and none is created."
  }
}

run "documentdb_needs_a_network" {
  command = plan

  module {
    source = "./modules/records"
  }

  variables {
    network = null
  }

  expect_failures = [var.network]
}

run "a_secret_must_be_named" {
  command = plan

  module {
    source = "./modules/records"
  }

  variables {
    config = { kind = "secret" }
  }

  expect_failures = [var.config]
}
