# A DocumentDB cluster, which no stand-in plays: what would be made of it.
# Not against a mocked provider, since Terraform cannot mock ephemeral resources: AWS is asked, or a stand-in named by
# AWS_ENDPOINT_URL, but nothing is made.

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
    error_message = "The cluster must be encrypted, and not be deleted by accident."
  }

  assert {
    condition     = !aws_docdb_cluster.this[0].skip_final_snapshot && aws_docdb_cluster.this[0].backup_retention_period == 7
    error_message = "There must be backups, and a last one."
  }

  assert {
    condition     = length(aws_docdb_cluster_instance.this) == 3
    error_message = "As many instances as were asked for."
  }

  assert {
    condition     = contains([for each in aws_docdb_cluster_parameter_group.this[0].parameter : "${each.name}=${each.value}"], "tls=enabled")
    error_message = "Only encrypted connections."
  }

  assert {
    condition     = aws_docdb_cluster.this[0].master_password == null && aws_secretsmanager_secret_version.url[0].secret_string == null
    error_message = "The password must be write-only: neither state nor plan may have it."
  }

  assert {
    condition = (
      aws_vpc_security_group_ingress_rule.documentdb[0].referenced_security_group_id == "sg-1" &&
      aws_vpc_security_group_ingress_rule.documentdb[0].from_port == 27017
    )
    error_message = "Nobody but the workers may reach it."
  }
}

run "disposable" {
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
    condition     = aws_docdb_cluster.this[0].skip_final_snapshot && !aws_docdb_cluster.this[0].deletion_protection
    error_message = "What is disposable must go without asking."
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
    error_message = "The secret that exists is used, and none is made."
  }
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
