variable "records_url" {
  description = "The MongoDB URL: export TF_VAR_records_url='mongodb+srv://user:password@host/cutback'"
  type        = string
  ephemeral   = true
  sensitive   = true
}

variable "name" {
  description = "What everything is called by."
  type        = string
  default     = "cutback"
}

variable "architecture" {
  description = "arm64 or x86_64, as the zip is."
  type        = string
  default     = "arm64"
}

variable "package" {
  description = "The zip, if it is not where `make lambda-zip` puts it."
  type        = string
  default     = null
}

variable "keep_days" {
  description = "Days that recordings are kept; null for ever."
  type        = number
  default     = null
}

variable "disposable" {
  description = "Whether `terraform destroy` deletes recordings, clips and secrets at once and for ever."
  type        = bool
  default     = false
}
