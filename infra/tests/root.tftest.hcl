# How the root connects the modules, and what it rejects: plans with every part, and with invalid values.
# Without a mocked provider, because Terraform cannot mock ephemeral resources. It asks AWS, or the emulation that
# AWS_ENDPOINT_URL names, but creates nothing.

provider "aws" {}

variables {
  package     = "tests/root.tftest.hcl" # any file works for a plan
  records_url = "mongodb://user:password@example.org/cutback"
}

run "alone" {
  command = plan

  assert {
    condition     = length(module.cache) + length(module.service) + length(module.api) + length(module.budget) + length(module.key) == 0
    error_message = "Nothing that is billed by the hour may be created by default."
  }

  assert {
    condition     = module.queue.visibility_seconds == 1800
    error_message = "Six times the default timeout of 300 s."
  }

  assert {
    condition     = length(module.webhook_queue) == 0 && output.webhooks_secret_arn == null
    error_message = "Without webhooks, there must be no queue, function or secret for them."
  }
}

run "everything" {
  command = plan

  variables {
    encryption = { create_key = true }
    network    = { vpc_id = "vpc-1", subnet_ids = ["subnet-1", "subnet-2"] }
    worker     = { timeout = 900 }
    webhooks   = { urls = ["https://example.org/hook"] }
    records    = { kind = "documentdb" }
    cache      = {}
    service    = {}
    api        = {}
    budget     = { monthly_usd = 300, email = ["sea@example.org"] }
    observe    = { email = ["sea@example.org"] }
    storage    = { public = {}, recordings = { keep_days = 7 } }
  }

  assert {
    condition     = toset([for rule in aws_vpc_security_group_egress_rule.workers : rule.from_port]) == toset([443, 11211, 27015, 27016, 27017])
    error_message = "Atlas listens on 27015 to 27017."
  }

  assert {
    condition     = length(module.cache) == 1 && length(module.service) == 1 && length(module.api) == 1 && length(module.budget) == 1 && length(module.key) == 1
    error_message = "Every configured part must be there."
  }

  assert {
    condition     = module.queue.visibility_seconds == 5400
    error_message = "Six times the longest timeout."
  }

  assert {
    condition     = length([for alarm in output.alarms : alarm if endswith(alarm, "-dead-letters")]) == 3
    error_message = "The dead letters of each queue must have an alarm."
  }

  assert {
    condition     = length([for alarm in output.alarms : alarm if startswith(alarm, "cutback-api-")]) == 4
    error_message = "The API's alarms must be among all alarms."
  }
}

run "assets_for_edits" {
  command = plan

  variables {
    storage = { assets = { bucket = "sea-brand", prefix = "logos/2026" } }
    service = {}
    network = { vpc_id = "vpc-1", subnet_ids = ["subnet-1", "subnet-2"] }
  }

  assert {
    condition     = module.storage.assets == { arn = "arn:aws:s3:::sea-brand", url = "s3://sea-brand/logos/2026" }
    error_message = "The bucket is only named: nothing is created and nothing is asked of it."
  }
}

run "assets_are_read_by_what_makes_clips" {
  command = plan

  module {
    source = "./modules/access"
  }

  variables {
    reads = ["arn:aws:s3:::sea", "arn:aws:s3:::sea-brand"]
  }

  assert {
    condition = {
      for statement in jsondecode(output.json).Statement : statement.Sid => statement.Action if contains(flatten([statement.Resource]), "arn:aws:s3:::sea-brand/*")
    } == { Read = "s3:GetObject" }
    error_message = "Assets are only read."
  }
}

run "the_worker_reads_assets" {
  command = plan

  module {
    source = "./modules/worker"
  }

  variables {
    name     = "cutback"
    config   = {}
    webhooks = {}
    log_days = 30
    wires = {
      recordings         = { bucket = "sea", arn = "arn:aws:s3:::sea" }
      clips              = { bucket = "waves", arn = "arn:aws:s3:::waves" }
      assets             = { url = "s3://sea-brand", arn = "arn:aws:s3:::sea-brand" }
      code_bucket        = "code"
      queue              = { url = "https://queue", arn = "arn:queue", visibility_seconds = 1800, dead = { arn = "arn:dead" } }
      topic_arn          = "arn:topic"
      records_secret_arn = "arn:secret"
    }
  }

  assert {
    condition     = local.environment.CUTBACK_ASSETS == "s3://sea-brand" && local.reads == ["arn:aws:s3:::sea", "arn:aws:s3:::sea-brand"]
    error_message = "The worker must know the assets and be allowed to read them."
  }
}

run "what_the_root_refuses" {
  command = plan

  variables {
    name       = "Cutback Production" # no bucket can have such a name
    cache      = {}                   # without a network
    api        = {}                   # the same
    encryption = { create_key = true, kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/1" }
  }

  expect_failures = [var.name, var.network, var.encryption]
}

run "workers_fit_into_their_reservation" {
  command = plan

  module {
    source = "./modules/worker"
  }

  variables {
    name     = "cutback"
    config   = { max_concurrency = 20, reserved_concurrency = 10 }
    webhooks = {}
    log_days = 30
    wires = {
      recordings         = { bucket = "sea", arn = "arn:aws:s3:::sea" }
      clips              = { bucket = "waves", arn = "arn:aws:s3:::waves" }
      code_bucket        = "code"
      queue              = { url = "https://queue", arn = "arn:queue", visibility_seconds = 1800, dead = { arn = "arn:dead" } }
      topic_arn          = "arn:topic"
      records_secret_arn = "arn:secret"
    }
  }

  expect_failures = [var.config]
}

run "keys_of_sources_clips_and_secrets" {
  command = plan

  variables {
    encryption = {
      kms_key_arn        = "arn:aws:kms:eu-central-1:123456789012:key/all"
      recordings_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/recordings"
      clips_key_arn      = "arn:aws:kms:eu-central-1:123456789012:key/clips"
      secrets_key_arn    = "arn:aws:kms:eu-central-1:123456789012:key/secrets"
    }
  }

  assert {
    condition = (
      [for key in output.keys.uses : basename(key)] == ["all", "clips"] &&
      [for key in output.keys.decrypts : basename(key)] == ["recordings", "secrets"]
    )
    error_message = "Recordings and secrets are read, clips and messages are written as well."
  }
}
