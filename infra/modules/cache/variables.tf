variable "name" {
  description = "Prefix of all names in this installation."
  type        = string
}

variable "config" {
  description = "`node_type`, and the number of `nodes` that share the keys; several nodes are in different zones."
  type = object({
    node_type      = optional(string, "cache.t4g.micro")
    nodes          = optional(number, 1)
    engine_version = optional(string, "1.6.22")
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.config.nodes >= 1 && var.config.nodes <= 40
    error_message = "cache.nodes must be between 1 and 40."
  }

  validation {
    condition     = startswith(var.config.node_type, "cache.")
    error_message = "cache.node_type must start with cache., such as cache.t4g.micro."
  }
}

variable "network" {
  description = "The network of the cache, and the security group that may connect to it."
  type = object({
    vpc_id                    = string
    subnet_ids                = list(string)
    workers_security_group_id = string
  })
}
