variable "name" {
  description = "The name of the queue; its dead letters are in NAME-dead."
  type        = string
}

variable "visibility_seconds" {
  description = "The default visibility timeout, in seconds: at least 6 times the function's timeout, because Lambda keeps messages while it is throttled."
  type        = number

  validation {
    condition     = var.visibility_seconds >= 60 && var.visibility_seconds <= 43200
    error_message = "visibility_seconds must be between 60 and 43200 (12 hours, the maximum of SQS)."
  }
}

variable "config" {
  description = <<-EOT
    - max_receives: how often a message may be received before it becomes a dead letter.
    - retention_days: how long a message may wait; dead letters are kept for 14 days from when they were first sent.
  EOT
  type = object({
    max_receives   = optional(number, 8)
    retention_days = optional(number, 7)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.config.max_receives >= 5 && var.config.max_receives <= 1000
    error_message = "queue.max_receives must be between 5 and 1000: with fewer, throttling alone causes dead letters."
  }

  validation {
    condition     = var.config.retention_days >= 1 && var.config.retention_days < 14
    error_message = "queue.retention_days must be between 1 and 13: dead letters need some of SQS's 14 days, too."
  }
}

variable "arrivals" {
  description = "The bucket whose events reach the queue, and how: via queue, topic, eventbridge or none. `brought` means an existing bucket: with eventbridge, it is not changed; `replace` allows queue and topic to replace its notifications. null: no events."
  type = object({
    bucket     = string
    bucket_arn = string
    via        = optional(string, "queue")
    prefix     = optional(string)
    brought    = optional(bool, false)
    replace    = optional(bool, false)
  })
  default = null

  validation {
    condition     = contains(["queue", "topic", "eventbridge", "none"], try(var.arrivals.via, "none"))
    error_message = "queue.arrivals must be queue, topic, eventbridge or none."
  }

  # A bucket has one notification configuration, and S3 has no call that adds to it.
  validation {
    condition     = !(try(var.arrivals.brought, false) && contains(["queue", "topic"], try(var.arrivals.via, "none"))) || try(var.arrivals.replace, false)
    error_message = "queue.arrivals: with queue or topic, an existing bucket loses the notifications that it has. Use eventbridge, and enable EventBridge in the bucket's properties; or set queue.replace_notifications = true."
  }
}

variable "topics" {
  description = "Topics (ARNs) that may send to the queue."
  type        = list(string)
  default     = []
}

variable "kms_key_arn" {
  description = "A customer-managed key for the messages; null: SQS's own."
  type        = string
  default     = null
}
