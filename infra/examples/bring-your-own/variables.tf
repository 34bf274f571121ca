variable "recordings_bucket" {
  description = "The bucket with your recordings."
  type        = string
}

variable "clips_bucket" {
  description = "The bucket for clips."
  type        = string
}

variable "kms_key_arn" {
  description = "The key that encrypts both buckets. Its policy must let SNS, CloudWatch, EventBridge and logs use it: see ../../modules/key."
  type        = string
}

variable "network" {
  description = "A VPC with subnets that can reach AWS (through NAT or endpoints)."
  type = object({
    vpc_id             = string
    subnet_ids         = list(string)
    security_group_ids = optional(list(string))
  })
}

variable "records_secret_arn" {
  description = "A secret whose value is a MongoDB URL."
  type        = string
}

variable "alarms_topic_arn" {
  description = "The topic for alarms."
  type        = string
}

variable "name" {
  description = "Prefix of all names."
  type        = string
  default     = "cutback"
}

variable "architecture" {
  description = "arm64 or x86_64, as the zip is."
  type        = string
  default     = "arm64"
}

variable "package" {
  description = "The path of the zip; by default, where `make lambda-zip` puts it."
  type        = string
  default     = null
}
