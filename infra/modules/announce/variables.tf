variable "name" {
  description = "What everything of this installation is called by."
  type        = string
}

variable "config" {
  description = <<-EOT
    - topic: where events are published. `fifo` keeps each clip's events in order, for queues only.
    - email, https: addresses that hear of every event, once they have confirmed.
    - queues: SQS queues, by a name of your choice; `filter` is an SNS filter policy over the attributes `type`, `camera`
      and `state`, such as { type = ["clip.ready"] }. The queue's own policy must let the topic send.
    - requesters: ARNs of roles or accounts outside this one that may publish requests.
  EOT
  type = object({
    topic = optional(string, "video_production")
    fifo  = optional(bool, false)
    email = optional(list(string), [])
    https = optional(list(string), [])
    queues = optional(map(object({
      arn    = string
      filter = optional(map(list(string)))
    })), {})
    requesters = optional(list(string), [])
  })
  default  = {}
  nullable = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,250}$", var.config.topic))
    error_message = "announce.topic: letters, digits, - and _ only; fifo = true appends .fifo by itself."
  }

  validation {
    condition     = alltrue([for address in var.config.https : startswith(address, "https://")])
    error_message = "announce.https: each address must begin with https://."
  }

  validation {
    condition     = alltrue([for address in var.config.email : can(regex("^[^@\\s]+@[^@\\s]+$", address))])
    error_message = "announce.email: each must be an e-mail address."
  }

  validation {
    condition     = !var.config.fifo || length(var.config.email) + length(var.config.https) == 0
    error_message = "announce.fifo: a FIFO topic delivers to queues only; leave out email and https."
  }
}

variable "queue_arn" {
  description = "The queue that requests go into."
  type        = string
}

variable "kms_key_arn" {
  description = "A customer-managed key for the messages; null for SNS's own."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
}
