variable "name" {
  description = "What everything of this installation is called by."
  type        = string
}

variable "config" {
  description = <<-EOT
    - monthly_usd: what a month may cost.
    - email, topics: who is told; at least one.
    - tag: only count what carries it. A tag must first be activated for billing (Billing, Cost allocation tags).
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
    error_message = "budget: name somebody to tell, in email or topics."
  }

  validation {
    condition     = length(var.config.email) <= 10 && length(var.config.topics) <= 1
    error_message = "budget: AWS tells at most ten addresses and one topic."
  }
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
}
