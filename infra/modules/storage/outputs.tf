# For buckets that exist already, name and ARN follow from one another: nothing of them is read.
data "aws_partition" "this" {}

locals {
  arns = { for role, name in local.names : role => "arn:${data.aws_partition.this.partition}:s3:::${name}" }

  domain = "${local.names.clips}.s3.${data.aws_region.this.name}.${data.aws_partition.this.dns_suffix}"
}

output "recordings" {
  description = "The bucket of recordings: put them here."
  value = {
    bucket = try(aws_s3_bucket.this["recordings"].id, local.names.recordings)
    arn    = local.arns.recordings
  }
}

output "clips" {
  description = "The bucket of clips."
  value = {
    bucket = try(aws_s3_bucket.this["clips"].id, local.names.clips)
    arn    = local.arns.clips
  }
}

output "code_bucket" {
  description = "The bucket from which Lambda takes the program."
  value       = aws_s3_bucket.this["code"].id
}

output "address" {
  description = "Where the public finds clips: https://…; null if it does not."
  value = local.public == 0 ? null : "https://${
    length(var.config.public.aliases) > 0 ? var.config.public.aliases[0] : aws_cloudfront_distribution.clips[0].domain_name
  }"
}

output "signers_key_id" {
  description = "The key's name in signed addresses (Key-Pair-Id); null if addresses are not signed."
  value       = one(aws_cloudfront_public_key.signer[*].id)
}

output "clips_policy" {
  description = "What a bucket of clips that you brought along must allow CloudFront; null without config.public."
  value       = one(data.aws_iam_policy_document.through_cloudfront[*].json)
}
