variable "name" {
  description = "Prefix of all names in this installation."
  type        = string
}

variable "package" {
  description = "The zip that `make lambda-zip` built for this architecture."
  type        = string
}

variable "config" {
  description = <<-EOT
    - architecture: arm64 (a fifth cheaper) or x86_64, the same as that of the zip.
    - memory: MB; 1769 give one processor, and you pay for memory × time. `tmp`: MB of /tmp.
    - timeout: seconds that a clip may take. Longer jobs go to the long-running workers, or fail with a named reason.
    - batch_size: messages for each invocation. Several messages share the timeout.
    - max_concurrency: the maximum of concurrent workers. reserved_concurrency: Lambda's own reservation, -1 for none; it
      must be at least max_concurrency.
    - layers: additional layers (ARNs). environment: additional settings.
    - traces: whether to send traces to X-Ray.
  EOT
  type = object({
    architecture         = optional(string, "arm64")
    memory               = optional(number, 1769)
    timeout              = optional(number, 300)
    tmp                  = optional(number, 2048)
    batch_size           = optional(number, 1)
    max_concurrency      = optional(number, 20)
    reserved_concurrency = optional(number, -1)
    layers               = optional(list(string), [])
    environment          = optional(map(string), {})
    log_level            = optional(string, "INFO")
    traces               = optional(bool, false)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["arm64", "x86_64"], var.config.architecture)
    error_message = "worker.architecture must be arm64 or x86_64."
  }

  validation {
    condition     = var.config.memory >= 512 && var.config.memory <= 10240
    error_message = "worker.memory must be between 512 and 10240 MB."
  }

  validation {
    condition     = var.config.timeout >= 30 && var.config.timeout <= 900
    error_message = "worker.timeout must be between 30 and 900 seconds; use module service for longer jobs."
  }

  validation {
    condition     = var.config.tmp >= 512 && var.config.tmp <= 10240
    error_message = "worker.tmp must be between 512 and 10240 MB."
  }

  validation {
    condition     = var.config.batch_size >= 1 && var.config.batch_size <= 100
    error_message = "worker.batch_size must be between 1 and 100."
  }

  validation {
    condition     = var.config.max_concurrency >= 2 && var.config.max_concurrency <= 1000
    error_message = "worker.max_concurrency must be between 2 and 1000, the limits of Lambda."
  }

  validation {
    condition     = var.config.reserved_concurrency == -1 || var.config.reserved_concurrency >= var.config.max_concurrency
    error_message = "worker.reserved_concurrency must be -1, or at least worker.max_concurrency: the mapping would start more workers than Lambda runs, and throttled messages become dead letters."
  }

  validation {
    condition     = contains(["DEBUG", "INFO", "WARNING", "ERROR"], var.config.log_level)
    error_message = "worker.log_level must be DEBUG, INFO, WARNING or ERROR."
  }
}

variable "webhooks" {
  description = <<-EOT
    - urls: addresses that receive every event, signed. Without any, no function and no queue are created.
    - timeout: seconds for a whole delivery. max_concurrency: the maximum of concurrent deliveries.
    - secret_version: increase it by one to create a new signing secret. recovery_days: for how many days a destroyed one
      can be restored: 0, or 7 to 30.
  EOT
  type = object({
    urls            = optional(list(string), [])
    timeout         = optional(number, 60)
    max_concurrency = optional(number, 5)
    secret_version  = optional(number, 1)
    recovery_days   = optional(number, 7)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for url in var.webhooks.urls : can(regex("^https?://[^,\\s]+$", url))])
    error_message = "webhooks.urls: each must start with https:// or http:// and contain no comma."
  }

  validation {
    condition     = var.webhooks.timeout >= 15 && var.webhooks.timeout <= 120
    error_message = "webhooks.timeout must be between 15 and 120 seconds."
  }
}

variable "wires" {
  description = "The resources that the functions use: buckets, queues, topic, secret, cache. The root passes them."
  type = object({
    recordings         = object({ bucket = string, arn = string })
    clips              = object({ bucket = string, arn = string })
    assets             = optional(object({ url = string, arn = string }))
    clip_address       = optional(string)
    keep_days          = optional(number)
    code_bucket        = string
    queue              = object({ url = string, arn = string, visibility_seconds = number, dead = object({ arn = string }) })
    webhook_queue      = optional(object({ url = string, arn = string, dead = object({ arn = string }) }))
    long_queue         = optional(object({ url = string, arn = string }))
    takes_uploads      = optional(bool, false) # the API does, and housekeeping ends those that nobody completed
    topic_arn          = string
    records_secret_arn = string
    records_version    = optional(string)
    cache_url          = optional(string)
  })
}

variable "network" {
  description = "Subnets and security groups for functions in a VPC; null: no VPC."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  default = null
}

variable "log_days" {
  description = "How many days logs are kept."
  type        = number
}

variable "keys" {
  description = "Customer-managed keys (ARNs) of what the functions touch: `uses` to read and write, `decrypts` to read only."
  type        = object({ uses = list(string), decrypts = set(string) })
  default     = { uses = [], decrypts = [] }
}

variable "secrets_key" {
  description = "A customer-managed key for the secret of webhooks; null: AWS's own."
  type        = string
  default     = null
}

variable "kms_key_arn" {
  description = "A customer-managed key for environment and logs; null: AWS's own."
  type        = string
  default     = null
}
