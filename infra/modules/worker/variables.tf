variable "name" {
  description = "What everything of this installation is called by."
  type        = string
}

variable "package" {
  description = "The zip that `make lambda-zip` made for this architecture."
  type        = string
}

variable "config" {
  description = <<-EOT
    - architecture: arm64 (a fifth cheaper) or x86_64; the zip must be of the same.
    - memory: MB; 1769 are one processor, and the bill is memory × time. `tmp`: MB of /tmp.
    - timeout: seconds a clip may take here; what does not fit goes to the long-running workers, or fails by name.
    - batch_size: messages for one call. More than one shares the timeout among them.
    - max_concurrency: workers at once at most; reserved_concurrency: Lambda's own reservation, -1 for none.
    - layers: further layers (ARNs), such as one with a CA bundle. environment: further settings.
    - traces: whether X-Ray is told.
  EOT
  type = object({
    architecture         = optional(string, "arm64")
    runtime              = optional(string, "python3.13")
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
    condition     = contains(["python3.12", "python3.13", "python3.14"], var.config.runtime)
    error_message = "worker.runtime must be python3.12 or later: older ones stand on Amazon Linux 2, whose C library the video libraries cannot use."
  }

  validation {
    condition     = var.config.memory >= 512 && var.config.memory <= 10240
    error_message = "worker.memory must lie between 512 and 10240 MB."
  }

  validation {
    condition     = var.config.timeout >= 30 && var.config.timeout <= 900
    error_message = "worker.timeout must lie between 30 and 900 seconds; longer jobs are what module service is for."
  }

  validation {
    condition     = var.config.tmp >= 512 && var.config.tmp <= 10240
    error_message = "worker.tmp must lie between 512 and 10240 MB."
  }

  validation {
    condition     = var.config.batch_size >= 1 && var.config.batch_size <= 100
    error_message = "worker.batch_size must lie between 1 and 100."
  }

  validation {
    condition     = var.config.max_concurrency >= 2 && var.config.max_concurrency <= 1000
    error_message = "worker.max_concurrency must lie between 2 and 1000, as Lambda has it."
  }

  validation {
    condition     = contains(["DEBUG", "INFO", "WARNING", "ERROR"], var.config.log_level)
    error_message = "worker.log_level must be DEBUG, INFO, WARNING or ERROR."
  }
}

variable "webhooks" {
  description = <<-EOT
    - urls: addresses that hear of every event, signed; none makes no function and no queue.
    - timeout: seconds of a delivery with all around it. max_concurrency: deliveries at once at most.
    - secret_version: one more makes a new signing secret. recovery_days: how long a destroyed one can still be brought
      back: 0, or 7 to 30.
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
    error_message = "webhooks.urls: each must begin with https:// or http://, and hold no comma."
  }

  validation {
    condition     = var.webhooks.timeout >= 15 && var.webhooks.timeout <= 120
    error_message = "webhooks.timeout must lie between 15 and 120 seconds."
  }
}

variable "wires" {
  description = "What the functions are wired to: buckets, queues, topic, secret, cache. The root knows them all."
  type = object({
    recordings         = object({ bucket = string, arn = string })
    clips              = object({ bucket = string, arn = string })
    clip_address       = optional(string)
    keep_days          = optional(number)
    code_bucket        = string
    queue              = object({ url = string, arn = string, visibility_seconds = number, dead = object({ arn = string }) })
    webhook_queue      = optional(object({ url = string, arn = string, dead = object({ arn = string }) }))
    long_queue         = optional(object({ url = string, arn = string }))
    topic_arn          = string
    records_secret_arn = string
    cache_url          = optional(string)
  })
}

variable "network" {
  description = "Subnets and security groups for functions in a VPC; null for none."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  default = null
}

variable "log_days" {
  description = "Days that logs are kept."
  type        = number
}

variable "kms_key_arn" {
  description = "A customer-managed key for environment, logs and secret, and that of buckets and queues; null for AWS's own."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
}
