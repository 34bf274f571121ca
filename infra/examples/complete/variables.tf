variable "email" {
  description = "The address that receives alarms and budget notifications."
  type        = string
}

variable "name" {
  description = "Prefix of all names."
  type        = string
  default     = "cutback"
}

variable "architecture" {
  description = "arm64 or x86_64, the same as that of the zip and the image."
  type        = string
  default     = "arm64"
}

variable "package" {
  description = "The path of the zip; by default, where `make lambda-zip` puts it."
  type        = string
  default     = null
}

variable "documentdb" {
  description = "Whether to create a DocumentDB cluster for records; otherwise, they are in the MongoDB of records_url."
  type        = bool
  default     = true
}

variable "records_url" {
  description = "The MongoDB URL, without documentdb: export TF_VAR_records_url='mongodb+srv://…'"
  type        = string
  default     = null
  ephemeral   = true
  sensitive   = true
}

variable "signers_key" {
  description = "A public key (PEM), so that only signed URLs work; null: URLs that everybody can use."
  type        = string
  default     = null
}

variable "webhook_urls" {
  description = "Addresses that receive every event by webhook."
  type        = list(string)
  default     = ["https://example.org/hooks/cutback"]
}

variable "monthly_usd" {
  description = "The budget for a month; null: no budget."
  type        = number
  default     = 300
}

variable "disposable" {
  description = "Whether `terraform destroy` permanently deletes recordings, clips, records and secrets at once."
  type        = bool
  default     = false
}
