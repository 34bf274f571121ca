# Everything in one apply: buckets, queue, functions, topics, alarms. Records are in your own MongoDB, such as a free
# Atlas cluster.

module "cutback" {
  source = "../.."

  name        = var.name
  package     = coalesce(var.package, "${path.module}/../../../build/lambda/cutback-${var.architecture}.zip")
  records     = { recovery_days = var.disposable ? 0 : 7 }
  records_url = var.records_url

  # A new account runs ten functions at a time, and a free Atlas cluster takes 100 operations a second. Five workers fit
  # into both limits.
  worker = { architecture = var.architecture, max_concurrency = 5 }

  storage = {
    recordings = { keep_days = var.keep_days, force_destroy = var.disposable }
    clips      = { force_destroy = var.disposable }
  }
}
