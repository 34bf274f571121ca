variable "receives" {
  description = "Queues (ARNs) from which it receives messages, extends their visibility timeout and deletes them."
  type        = list(string)
  default     = []
}

variable "sends" {
  description = "Queues (ARNs) to which it sends."
  type        = list(string)
  default     = []
}

variable "looks_at" {
  description = "Dead-letter queues (ARNs) that it lists; it adds the time to messages that SQS itself moved there."
  type        = list(string)
  default     = []
}

variable "asks_about" {
  description = "Queues (ARNs) whose attributes it reads without receiving from them."
  type        = list(string)
  default     = []
}

variable "reads" {
  description = "Buckets (ARNs) from which it reads objects."
  type        = list(string)
  default     = []
}

variable "uploads" {
  description = "Buckets (ARNs) to which clients upload in parts, with URLs that it signs."
  type        = list(string)
  default     = []
}

variable "discards" {
  description = "Buckets (ARNs) in which it ends uploads that nobody completed."
  type        = list(string)
  default     = []
}

variable "writes" {
  description = "Buckets (ARNs) to which it writes objects."
  type        = list(string)
  default     = []
}

variable "writes_below" {
  description = "Folders of buckets (ARNs with a trailing slash) in which it writes objects, such as arn:aws:s3:::clips/_made/."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for folder in var.writes_below : can(regex("^arn:[^/]+/.*/$", folder))])
    error_message = "access.writes_below must have ARNs of folders, which end with a slash."
  }
}

variable "clears" {
  description = "Buckets (ARNs) from which it deletes objects."
  type        = list(string)
  default     = []
}

variable "publishes" {
  description = "Topics (ARNs) to which it publishes."
  type        = list(string)
  default     = []
}

variable "secrets" {
  description = "Secrets (ARNs) that it reads."
  type        = list(string)
  default     = []
}

variable "keys" {
  description = "Customer-managed keys (ARNs) that encrypt these resources."
  type        = list(string)
  default     = []
}

variable "decrypts" {
  description = "Other keys (ARNs), for what it only reads."
  type        = set(string)
  default     = []
}

variable "redrives" {
  description = "Queues (ARNs) to which it moves messages back from their dead-letter queues."
  type        = list(object({ queue = string, dead = string }))
  default     = []
}

variable "protects_tasks_of" {
  description = "ECS tasks (an ARN with a trailing *) that it may protect from scaling in; null: none."
  type        = string
  default     = null
}

variable "logs" {
  description = "Log groups (ARNs, without the trailing :*) to which it writes."
  type        = list(string)
  default     = []
}

variable "traces" {
  description = "Whether it sends traces to X-Ray."
  type        = bool
  default     = false
}

variable "network_interfaces_of" {
  description = "The function (ARN) that Lambda puts into a VPC; null: none."
  type        = string
  default     = null
}
