# Public clips, through CloudFront, which alone may read the bucket. Created only with config.public.

locals {
  public = var.config.public == null ? 0 : 1
  signed = try(var.config.public.signers_key, null) == null ? 0 : 1

  # CloudFront is global: its names are unique in the account, not in a region.
  global_name = "${var.name}-${data.aws_region.this.id}"

  # A cached response serves every page, with or without an Origin in the first request. So CloudFront adds the CORS
  # headers to each response; S3 adds them only to responses of requests with an Origin.
  headers = local.public == 1 && length(var.config.clips.cors_origins) > 0 ? 1 : 0

  # AWS's managed policies, which have the same ids in every account.
  aws_policies = {
    CachingOptimized = "658327ea-f89d-4fab-a63d-7e88639e58f6"
    CORS-S3Origin    = "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf"
    SecurityHeaders  = "67f7725c-6f97-4210-82d7-5512b31e9d03"
  }
}

resource "aws_cloudfront_origin_access_control" "clips" {
  count = local.public

  name                              = "${local.global_name}-clips"
  description                       = "Reads the clips of ${var.name}"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

resource "aws_cloudfront_public_key" "signer" {
  count = local.signed

  name_prefix = "${local.global_name}-"
  comment     = "Signs addresses of clips"
  encoded_key = var.config.public.signers_key

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_cloudfront_key_group" "signers" {
  count = local.signed

  name    = "${local.global_name}-signers"
  comment = "Whose signatures open clips"
  items   = [aws_cloudfront_public_key.signer[0].id]
}

resource "aws_cloudfront_response_headers_policy" "clips" {
  #checkov:skip=CKV_AWS_259:includeSubdomains and preload would bind other names of your domain, which Cutback does not serve
  count = local.headers

  name    = "${local.global_name}-clips"
  comment = "Lets pages of cors_origins fetch clips of ${var.name}"

  cors_config {
    access_control_allow_credentials = false
    access_control_max_age_sec       = 86400
    origin_override                  = true

    access_control_allow_headers {
      items = ["range", "if-range", "if-none-match"]
    }

    access_control_allow_methods {
      items = ["GET", "HEAD", "OPTIONS"]
    }

    access_control_allow_origins {
      items = var.config.clips.cors_origins
    }

    access_control_expose_headers {
      items = ["accept-ranges", "content-length", "content-range", "etag"]
    }
  }

  # The same as in AWS's own policy SecurityHeaders, which this one replaces.
  security_headers_config {
    content_type_options {
      override = true
    }

    frame_options {
      frame_option = "SAMEORIGIN"
      override     = false
    }

    referrer_policy {
      referrer_policy = "strict-origin-when-cross-origin"
      override        = false
    }

    strict_transport_security {
      access_control_max_age_sec = 31536000
      override                   = false
    }
  }
}

resource "aws_cloudfront_distribution" "clips" {
  #checkov:skip=CKV_AWS_68:immutable files behind a cache; config.public.web_acl_arn adds a firewall
  #checkov:skip=CKV2_AWS_47:immutable files do not run Log4j
  #checkov:skip=CKV2_AWS_32:it uses AWS's managed policy of security headers, by its id, which checkov does not resolve
  #checkov:skip=CKV_AWS_86:access logs need a bucket with ACLs, which are disabled here; CloudFront's metrics are enough
  #checkov:skip=CKV_AWS_174:CloudFront's own certificate allows no choice; with your own it is TLSv1.2_2021
  #checkov:skip=CKV2_AWS_42:set your own name and certificate with config.public.aliases and certificate_arn
  #checkov:skip=CKV_AWS_305:there is no page at the root
  #checkov:skip=CKV_AWS_310:there is one bucket; a second one would need a copy of the clips
  #checkov:skip=CKV_AWS_374:config.public.countries restricts where clips may be seen
  count = local.public

  comment         = "Clips of ${var.name}"
  enabled         = true
  is_ipv6_enabled = true
  http_version    = "http2and3"
  aliases         = var.config.public.aliases
  price_class     = var.config.public.price_class
  web_acl_id      = var.config.public.web_acl_arn

  origin {
    origin_id                = "clips"
    domain_name              = local.domain
    origin_access_control_id = aws_cloudfront_origin_access_control.clips[0].id
  }

  default_cache_behavior {
    target_origin_id           = "clips"
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = ["GET", "HEAD", "OPTIONS"]
    cached_methods             = ["GET", "HEAD"]
    cache_policy_id            = local.aws_policies.CachingOptimized
    origin_request_policy_id   = local.aws_policies.CORS-S3Origin
    response_headers_policy_id = try(aws_cloudfront_response_headers_policy.clips[0].id, local.aws_policies.SecurityHeaders)
    trusted_key_groups         = aws_cloudfront_key_group.signers[*].id
  }

  restrictions {
    geo_restriction {
      restriction_type = length(var.config.public.countries) > 0 ? "whitelist" : "none"
      locations        = var.config.public.countries
    }
  }

  viewer_certificate {
    cloudfront_default_certificate = var.config.public.certificate_arn == null
    acm_certificate_arn            = var.config.public.certificate_arn
    ssl_support_method             = var.config.public.certificate_arn == null ? null : "sni-only"
    minimum_protocol_version       = var.config.public.certificate_arn == null ? "TLSv1" : "TLSv1.2_2021"
  }
}

data "aws_iam_policy_document" "through_cloudfront" {
  count = local.public

  statement {
    sid       = "ThroughCloudFront"
    actions   = ["s3:GetObject"]
    resources = ["${local.arns.clips}/*"]

    principals {
      type        = "Service"
      identifiers = ["cloudfront.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceArn"
      values   = [aws_cloudfront_distribution.clips[0].arn]
    }
  }
}
