# By way of a bucket: a zip of this size is more than Lambda takes in a call.

locals {
  there        = fileexists(var.package)
  package_hash = local.there ? filebase64sha256(var.package) : ""
}

resource "aws_s3_object" "package" {
  #checkov:skip=CKV_AWS_186:encrypted as its bucket says
  bucket      = var.wires.code_bucket
  key         = "${var.name}-${var.config.architecture}.zip"
  source      = var.package
  source_hash = local.package_hash
  tags        = var.tags

  lifecycle {
    precondition {
      condition     = local.there
      error_message = "There is no ${var.package}. `make lambda-zip` makes it; `package` names another place."
    }
  }
}
