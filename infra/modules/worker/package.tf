# Through a bucket, because a zip of this size is too large for a direct upload to Lambda.

locals {
  there        = fileexists(var.package)
  package_hash = local.there ? filebase64sha256(var.package) : ""
}

resource "aws_s3_object" "package" {
  #checkov:skip=CKV_AWS_186:encrypted as its bucket says
  bucket      = var.wires.code_bucket
  key         = "${var.name}-${var.config.architecture}-${substr(sha256(local.package_hash), 0, 16)}.zip"
  source      = var.package
  source_hash = local.package_hash

  lifecycle {
    precondition {
      condition     = local.there
      error_message = "There is no ${var.package}. Run `make lambda-zip`, or set `package` to the path of the zip."
    }
  }
}
