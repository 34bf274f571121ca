# Everything in one apply: buckets, queue, functions, topics, alarms. Records are in your own MongoDB, such as a free
# Atlas cluster.

module "cutback" {
  source = "../.."

  name        = var.name
  package     = coalesce(var.package, "${path.module}/../../../build/lambda/cutback-${var.architecture}.zip")
  worker      = { architecture = var.architecture }
  records     = { recovery_days = var.disposable ? 0 : 7 }
  records_url = var.records_url

  storage = {
    recordings = { keep_days = var.keep_days, force_destroy = var.disposable }
    clips      = { force_destroy = var.disposable }
  }
}
