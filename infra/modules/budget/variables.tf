variable "name" {
  description = "Prefix of all names in this installation."
  type        = string
}

variable "config" {
  description = <<-EOT
    - monthly_usd: the limit for a month.
    - email, topics: who is notified; at least one.
    - tag: count only resources with this tag. Activate it for billing first (Billing, Cost allocation tags).
  EOT
  type = object({
    monthly_usd = number
    email       = optional(list(string), [])
    topics      = optional(list(string), [])
    tag         = optional(object({ key = string, value = string }))
  })

  validation {
    condition     = var.config.monthly_usd > 0
    error_message = "budget.monthly_usd must be more than 0."
  }

  validation {
    condition     = length(var.config.email) + length(var.config.topics) > 0
    error_message = "budget: set email or topics, so that somebody is notified."
  }

  validation {
    condition     = length(var.config.email) <= 10 && length(var.config.topics) <= 1
    error_message = "budget: AWS notifies at most ten addresses and one topic."
  }
}
