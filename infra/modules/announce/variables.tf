variable "name" {
  description = "Prefix of all names in this installation."
  type        = string
}

variable "config" {
  description = <<-EOT
    - topic: the name of the topic of events; null means video_production if `name` is cutback, else
      NAME-video_production. `fifo` keeps the events of each clip in order, for queues only.
    - email, https: addresses that receive every event, once they have confirmed the subscription.
    - queues: SQS queues, by a name of your choice. `filter` is an SNS filter policy on the attributes `type`, `camera` and
      `state`, such as { type = ["clip.ready"] }. The policy of the queue must let the topic send.
    - requesters: ARNs of roles or accounts outside this account that may publish requests.
  EOT
  type = object({
    topic = optional(string)
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
    condition     = var.config.topic == null || can(regex("^[A-Za-z0-9_-]{1,250}$", var.config.topic))
    error_message = "announce.topic: use only letters, digits, - and _; fifo = true appends .fifo."
  }

  validation {
    condition     = alltrue([for address in var.config.https : startswith(address, "https://")])
    error_message = "announce.https: each address must start with https://."
  }

  validation {
    condition     = alltrue([for address in var.config.email : can(regex("^[^@\\s]+@[^@\\s]+$", address))])
    error_message = "announce.email: each must be an e-mail address."
  }

  validation {
    condition     = !var.config.fifo || length(var.config.email) + length(var.config.https) == 0
    error_message = "announce.fifo: a FIFO topic delivers only to queues; leave out email and https."
  }
}

variable "queue_arn" {
  description = "The queue that receives the requests."
  type        = string
}

variable "kms_key_arn" {
  description = "A customer-managed key for the messages; null: SNS's own."
  type        = string
  default     = null
}
