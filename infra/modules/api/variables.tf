variable "name" {
  description = "Prefix of all names in this installation."
  type        = string
}

variable "config" {
  description = <<-EOT
    - image: the image to run; null creates a repository, to which you push `tag`. repository_arn: the ECR repository of
      `image`, so that the image may be pulled.
    - cpu (1024 is one processor), memory (MB), architecture: for one task.
    - min_tasks, max_tasks; requests_per_minute: the requests of one task at which another one starts.
    - drain_seconds: how long a task serves on after it was told to stop.
    - media: how files of clips are sent: `stream` through the API, or `redirect` to signed URLs of S3.
    - aliases, certificate_arn: your own names and their certificate in us-east-1; without them, CloudFront's name.
    - price_class, web_acl_arn, countries: of the CloudFront distribution.
    - latency_seconds, errors: the alarms' thresholds: the 95th percentile of a quarter of an hour, and errors in five
      minutes.
  EOT
  type = object({
    image               = optional(string)
    repository_arn      = optional(string)
    tag                 = optional(string, "0.1.0")
    cpu                 = optional(number, 512)
    memory              = optional(number, 2048)
    architecture        = optional(string, "arm64")
    min_tasks           = optional(number, 2)
    max_tasks           = optional(number, 6)
    requests_per_minute = optional(number, 1500)
    drain_seconds       = optional(number, 10)
    media               = optional(string, "stream")
    aliases             = optional(list(string), [])
    certificate_arn     = optional(string)
    price_class         = optional(string, "PriceClass_100")
    web_acl_arn         = optional(string)
    countries           = optional(list(string), [])
    latency_seconds     = optional(number, 5)
    errors              = optional(number, 5)
    deletion_protection = optional(bool, true)
    log_level           = optional(string, "INFO")
    environment         = optional(map(string), {})
    create_ecs_role     = optional(bool, false)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096, 8192, 16384], var.config.cpu)
    error_message = "api.cpu must be one of 256, 512, 1024, 2048, 4096, 8192, 16384."
  }

  validation {
    condition     = var.config.memory >= 1024 && var.config.memory <= 122880
    error_message = "api.memory must lie between 1024 and 122880 MB: with less, the API and the process that reads frames do not fit."
  }

  validation {
    condition     = contains(["arm64", "x86_64"], var.config.architecture)
    error_message = "api.architecture must be arm64 or x86_64."
  }

  validation {
    condition     = var.config.min_tasks >= 2 && var.config.max_tasks >= var.config.min_tasks
    error_message = "api: min_tasks must be at least 2, so that one may stop, and max_tasks at least min_tasks."
  }

  validation {
    condition     = var.config.requests_per_minute >= 60
    error_message = "api.requests_per_minute must be at least 60."
  }

  # ECS kills a container 120 s after it told it to stop; the API needs up to 8 s after draining.
  validation {
    condition     = var.config.drain_seconds >= 0 && var.config.drain_seconds <= 90
    error_message = "api.drain_seconds must be between 0 and 90."
  }

  validation {
    condition     = contains(["stream", "redirect"], var.config.media)
    error_message = "api.media must be stream or redirect."
  }

  validation {
    condition     = (length(var.config.aliases) == 0) == (var.config.certificate_arn == null)
    error_message = "api: aliases and certificate_arn need each other. The certificate must be in us-east-1."
  }
}

variable "wires" {
  description = "The resources that the API uses. The root passes them."
  type = object({
    environment         = map(string)
    queue               = object({ arn = string, dead = object({ arn = string }) })
    long_queue          = optional(object({ arn = string, dead = object({ arn = string }) }))
    webhook_queue       = optional(object({ arn = string, dead = object({ arn = string }) }))
    recordings          = object({ arn = string })
    clips               = object({ arn = string })
    assets              = optional(object({ arn = string }))
    topic_arn           = string
    records_secret_arn  = string
    webhooks_secret_arn = optional(string)
  })
}

variable "network" {
  description = "A VPC, subnets in two zones that can reach AWS (through NAT or endpoints), and the tasks' security groups."
  type = object({
    vpc_id             = string
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })

  validation {
    condition     = length(var.network.subnet_ids) >= 2
    error_message = "The API's load balancer needs subnets in at least two zones."
  }
}

variable "alarm_topics" {
  description = "Topics (ARNs) that receive alarms."
  type        = list(string)
  default     = []
}

variable "log_days" {
  description = "How many days logs are kept."
  type        = number
}

variable "keys" {
  description = "Customer-managed keys (ARNs) of what the API touches: `uses` to read and write, `decrypts` to read only. `recordings` is the key of recordings, which uploads need."
  type        = object({ uses = list(string), decrypts = set(string), recordings = optional(string) })
  default     = { uses = [], decrypts = [] }
}

variable "kms_key_arn" {
  description = "A customer-managed key for logs and images; null: AWS's own."
  type        = string
  default     = null
}
