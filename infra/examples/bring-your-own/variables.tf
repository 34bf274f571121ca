variable "recordings_bucket" {
  description = "Where your cameras record to."
  type        = string
}

variable "clips_bucket" {
  description = "Where clips are to go."
  type        = string
}

variable "kms_key_arn" {
  description = "The key that encrypts both buckets; its policy must let SNS, CloudWatch, EventBridge and logs use it: ../../modules/key shows how."
  type        = string
}

variable "network" {
  description = "A VPC with subnets that have a way out (NAT or endpoints)."
  type = object({
    vpc_id             = string
    subnet_ids         = list(string)
    security_group_ids = optional(list(string))
  })
}

variable "records_secret_arn" {
  description = "A secret whose text is a MongoDB URL."
  type        = string
}

variable "alarms_topic_arn" {
  description = "A topic that somebody watches."
  type        = string
}

variable "name" {
  description = "What everything is called by."
  type        = string
  default     = "cutback"
}

variable "package" {
  description = "The zip, if it is not where `make lambda-zip` puts it."
  type        = string
  default     = null
}
