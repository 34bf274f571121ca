variable "name" {
  description = "The queue's name; its dead letters lie in NAME-dead."
  type        = string
}

variable "visibility_seconds" {
  description = "How long a message stays hidden when nobody asks for longer: at least 6 times the function's timeout, since Lambda holds messages back while it is throttled."
  type        = number

  validation {
    condition     = var.visibility_seconds >= 60 && var.visibility_seconds <= 43200
    error_message = "visibility_seconds must lie between 60 and 43200 (12 hours, the most SQS knows)."
  }
}

variable "config" {
  description = <<-EOT
    - max_receives: how often a message is handed out before it becomes a dead letter.
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
    error_message = "queue.max_receives must lie between 5 and 1000: with fewer, throttling alone makes dead letters."
  }

  validation {
    condition     = var.config.retention_days >= 1 && var.config.retention_days < 14
    error_message = "queue.retention_days must lie between 1 and 13: dead letters need time of their own within SQS's 14 days."
  }
}

variable "arrivals" {
  description = "The bucket whose objects are told of, and how: via queue, topic, eventbridge or none. `brought` is a bucket that existed before: with eventbridge it is left as it is. Null for a queue that hears of none."
  type = object({
    bucket     = string
    bucket_arn = string
    via        = optional(string, "queue")
    prefix     = optional(string)
    brought    = optional(bool, false)
  })
  default = null

  validation {
    condition     = contains(["queue", "topic", "eventbridge", "none"], try(var.arrivals.via, "none"))
    error_message = "queue.arrivals must be queue, topic, eventbridge or none."
  }
}

variable "topics" {
  description = "Topics (ARNs) that may send here."
  type        = list(string)
  default     = []
}

variable "kms_key_arn" {
  description = "A customer-managed key for the messages; null for SQS's own."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
}
