variable "name" {
  description = "Prefix of all names in this installation."
  type        = string
}

variable "config" {
  description = <<-EOT
    - kind: `url` for any MongoDB (Atlas, your own), whose URL in `records_url` is stored in a secret; `secret` for an
      existing secret, named by `secret_arn`; `documentdb` for a new cluster, which needs a VPC.
    - url_version: increase it by one to write `records_url` (or a new password for DocumentDB) into the secret again.
    - recovery_days: for how many days a destroyed secret can be restored: 0, or 7 to 30.
    - documentdb: `deletion_protection` makes AWS refuse to delete the cluster; `final_snapshot` keeps a last snapshot of a
      destroyed cluster. `ca_file` is the path of certificates other than Amazon's, in a layer or in the image.
  EOT
  type = object({
    kind          = optional(string, "url")
    secret_arn    = optional(string)
    url_version   = optional(number, 1)
    recovery_days = optional(number, 7)
    documentdb = optional(object({
      instance_class      = optional(string, "db.t4g.medium")
      instances           = optional(number, 2)
      username            = optional(string, "cutback")
      backup_days         = optional(number, 7)
      deletion_protection = optional(bool, true)
      final_snapshot      = optional(bool, true)
      ca_file             = optional(string)
    }), {})
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["url", "secret", "documentdb"], var.config.kind)
    error_message = "records.kind must be url, secret or documentdb."
  }

  validation {
    condition     = (var.config.kind == "secret") == (var.config.secret_arn != null)
    error_message = "records.secret_arn: set it with kind = \"secret\", and only then."
  }

  validation {
    condition     = var.config.documentdb.instances >= 1 && var.config.documentdb.instances <= 16
    error_message = "records.documentdb.instances must be between 1 and 16; with only one, recovery from a failure takes minutes."
  }

  validation {
    condition     = var.config.documentdb.backup_days >= 1 && var.config.documentdb.backup_days <= 35
    error_message = "records.documentdb.backup_days must be between 1 and 35."
  }
}

variable "url" {
  description = "The MongoDB URL, for kind = \"url\". It is stored neither in the state nor in plans."
  type        = string
  default     = null
  ephemeral   = true
  sensitive   = true
}

variable "network" {
  description = "The network of DocumentDB, and the security group that may connect to it."
  type = object({
    vpc_id                    = string
    subnet_ids                = list(string)
    workers_security_group_id = string
  })
  default = null

  validation {
    condition     = var.config.kind != "documentdb" || var.network != null
    error_message = "DocumentDB needs a VPC: set `network`, with at least two subnets in different zones."
  }
}

variable "secrets_key" {
  description = "A customer-managed key for the secrets; null: AWS's own."
  type        = string
  default     = null
}

variable "kms_key_arn" {
  description = "A customer-managed key for the cluster; null: AWS's own."
  type        = string
  default     = null
}
