# Sends a notification when a month costs more than it should, or probably will. It does not stop anything.

data "aws_region" "this" {}

# Budgets are global: names are unique in the account, not in a region.
resource "aws_budgets_budget" "this" {
  name         = "${var.name}-${data.aws_region.this.id}"
  budget_type  = "COST"
  limit_amount = tostring(var.config.monthly_usd)
  limit_unit   = "USD"
  time_unit    = "MONTHLY"

  # Counts only what has the tag, which must be activated for billing; without a tag, the account's whole bill.
  dynamic "cost_filter" {
    for_each = var.config.tag == null ? [] : [var.config.tag]
    content {
      name   = "TagKeyValue"
      values = [join("$", ["user:${cost_filter.value.key}", cost_filter.value.value])]
    }
  }

  dynamic "notification" {
    for_each = {
      "half of it spent"     = { type = "ACTUAL", percent = 50 }
      "nearly all spent"     = { type = "ACTUAL", percent = 90 }
      "will be more, likely" = { type = "FORECASTED", percent = 100 }
    }
    content {
      comparison_operator        = "GREATER_THAN"
      notification_type          = notification.value.type
      threshold                  = notification.value.percent
      threshold_type             = "PERCENTAGE"
      subscriber_email_addresses = var.config.email
      subscriber_sns_topic_arns  = var.config.topics
    }
  }
}
