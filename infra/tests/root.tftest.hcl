# How the root wires, and what it refuses: plans with every part, and with what must not be.
# Not against a mocked provider, since Terraform cannot mock ephemeral resources: AWS is asked, or a stand-in named by
# AWS_ENDPOINT_URL, but nothing is made.

provider "aws" {}

variables {
  package     = "tests/root.tftest.hcl" # any file does for a plan
  records_url = "mongodb://user:password@example.org/cutback"
}

run "alone" {
  command = plan

  assert {
    condition     = length(module.cache) + length(module.service) + length(module.budget) + length(module.key) == 0
    error_message = "Nothing that costs by the hour unless it is asked for."
  }

  assert {
    condition     = module.queue.visibility_seconds == 1800
    error_message = "Six times the default timeout of 300 s."
  }

  assert {
    condition     = length(module.webhook_queue) == 0 && output.webhooks_secret_arn == null
    error_message = "No queue, function or secret for webhooks that nobody hears."
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
    error_message = "What is asked for is there."
  }

  assert {
    condition     = module.queue.visibility_seconds == 5400
    error_message = "Six times the longest timeout."
  }

  assert {
    condition     = length([for alarm in output.alarms : alarm if endswith(alarm, "-dead-letters")]) == 3
    error_message = "Each queue's dead letters have an alarm."
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
