# The variables and their types. The modules define defaults and checks; their READMEs describe each field.

variable "name" {
  description = "Prefix of all names. Two installations in the same account and region need different names."
  type        = string
  default     = "cutback"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "name: 3 to 20 lower-case letters, digits and hyphens, starting with a letter. Names of buckets allow no more."
  }
}

variable "package" {
  description = "The zip that `make lambda-zip` built for worker.architecture."
  type        = string
}

variable "encryption" {
  description = "By default, AWS's own keys, which are free. `create_key` creates a customer-managed key; `kms_key_arn` names yours, which S3, SNS, CloudWatch, EventBridge and logs must be allowed to use (see modules/key). `recordings_key_arn`, `clips_key_arn` and `secrets_key_arn` name other keys for these."
  type = object({
    create_key         = optional(bool, false)
    kms_key_arn        = optional(string)
    recordings_key_arn = optional(string)
    clips_key_arn      = optional(string)
    secrets_key_arn    = optional(string)
  })
  default  = {}
  nullable = false

  validation {
    condition     = !(var.encryption.create_key && var.encryption.kms_key_arn != null)
    error_message = "encryption: set either create_key or kms_key_arn, not both."
  }
}

variable "network" {
  description = "A VPC for functions, workers and API, with subnets that can reach AWS (through NAT or endpoints): yours, or that of modules/network. Cache, service, API and DocumentDB need one."
  type = object({
    vpc_id             = string
    subnet_ids         = list(string)
    security_group_ids = optional(list(string))
    egress_ports       = optional(list(number))
  })
  default = null

  validation {
    condition     = var.network != null || (var.cache == null && var.service == null && var.api == null && var.records.kind != "documentdb")
    error_message = "cache, service, api and records.kind = \"documentdb\" need a VPC: set `network`."
  }
}

variable "storage" {
  description = "The buckets of recordings and clips: see modules/storage."
  type = object({
    recordings = optional(object({
      bucket          = optional(string)
      keep_days       = optional(number)
      infrequent_days = optional(number)
      versioning      = optional(bool)
      force_destroy   = optional(bool)
    }))
    clips = optional(object({
      bucket        = optional(string)
      keep_days     = optional(number)
      versioning    = optional(bool)
      force_destroy = optional(bool)
      cors_origins  = optional(list(string))
    }))
    public = optional(object({
      signers_key     = optional(string)
      aliases         = optional(list(string))
      certificate_arn = optional(string)
      price_class     = optional(string)
      web_acl_arn     = optional(string)
      countries       = optional(list(string))
    }))
    assets = optional(object({
      bucket = string
      prefix = optional(string)
    }))
    access_logs_bucket = optional(string)
  })
  default  = {}
  nullable = false
}

variable "queue" {
  description = "The queue of requests and arrival events: see modules/queue. `arrivals` is queue, topic, eventbridge or none, and says how events of the bucket of recordings reach the queue. `replace_notifications` allows queue and topic to replace the notifications of an existing bucket."
  type = object({
    max_receives    = optional(number)
    retention_days  = optional(number)
    arrivals        = optional(string, "queue")
    arrivals_prefix = optional(string)

    replace_notifications = optional(bool, false)
  })
  default  = {}
  nullable = false
}

variable "worker" {
  description = "The Lambda functions: see modules/worker."
  type = object({
    architecture         = optional(string)
    memory               = optional(number)
    timeout              = optional(number)
    tmp                  = optional(number)
    batch_size           = optional(number)
    max_concurrency      = optional(number)
    reserved_concurrency = optional(number)
    layers               = optional(list(string))
    environment          = optional(map(string))
    log_level            = optional(string)
    traces               = optional(bool)
  })
  default  = {}
  nullable = false
}

variable "webhooks" {
  description = "Webhooks that receive every event: see modules/worker."
  type = object({
    urls            = optional(list(string))
    timeout         = optional(number)
    max_concurrency = optional(number)
    secret_version  = optional(number)
    recovery_days   = optional(number)
  })
  default  = {}
  nullable = false
}

variable "records" {
  description = "The database for records: see modules/records."
  type = object({
    kind          = optional(string)
    secret_arn    = optional(string)
    url_version   = optional(number)
    recovery_days = optional(number)
    documentdb = optional(object({
      instance_class      = optional(string)
      instances           = optional(number)
      username            = optional(string)
      backup_days         = optional(number)
      deletion_protection = optional(bool)
      final_snapshot      = optional(bool)
      ca_file             = optional(string)
    }))
  })
  default  = {}
  nullable = false
}

variable "records_url" {
  description = "The MongoDB URL, for records.kind = \"url\". Set TF_VAR_records_url; it is stored neither in the state nor in plans."
  type        = string
  default     = null
  ephemeral   = true
  sensitive   = true
}

variable "announce" {
  description = "Subscribers that receive every event by SNS: see modules/announce."
  type = object({
    topic = optional(string)
    fifo  = optional(bool)
    email = optional(list(string))
    https = optional(list(string))
    queues = optional(map(object({
      arn    = string
      filter = optional(map(list(string)))
    })))
    requesters = optional(list(string))
  })
  default  = {}
  nullable = false
}

variable "cache" {
  description = "A memcached for indexes: see modules/cache. null: none; {}: one with default settings."
  type = object({
    node_type      = optional(string)
    nodes          = optional(number)
    engine_version = optional(string)
  })
  default = null
}

variable "service" {
  description = "Long-running workers on Fargate: see modules/service. null: none; {}: workers with default settings."
  type = object({
    image             = optional(string)
    repository_arn    = optional(string)
    tag               = optional(string)
    cpu               = optional(number)
    memory            = optional(number)
    disk              = optional(number)
    architecture      = optional(string)
    spot              = optional(bool)
    min_workers       = optional(number)
    max_workers       = optional(number)
    scale_age_seconds = optional(number)
    log_level         = optional(string)
    environment       = optional(map(string))
    create_ecs_role   = optional(bool)
  })
  default = null
}

variable "api" {
  description = "The REST API on Fargate behind CloudFront: see modules/api. null: none; {}: two tasks with default settings."
  type = object({
    image               = optional(string)
    repository_arn      = optional(string)
    tag                 = optional(string)
    cpu                 = optional(number)
    memory              = optional(number)
    architecture        = optional(string)
    min_tasks           = optional(number)
    max_tasks           = optional(number)
    requests_per_minute = optional(number)
    drain_seconds       = optional(number)
    media               = optional(string)
    aliases             = optional(list(string))
    certificate_arn     = optional(string)
    price_class         = optional(string)
    web_acl_arn         = optional(string)
    countries           = optional(list(string))
    latency_seconds     = optional(number)
    errors              = optional(number)
    deletion_protection = optional(bool)
    log_level           = optional(string)
    environment         = optional(map(string))
    create_ecs_role     = optional(bool)
  })
  default = null
}

variable "observe" {
  description = "Logs, alarms and dashboard: see modules/observe. `log_days` is how long logs are kept."
  type = object({
    log_days    = optional(number)
    email       = optional(list(string))
    topics      = optional(list(string))
    age_minutes = optional(number)
    errors      = optional(number)
    throttles   = optional(number)
  })
  default  = {}
  nullable = false
}

variable "budget" {
  description = "Notifies you when a month costs too much: see modules/budget. null: no budget."
  type = object({
    monthly_usd = number
    email       = optional(list(string))
    topics      = optional(list(string))
    tag         = optional(object({ key = string, value = string }))
  })
  default = null
}
