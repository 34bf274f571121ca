variable "name" {
  description = "Prefix of all names in this installation."
  type        = string
}

variable "config" {
  description = <<-EOT
    - cidr: the addresses of the VPC, a /16 to /24. zones: how many availability zones, each with one private subnet.
    - nat: whether a NAT gateway leads to the internet: to a MongoDB outside the VPC, to receivers of webhooks. Without
      it, `endpoints` lead to AWS's services, and only there.
  EOT
  type = object({
    cidr      = optional(string, "10.80.0.0/16")
    zones     = optional(number, 2)
    nat       = optional(bool, true)
    endpoints = optional(list(string), ["sqs", "sns", "secretsmanager", "logs", "ecr.api", "ecr.dkr"])
  })
  default  = {}
  nullable = false

  validation {
    condition     = can(cidrsubnet(var.config.cidr, 4, 15)) && tonumber(split("/", var.config.cidr)[1]) >= 16 && tonumber(split("/", var.config.cidr)[1]) <= 24
    error_message = "network.cidr must be addresses such as 10.80.0.0/16, between /16 and /24."
  }

  validation {
    condition     = var.config.zones >= 2 && var.config.zones <= 6
    error_message = "network.zones must be between 2 and 6: load balancers and databases need two."
  }
}
