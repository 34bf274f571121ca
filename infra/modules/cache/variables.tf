variable "name" {
  description = "What everything of this installation is called by."
  type        = string
}

variable "config" {
  description = "`node_type` and `nodes`, over which keys are spread; with more than one in different zones."
  type = object({
    node_type      = optional(string, "cache.t4g.micro")
    nodes          = optional(number, 1)
    engine_version = optional(string, "1.6.22")
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.config.nodes >= 1 && var.config.nodes <= 40
    error_message = "cache.nodes must lie between 1 and 40."
  }

  validation {
    condition     = startswith(var.config.node_type, "cache.")
    error_message = "cache.node_type begins with cache., such as cache.t4g.micro."
  }
}

variable "network" {
  description = "Where the cache lies, and the security group of those who may reach it."
  type = object({
    vpc_id                    = string
    subnet_ids                = list(string)
    workers_security_group_id = string
  })
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
}
