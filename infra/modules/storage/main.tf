data "aws_caller_identity" "this" {}
data "aws_region" "this" {}

locals {
  # Names of buckets are unique worldwide; account and region make these unique.
  owner = "${data.aws_caller_identity.this.account_id}-${data.aws_region.this.id}"

  # An existing bucket is not changed: it gets no policy, no lifecycle and no encryption.
  made = merge(
    var.config.recordings.bucket != null ? {} : { recordings = var.config.recordings },
    var.config.clips.bucket != null ? {} : { clips = merge(var.config.clips, { infrequent_days = null }) },
    { code = { keep_days = null, infrequent_days = null, versioning = false, force_destroy = true } },
  )

  names = {
    recordings = coalesce(var.config.recordings.bucket, "${var.name}-recordings-${local.owner}")
    clips      = coalesce(var.config.clips.bucket, "${var.name}-clips-${local.owner}")
    code       = "${var.name}-code-${local.owner}"
  }
}

resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_18:access logs cost more than they are worth here; config.access_logs_bucket enables them
  #checkov:skip=CKV_AWS_19:each is encrypted below
  #checkov:skip=CKV_AWS_21:a recording is pinned by its etag and a clip's key is never written twice; an expired clip must be deleted, not hidden by a delete marker
  #checkov:skip=CKV_AWS_144:copying recordings to another region is your choice, and costs money
  #checkov:skip=CKV_AWS_145:encrypted with S3's own key unless key_arns names one, which adds the price of a call to each read
  #checkov:skip=CKV2_AWS_61:each has a lifecycle below
  #checkov:skip=CKV2_AWS_62:module queue handles events of recordings; nothing needs events of clips and code
  for_each = local.made

  bucket        = local.names[each.key]
  force_destroy = each.value.force_destroy
  tags          = { Name = local.names[each.key] }
}

resource "aws_s3_bucket_public_access_block" "this" {
  for_each = aws_s3_bucket.this

  bucket                  = each.value.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  rule {
    # A bucket key asks KMS once for many objects. Without it, each range that is read would cost a KMS call.
    bucket_key_enabled = var.key_arns[each.key] != null

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.key_arns[each.key] == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.key_arns[each.key]
    }
  }
}

resource "aws_s3_bucket_versioning" "this" {
  for_each = { for role, bucket in local.made : role => bucket if bucket.versioning }

  bucket = aws_s3_bucket.this[each.key].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_logging" "this" {
  for_each = var.config.access_logs_bucket == null ? {} : aws_s3_bucket.this

  bucket        = each.value.id
  target_bucket = var.config.access_logs_bucket
  target_prefix = "${each.value.id}/"
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  for_each = local.made

  bucket = aws_s3_bucket.this[each.key].id

  rule {
    id     = "uploads-nobody-finished"
    status = "Enabled"
    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 2
    }
  }

  dynamic "rule" {
    for_each = each.value.keep_days == null ? [] : [1]
    content {
      id     = "kept-long-enough"
      status = "Enabled"
      filter {}

      expiration {
        days = each.value.keep_days
      }
    }
  }

  dynamic "rule" {
    for_each = each.value.infrequent_days == null ? [] : [1]
    content {
      id     = "rarely-cut-from"
      status = "Enabled"
      filter {}

      transition {
        days          = each.value.infrequent_days
        storage_class = "STANDARD_IA"
      }
    }
  }

  dynamic "rule" {
    for_each = each.value.versioning ? [1] : []
    content {
      id     = "replaced"
      status = "Enabled"
      filter {}

      noncurrent_version_expiration {
        noncurrent_days = 7
      }
    }
  }
}

resource "aws_s3_bucket_cors_configuration" "clips" {
  count = length(var.config.clips.cors_origins) > 0 && var.config.clips.bucket == null ? 1 : 0

  bucket = aws_s3_bucket.this["clips"].id

  # Range and the headers of its response, so that players can seek.
  cors_rule {
    allowed_methods = ["GET", "HEAD"]
    allowed_origins = var.config.clips.cors_origins
    allowed_headers = ["range", "if-range", "if-none-match"]
    expose_headers  = ["accept-ranges", "content-length", "content-range", "etag"]
    max_age_seconds = 86400
  }
}

resource "aws_s3_bucket_policy" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id
  policy = data.aws_iam_policy_document.bucket[each.key].json

  # S3 sometimes rejects a policy that is set at the same time as the public access block.
  depends_on = [aws_s3_bucket_public_access_block.this]
}

data "aws_iam_policy_document" "bucket" {
  for_each = aws_s3_bucket.this

  source_policy_documents = each.key == "clips" ? data.aws_iam_policy_document.through_cloudfront[*].json : []

  statement {
    sid       = "EncryptedConnectionsOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [each.value.arn, "${each.value.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}
