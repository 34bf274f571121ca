variable "name" {
  description = "What everything of this installation is called by."
  type        = string
}

variable "config" {
  description = <<-EOT
    - kind: `url`, any MongoDB (Atlas, your own) by the URL in `records_url`, which goes into a secret; `secret`, a secret
      that exists already, by `secret_arn`; `documentdb`, a cluster made here, which needs a VPC.
    - url_version: one more writes `records_url` (or a new password of DocumentDB's) into the secret again.
    - recovery_days: how long a destroyed secret can still be brought back: 0, or 7 to 30.
    - documentdb: `ca_file` is where the programs find Amazon's certificates (the file global-bundle.pem), in a layer or
      in the image.
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
      ca_file             = optional(string, "/opt/global-bundle.pem")
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
    error_message = "records.secret_arn belongs to kind = \"secret\", and is needed there."
  }

  validation {
    condition     = var.config.documentdb.instances >= 1 && var.config.documentdb.instances <= 16
    error_message = "records.documentdb.instances must lie between 1 and 16; with one alone, a failure takes minutes to mend."
  }

  validation {
    condition     = var.config.documentdb.backup_days >= 1 && var.config.documentdb.backup_days <= 35
    error_message = "records.documentdb.backup_days must lie between 1 and 35."
  }
}

variable "url" {
  description = "The MongoDB URL, for kind = \"url\". Neither state nor plan keeps it."
  type        = string
  default     = null
  ephemeral   = true
  sensitive   = true
}

variable "network" {
  description = "Where DocumentDB lies, and the security group of those who may reach it."
  type = object({
    vpc_id                    = string
    subnet_ids                = list(string)
    workers_security_group_id = string
  })
  default = null

  validation {
    condition     = var.config.kind != "documentdb" || var.network != null
    error_message = "DocumentDB lies in a VPC: give `network`, with at least two subnets in different zones."
  }
}

variable "kms_key_arn" {
  description = "A customer-managed key for secret and cluster; null for AWS's own."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
}
