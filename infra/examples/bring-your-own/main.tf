# For an account that already has buckets, a VPC, a key, a MongoDB whose URL is in a secret, and a topic for alarms.
# Existing resources are not changed: not their policies, lifecycles or notifications.

module "cutback" {
  source = "../.."

  name    = var.name
  package = coalesce(var.package, "${path.module}/../../../build/lambda/cutback-${var.architecture}.zip")
  worker  = { architecture = var.architecture }

  encryption = { kms_key_arn = var.kms_key_arn }
  network    = var.network

  storage = {
    recordings = { bucket = var.recordings_bucket }
    clips      = { bucket = var.clips_bucket }
  }

  # The bucket of recordings must send events to EventBridge (Properties, Amazon EventBridge, On).
  queue = { arrivals = "eventbridge" }

  records = { kind = "secret", secret_arn = var.records_secret_arn }

  observe = { topics = [var.alarms_topic_arn] }
}
