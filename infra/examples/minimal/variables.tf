variable "records_url" {
  description = "The MongoDB URL: export TF_VAR_records_url='mongodb+srv://user:password@host/cutback'"
  type        = string
  ephemeral   = true
  sensitive   = true
}

variable "name" {
  description = "Prefix of all names."
  type        = string
  default     = "cutback"
}

variable "architecture" {
  description = "arm64 or x86_64, the same as that of the zip."
  type        = string
  default     = "arm64"
}

variable "package" {
  description = "The path of the zip; by default, where `make lambda-zip` puts it."
  type        = string
  default     = null
}

variable "keep_days" {
  description = "How many days recordings are kept; null: for ever."
  type        = number
  default     = null
}

variable "disposable" {
  description = "Whether `terraform destroy` permanently deletes recordings, clips and secrets at once."
  type        = bool
  default     = false
}
