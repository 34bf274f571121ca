variable "name" {
  description = "Prefix of all names in this installation."
  type        = string
}

variable "config" {
  description = <<-EOT
    The buckets of recordings and clips.
    - recordings, clips: `bucket` names an existing bucket, which is not changed; null creates one. `keep_days` deletes
      objects after that many days, null keeps them for ever; `infrequent_days` moves recordings to cheaper storage;
      `force_destroy` lets `terraform destroy` delete the objects, too.
    - clips.cors_origins: origins (`https://example.org`) whose scripts and players may fetch clips.
    - public: public clips, through CloudFront. With `signers_key`, a public key (PEM), only URLs signed with its private
      key work. `aliases` and `certificate_arn` (in us-east-1) set your own domain name.
    - assets: an existing bucket with the pictures, videos and sounds that edits name, under `prefix`. It is only read. Its
      objects are encrypted by S3, or with one of the keys of `encryption`.
    - access_logs_bucket: the bucket for S3's access logs.
  EOT
  type = object({
    recordings = optional(object({
      bucket          = optional(string)
      keep_days       = optional(number)
      infrequent_days = optional(number)
      versioning      = optional(bool, false)
      force_destroy   = optional(bool, false)
    }), {})
    clips = optional(object({
      bucket        = optional(string)
      keep_days     = optional(number)
      versioning    = optional(bool, false)
      force_destroy = optional(bool, false)
      cors_origins  = optional(list(string), [])
    }), {})
    public = optional(object({
      signers_key     = optional(string)
      aliases         = optional(list(string), [])
      certificate_arn = optional(string)
      price_class     = optional(string, "PriceClass_100")
      web_acl_arn     = optional(string)
      countries       = optional(list(string), [])
    }))
    assets = optional(object({
      bucket = string
      prefix = optional(string, "")
    }))
    access_logs_bucket = optional(string)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for days in [var.config.recordings.keep_days, var.config.clips.keep_days] : coalesce(days, 1) >= 1])
    error_message = "storage: keep_days must be at least 1; leave it out to keep objects for ever."
  }

  validation {
    condition     = coalesce(var.config.recordings.infrequent_days, 30) >= 30
    error_message = "storage.recordings.infrequent_days must be at least 30: S3 moves no object earlier."
  }

  validation {
    condition     = var.config.recordings.bucket == null || var.config.recordings.bucket != var.config.clips.bucket
    error_message = "storage: recordings and clips must be in different buckets, or each clip would be treated as a recording."
  }

  validation {
    condition     = !can(regex("^/|/$", coalesce(try(var.config.assets.prefix, null), "-")))
    error_message = "storage.assets.prefix must neither begin nor end with a slash, such as brand/2026."
  }

  validation {
    condition     = alltrue([for origin in var.config.clips.cors_origins : can(regex("^(\\*|https?://[^/]+)$", origin))])
    error_message = "storage.clips.cors_origins: an origin is \"*\", or a scheme and a host without a path, such as https://example.org."
  }

  validation {
    condition     = length(try(var.config.public.aliases, [])) == 0 || try(var.config.public.certificate_arn, null) != null
    error_message = "storage.public.aliases needs certificate_arn, a certificate in us-east-1 for these names."
  }

  validation {
    condition     = try(var.config.public.signers_key, null) == null || can(regex("^-----BEGIN PUBLIC KEY-----", var.config.public.signers_key))
    error_message = "storage.public.signers_key must be the public key itself, in PEM: -----BEGIN PUBLIC KEY----- …"
  }
}

variable "key_arns" {
  description = "Customer-managed keys for new buckets, for recordings, clips and the program; null: S3's own."
  type = object({
    recordings = optional(string)
    clips      = optional(string)
    code       = optional(string)
  })
  default  = {}
  nullable = false
}
