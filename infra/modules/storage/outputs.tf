# For existing buckets, the ARN is derived from the name: nothing is read from the bucket.
data "aws_partition" "this" {}

locals {
  arns = { for role, name in local.names : role => "arn:${data.aws_partition.this.partition}:s3:::${name}" }

  domain = "${local.names.clips}.s3.${data.aws_region.this.id}.${data.aws_partition.this.dns_suffix}"
}

output "recordings" {
  description = "The bucket of recordings."
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

output "assets" {
  description = "The bucket of assets and their address; null: none."
  value = var.config.assets == null ? null : {
    arn = "arn:${data.aws_partition.this.partition}:s3:::${var.config.assets.bucket}"
    url = "s3://${join("/", compact([var.config.assets.bucket, var.config.assets.prefix]))}"
  }
}

output "code_bucket" {
  description = "The bucket from which Lambda loads the zip."
  value       = aws_s3_bucket.this["code"].id
}

output "address" {
  description = "The public base URL of clips, https://…; null without config.public."
  value = local.public == 0 ? null : "https://${
    length(var.config.public.aliases) > 0 ? var.config.public.aliases[0] : aws_cloudfront_distribution.clips[0].domain_name
  }"
}

output "signers_key_id" {
  description = "The id of the key in signed URLs (Key-Pair-Id); null if URLs are not signed."
  value       = one(aws_cloudfront_public_key.signer[*].id)
}

output "clips_policy" {
  description = "The policy statement that lets CloudFront read your existing bucket of clips; null without config.public."
  value       = one(data.aws_iam_policy_document.through_cloudfront[*].json)
}
