variable "email" {
  description = "Who hears of alarms and of the budget."
  type        = string
}

variable "name" {
  description = "What everything is called by."
  type        = string
  default     = "cutback"
}

variable "architecture" {
  description = "arm64 or x86_64, as zip and image are."
  type        = string
  default     = "arm64"
}

variable "package" {
  description = "The zip, if it is not where `make lambda-zip` puts it."
  type        = string
  default     = null
}

variable "documentdb" {
  description = "Whether records are in a DocumentDB cluster made here; else in the MongoDB of records_url."
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

variable "layers" {
  description = "Layers (ARNs); with documentdb, one that holds global-bundle.pem: see ../../modules/records."
  type        = list(string)
  default     = []
}

variable "signers_key" {
  description = "A public key (PEM), so that only signed addresses are answered; null for addresses that everybody may use."
  type        = string
  default     = null
}

variable "webhook_urls" {
  description = "Who hears of every event by webhook."
  type        = list(string)
  default     = ["https://example.org/hooks/cutback"]
}

variable "monthly_usd" {
  description = "What a month may cost before somebody is told; null for no budget."
  type        = number
  default     = 300
}

variable "disposable" {
  description = "Whether `terraform destroy` deletes recordings, clips, records and secrets at once and for ever."
  type        = bool
  default     = false
}
