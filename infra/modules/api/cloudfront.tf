# CloudFront in front of everything: pages, API, event streams and clips have one origin, so browsers need no CORS and one
# cookie. It caches nothing: what /v1 answers depends on the key. Browsers keep the files of clips, which never change.

locals {
  # CloudFront is global: its names are unique in the account, not in a region.
  global_name = "${var.name}-${data.aws_region.this.id}-api"

  address = "https://${length(var.config.aliases) > 0 ? var.config.aliases[0] : aws_cloudfront_distribution.this.domain_name}"

  # AWS's managed policies, which have the same ids in every account.
  aws_policies = {
    CachingDisabled = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    AllViewer       = "216adef6-5c7f-47e4-b989-5492eafa07d3"
  }
}

resource "aws_cloudfront_vpc_origin" "this" {
  vpc_origin_endpoint_config {
    name                   = local.global_name
    arn                    = aws_lb.this.arn
    http_port              = 80
    https_port             = 443
    origin_protocol_policy = "http-only"

    origin_ssl_protocols {
      items    = ["TLSv1.2"]
      quantity = 1
    }
  }
}

resource "aws_cloudfront_distribution" "this" {
  #checkov:skip=CKV_AWS_68:the API limits requests by key; config.web_acl_arn adds a firewall
  #checkov:skip=CKV2_AWS_47:the API is not Java; config.web_acl_arn adds a firewall
  #checkov:skip=CKV2_AWS_32:the API sends its own security headers with every answer
  #checkov:skip=CKV_AWS_86:access logs need a bucket with ACLs, which are disabled here; the API has its own log
  #checkov:skip=CKV_AWS_174:CloudFront's own certificate allows no choice; with your own it is TLSv1.2_2021
  #checkov:skip=CKV2_AWS_42:set your own name and certificate with config.aliases and certificate_arn
  #checkov:skip=CKV_AWS_305:the API answers at the root itself
  #checkov:skip=CKV_AWS_310:there is one load balancer, in several zones
  #checkov:skip=CKV_AWS_374:config.countries restricts where the API answers
  comment         = "API of ${var.name}"
  enabled         = true
  is_ipv6_enabled = true
  http_version    = "http2and3"
  aliases         = var.config.aliases
  price_class     = var.config.price_class
  web_acl_id      = var.config.web_acl_arn

  origin {
    origin_id   = "api"
    domain_name = aws_lb.this.dns_name

    vpc_origin_config {
      vpc_origin_id            = aws_cloudfront_vpc_origin.this.id
      origin_keepalive_timeout = 60
      origin_read_timeout      = 60
    }
  }

  default_cache_behavior {
    target_origin_id         = "api"
    viewer_protocol_policy   = "redirect-to-https"
    allowed_methods          = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
    cached_methods           = ["GET", "HEAD"]
    cache_policy_id          = local.aws_policies.CachingDisabled
    origin_request_policy_id = local.aws_policies.AllViewer
    compress                 = false # a compressed event stream would be held back
  }

  restrictions {
    geo_restriction {
      restriction_type = length(var.config.countries) > 0 ? "whitelist" : "none"
      locations        = var.config.countries
    }
  }

  viewer_certificate {
    cloudfront_default_certificate = var.config.certificate_arn == null
    acm_certificate_arn            = var.config.certificate_arn
    ssl_support_method             = var.config.certificate_arn == null ? null : "sni-only"
    minimum_protocol_version       = var.config.certificate_arn == null ? "TLSv1" : "TLSv1.2_2021"
  }
}
