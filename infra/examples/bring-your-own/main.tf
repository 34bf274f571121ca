# For an account that has most of it already: buckets, a VPC, a key, a MongoDB whose URL is in a secret, a topic that
# somebody watches. What is brought along is left as it is: no policy, no lifecycle, no notification of it is changed.

module "cutback" {
  source = "../.."

  name    = var.name
  package = coalesce(var.package, "${path.module}/../../../build/lambda/cutback-arm64.zip")

  encryption = { kms_key_arn = var.kms_key_arn }
  network    = var.network

  storage = {
    recordings = { bucket = var.recordings_bucket }
    clips      = { bucket = var.clips_bucket }
  }

  # The bucket of recordings tells EventBridge of its objects (Properties, Amazon EventBridge, On).
  queue = { arrivals = "eventbridge" }

  records = { kind = "secret", secret_arn = var.records_secret_arn }

  observe = { topics = [var.alarms_topic_arn] }
}
