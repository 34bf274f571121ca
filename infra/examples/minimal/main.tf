# Everything in one apply: buckets, queue, functions, topics, alarms; with api = true, the REST API, too. Records are in
# your own MongoDB, such as a free Atlas cluster.

module "cutback" {
  source = "../.."

  name        = var.name
  package     = coalesce(var.package, "${path.module}/../../../build/lambda/cutback-${var.architecture}.zip")
  records     = { recovery_days = var.disposable ? 0 : 7 }
  records_url = var.records_url

  # A new account runs ten functions at a time, and a free Atlas cluster takes 100 operations a second. Five workers fit
  # into both limits.
  worker = { architecture = var.architecture, max_concurrency = 5 }

  # With the API, everything runs in a VPC, and reaches MongoDB from one address.
  network = one(module.network[*].network)
  api = var.api ? {
    image               = var.api_image
    repository_arn      = var.api_repository_arn
    architecture        = var.architecture
    deletion_protection = !var.disposable
  } : null

  storage = {
    recordings = { keep_days = var.keep_days, force_destroy = var.disposable }
    clips      = { force_destroy = var.disposable }
  }
}

module "network" {
  source = "../../modules/network"
  count  = var.api ? 1 : 0

  name = var.name
}
