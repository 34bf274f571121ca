variable "name" {
  description = "Prefix of all names in this installation."
  type        = string
}

variable "config" {
  description = <<-EOT
    - email: addresses that receive alarms, once they have confirmed. topics: SNS topics (ARNs) that receive them, too.
    - age_minutes: how long a message may wait. errors, throttles: how many in five minutes raise an alarm.
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
  description = "The queues by role, each with its name and the name of its dead-letter queue."
  type        = map(object({ name = string, dead = string }))
}

variable "functions" {
  description = "The functions by role, including worker and housekeeping."
  type        = map(object({ name = string, timeout = number }))
}

variable "topic_name" {
  description = "The topic of events."
  type        = string
}

variable "log_groups" {
  description = "The log groups whose warnings the dashboard shows."
  type        = list(string)
}

variable "namespace" {
  description = "The namespace of Cutback's own metrics."
  type        = string
  default     = "Cutback"
}

variable "kms_key_arn" {
  description = "A customer-managed key for the topic of alarms; null: no encryption, because CloudWatch cannot use SNS's own key."
  type        = string
  default     = null
}
