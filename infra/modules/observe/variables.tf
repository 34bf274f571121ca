variable "name" {
  description = "What everything of this installation is called by."
  type        = string
}

variable "config" {
  description = <<-EOT
    - email: who hears of alarms, once they have confirmed. topics: SNS topics (ARNs) that hear as well.
    - age_minutes: how long a message may wait. errors, throttles: how many in five minutes are too many.
  EOT
  type = object({
    email       = optional(list(string), [])
    topics      = optional(list(string), [])
    age_minutes = optional(number, 15)
    errors      = optional(number, 0)
    throttles   = optional(number, 10)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for address in var.config.email : can(regex("^[^@\\s]+@[^@\\s]+$", address))])
    error_message = "observe.email: each must be an e-mail address."
  }

  validation {
    condition     = var.config.age_minutes >= 1
    error_message = "observe.age_minutes must be at least 1."
  }
}

variable "queues" {
  description = "The queues by what they are for, each with its name and that of its dead letters."
  type        = map(object({ name = string, dead = string }))
}

variable "functions" {
  description = "The functions by what they do, worker and housekeeping among them."
  type        = map(object({ name = string, timeout = number }))
}

variable "topic_name" {
  description = "The topic of events."
  type        = string
}

variable "log_groups" {
  description = "Whose warnings the dashboard shows."
  type        = list(string)
}

variable "namespace" {
  description = "Where the program's own metrics are."
  type        = string
  default     = "Cutback"
}

variable "kms_key_arn" {
  description = "A customer-managed key for the topic of alarms; null for none, since CloudWatch cannot use SNS's own."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
}
