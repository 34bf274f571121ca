variable "records_url" {
  description = "The MongoDB URL: export TF_VAR_records_url='mongodb+srv://user:password@host/cutback'"
  type        = string
  ephemeral   = true
  sensitive   = true
}

variable "name" {
  description = "Prefix of all names."
  type        = string
  default     = "cutback"
}

variable "architecture" {
  description = "arm64 or x86_64, the same as that of the zip."
  type        = string
  default     = "arm64"
}

variable "package" {
  description = "The path of the zip; by default, where `make lambda-zip` puts it."
  type        = string
  default     = null
}

variable "api" {
  description = "Whether to create the REST API as well: two Fargate tasks behind CloudFront, and a VPC with a NAT gateway."
  type        = bool
  default     = false
}

variable "api_image" {
  description = "The image of the API; null: a new repository, to which you push it."
  type        = string
  default     = null
}

variable "api_repository_arn" {
  description = "The ECR repository of that image, so that it may be pulled; null for an image that is public."
  type        = string
  default     = null
}

variable "keep_days" {
  description = "How many days recordings are kept; null: for ever."
  type        = number
  default     = null
}

variable "disposable" {
  description = "Whether `terraform destroy` permanently deletes recordings, clips and secrets at once."
  type        = bool
  default     = false
}
