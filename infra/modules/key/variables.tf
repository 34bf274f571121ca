variable "name" {
  description = "Prefix of all names in this installation."
  type        = string
}

variable "deletion_days" {
  description = "For how many days a destroyed key can be restored; without the key, what it encrypts is lost."
  type        = number
  default     = 30

  validation {
    condition     = var.deletion_days >= 7 && var.deletion_days <= 30
    error_message = "deletion_days must be between 7 and 30."
  }
}
