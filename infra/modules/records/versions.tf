terraform {
  # 1.11 has write-only arguments: passwords, and URLs with passwords in them, never reach the state.
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7"
    }
  }
}
