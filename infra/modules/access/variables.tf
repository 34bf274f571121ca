variable "receives" {
  description = "Queues (ARNs) whose messages it takes, hides for longer and deletes."
  type        = list(string)
  default     = []
}

variable "sends" {
  description = "Queues (ARNs) it sends to."
  type        = list(string)
  default     = []
}

variable "looks_at" {
  description = "Dead-letter queues (ARNs) it looks into, noting the time of death of what SQS itself moved there."
  type        = list(string)
  default     = []
}

variable "asks_about" {
  description = "Queues (ARNs) whose attributes it reads though it takes nothing from them."
  type        = list(string)
  default     = []
}

variable "reads" {
  description = "Buckets (ARNs) whose objects it reads."
  type        = list(string)
  default     = []
}

variable "writes" {
  description = "Buckets (ARNs) it writes objects into."
  type        = list(string)
  default     = []
}

variable "clears" {
  description = "Buckets (ARNs) it deletes objects from."
  type        = list(string)
  default     = []
}

variable "publishes" {
  description = "Topics (ARNs) it publishes to."
  type        = list(string)
  default     = []
}

variable "secrets" {
  description = "Secrets (ARNs) it reads."
  type        = list(string)
  default     = []
}

variable "keys" {
  description = "Customer-managed keys (ARNs) that encrypt what it touches."
  type        = list(string)
  default     = []
}

variable "logs" {
  description = "Log groups (ARNs, without the trailing :*) it writes to."
  type        = list(string)
  default     = []
}

variable "traces" {
  description = "Whether it sends traces to X-Ray."
  type        = bool
  default     = false
}

variable "network_interfaces_of" {
  description = "The function (ARN) that Lambda puts into a VPC; null for none."
  type        = string
  default     = null
}
