terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7"
    }
  }
}

# Region and account are the same as for the AWS command line: AWS_REGION, AWS_PROFILE.
provider "aws" {
  default_tags {
    tags = { application = var.name }
  }
}
