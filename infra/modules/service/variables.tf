variable "name" {
  description = "What everything of this installation is called by."
  type        = string
}

variable "config" {
  description = <<-EOT
    - image: what to run; null makes a repository, into which you push `tag`. repository_arn: of an ECR repository that
      `image` lies in, so that it may be pulled.
    - cpu (1024 are one processor), memory (MB), disk (GiB), architecture: of one worker.
    - spot: at about a third of the price; a worker that is taken away gives its job back.
    - min_workers, max_workers; scale_age_seconds: how old the oldest job may get before another worker starts.
  EOT
  type = object({
    image             = optional(string)
    repository_arn    = optional(string)
    tag               = optional(string, "0.1.0")
    cpu               = optional(number, 2048)
    memory            = optional(number, 4096)
    disk              = optional(number, 30)
    architecture      = optional(string, "arm64")
    spot              = optional(bool, true)
    min_workers       = optional(number, 0)
    max_workers       = optional(number, 5)
    scale_age_seconds = optional(number, 60)
    log_level         = optional(string, "INFO")
    environment       = optional(map(string), {})
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096, 8192, 16384], var.config.cpu)
    error_message = "service.cpu must be one of 256, 512, 1024, 2048, 4096, 8192, 16384."
  }

  validation {
    condition     = contains(["arm64", "x86_64"], var.config.architecture)
    error_message = "service.architecture must be arm64 or x86_64."
  }

  validation {
    condition     = var.config.disk >= 21 && var.config.disk <= 200
    error_message = "service.disk must lie between 21 and 200 GiB."
  }

  validation {
    condition     = var.config.min_workers >= 0 && var.config.max_workers >= max(1, var.config.min_workers)
    error_message = "service: max_workers must be at least 1, and at least min_workers."
  }

  validation {
    condition     = var.config.scale_age_seconds >= 30
    error_message = "service.scale_age_seconds must be at least 30: CloudWatch looks once a minute."
  }
}

variable "wires" {
  description = "What the workers are wired to. The root knows them all."
  type = object({
    environment         = map(string)
    queue               = object({ url = string, arn = string, name = string, dead = object({ arn = string }) })
    webhook_queue       = optional(object({ arn = string, dead = object({ arn = string }) }))
    recordings          = object({ arn = string })
    clips               = object({ arn = string })
    topic_arn           = string
    records_secret_arn  = string
    webhooks_secret_arn = optional(string)
  })
}

variable "network" {
  description = "Subnets with a way out (NAT or endpoints) and the workers' security groups."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
}

variable "log_days" {
  description = "Days that logs are kept."
  type        = number
}

variable "kms_key_arn" {
  description = "A customer-managed key for logs and images, and that of buckets, queues and secrets; null for AWS's own."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
}
