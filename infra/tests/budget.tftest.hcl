# A budget, which the emulation does not support.

mock_provider "aws" {}

variables {
  name   = "cutback"
  config = { monthly_usd = 300, email = ["sea@example.org"], tag = { key = "application", value = "cutback" } }
}

run "told_before_it_is_too_late" {
  command = plan

  module {
    source = "./modules/budget"
  }

  assert {
    condition     = aws_budgets_budget.this.limit_amount == "300" && aws_budgets_budget.this.time_unit == "MONTHLY"
    error_message = "The limit for a month, in dollars."
  }

  assert {
    condition     = toset([for each in aws_budgets_budget.this.notification : "${each.notification_type} ${each.threshold}"]) == toset(["ACTUAL 50", "ACTUAL 90", "FORECASTED 100"])
    error_message = "At half, at nine tenths, and when the forecast exceeds it."
  }

  assert {
    condition     = alltrue([for each in aws_budgets_budget.this.notification : contains(each.subscriber_email_addresses, "sea@example.org")])
    error_message = "Each to every subscriber."
  }

  assert {
    condition     = one(flatten([for each in aws_budgets_budget.this.cost_filter : each.values])) == "user:application$cutback"
    error_message = "Only resources with the tag."
  }
}

run "nobody_to_tell" {
  command = plan

  module {
    source = "./modules/budget"
  }

  variables {
    config = { monthly_usd = 300 }
  }

  expect_failures = [var.config]
}
