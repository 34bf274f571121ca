variable "name" {
  description = "Prefix of all names in this installation."
  type        = string
}

variable "config" {
  description = <<-EOT
    - image: the image to run; null creates a repository, to which you push `tag`. repository_arn: the ECR repository of
      `image`, so that the image may be pulled.
    - cpu (1024 is one processor), memory (MB), disk (GiB), architecture: for one worker.
    - spot: about a third of the price; a worker that is interrupted gives its job back.
    - min_workers, max_workers; scale_age_seconds: the age of the oldest job at which another worker starts.
    - create_ecs_role: creates the service-linked role of ECS, for an account that has never used ECS. In other accounts
      the role exists, and creating it again fails.
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
    create_ecs_role   = optional(bool, false)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096, 8192, 16384], var.config.cpu)
    error_message = "service.cpu must be one of 256, 512, 1024, 2048, 4096, 8192, 16384."
  }

  validation {
    condition     = var.config.memory >= 2048 && var.config.memory <= 122880
    error_message = "service.memory must lie between 2048 and 122880 MB: with less, the worker and the process that cuts do not fit."
  }

  validation {
    condition     = contains(["arm64", "x86_64"], var.config.architecture)
    error_message = "service.architecture must be arm64 or x86_64."
  }

  validation {
    condition     = var.config.disk >= 21 && var.config.disk <= 200
    error_message = "service.disk must be between 21 and 200 GiB."
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
  description = "The resources that the workers use. The root passes them."
  type = object({
    environment         = map(string)
    queue               = object({ url = string, arn = string, name = string, dead = object({ arn = string }) })
    webhook_queue       = optional(object({ arn = string, dead = object({ arn = string }) }))
    recordings          = object({ arn = string })
    clips               = object({ arn = string })
    assets              = optional(object({ arn = string }))
    takes_uploads       = optional(bool, false) # the API does, and housekeeping ends those that nobody completed
    topic_arn           = string
    records_secret_arn  = string
    webhooks_secret_arn = optional(string)
  })
}

variable "network" {
  description = "Subnets that can reach AWS (through NAT or endpoints), and the workers' security groups."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
}

variable "log_days" {
  description = "How many days logs are kept."
  type        = number
}

variable "keys" {
  description = "Customer-managed keys (ARNs) of what the workers touch: `uses` to read and write, `decrypts` to read only."
  type        = object({ uses = list(string), decrypts = set(string) })
  default     = { uses = [], decrypts = [] }
}

variable "kms_key_arn" {
  description = "A customer-managed key for logs and images; null: AWS's own."
  type        = string
  default     = null
}
