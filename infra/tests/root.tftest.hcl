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
    condition     = length(module.cache) + length(module.service) + length(module.budget) + length(module.key) == 0
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
    budget     = { monthly_usd = 300, email = ["sea@example.org"] }
    observe    = { email = ["sea@example.org"] }
    storage    = { public = {}, recordings = { keep_days = 7 } }
  }

  assert {
    condition     = length(module.cache) == 1 && length(module.service) == 1 && length(module.budget) == 1 && length(module.key) == 1
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
}

run "cache_needs_a_network" {
  command = plan

  variables {
    cache = {}
  }

  expect_failures = [var.network]
}

run "names_fit_into_buckets" {
  command = plan

  variables {
    name = "Cutback Production"
  }

  expect_failures = [var.name]
}

run "one_key" {
  command = plan

  variables {
    encryption = { create_key = true, kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/1" }
  }

  expect_failures = [var.encryption]
}
