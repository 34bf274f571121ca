variable "name" {
  description = "What everything of this installation is called by."
  type        = string
}

variable "deletion_days" {
  description = "Days a destroyed key can still be brought back; what it encrypts is lost with it."
  type        = number
  default     = 30

  validation {
    condition     = var.deletion_days >= 7 && var.deletion_days <= 30
    error_message = "deletion_days must lie between 7 and 30."
  }
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
}
