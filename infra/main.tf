# The root connects the modules: one for each stage of a request, with what it needs from the others.
# Defaults and checks are in the modules; `null` anywhere means the module's default.
#
#   request ─► queue ─► worker ─► storage, records ─► announce ─► subscribers
#                 │         └─ cache
#                 └─ service, for jobs that are too long for the worker
#
# `api` sends to the queue, reads the records and sends the files of `storage`: for clients, through CloudFront.

locals {
  key = var.encryption.create_key ? module.key[0].arn : var.encryption.kms_key_arn

  # Recordings, clips and secrets may each have their own key.
  recordings_key = try(coalesce(var.encryption.recordings_key_arn, local.key), null)
  clips_key      = try(coalesce(var.encryption.clips_key_arn, local.key), null)
  secrets_key    = try(coalesce(var.encryption.secrets_key_arn, local.key), null)

  # What the programs may do with them: `uses` to read and write, `decrypts` to read only.
  keys = {
    uses     = distinct(compact([local.key, local.clips_key]))
    decrypts = setsubtract(compact([local.recordings_key, local.secrets_key]), compact([local.key, local.clips_key]))
  }

  # The visibility timeout of a queue follows from the function's timeout; AWS recommends six times.
  worker_timeout  = coalesce(var.worker.timeout, 300)
  webhook_timeout = coalesce(var.webhooks.timeout, 60)

  hears    = length(coalesce(var.webhooks.urls, [])) > 0
  long     = var.service != null
  api      = var.api != null
  log_days = coalesce(var.observe.log_days, 30)

}

module "key" {
  source = "./modules/key"
  count  = var.encryption.create_key ? 1 : 0

  name = var.name
}

module "storage" {
  source = "./modules/storage"

  name   = var.name
  config = var.storage
  key_arns = {
    recordings = local.recordings_key
    clips      = local.clips_key
    code       = local.key
  }
}

module "queue" {
  source = "./modules/queue"

  name               = "${var.name}-requests"
  config             = var.queue
  visibility_seconds = 6 * local.worker_timeout
  topics             = [module.announce.requests_topic_arn]
  kms_key_arn        = local.key

  arrivals = {
    bucket     = module.storage.recordings.bucket
    bucket_arn = module.storage.recordings.arn
    via        = var.queue.arrivals
    prefix     = var.queue.arrivals_prefix
    brought    = try(var.storage.recordings.bucket, null) != null
    replace    = var.queue.replace_notifications
  }
}

module "webhook_queue" {
  source = "./modules/queue"
  count  = local.hears ? 1 : 0

  name               = "${var.name}-webhooks"
  config             = { max_receives = 20 } # receivers may be down for hours; Cutback counts the tries itself
  visibility_seconds = 6 * local.webhook_timeout
  kms_key_arn        = local.key
}

module "long_queue" {
  source = "./modules/queue"
  count  = local.long ? 1 : 0

  name               = "${var.name}-long"
  visibility_seconds = 300 # the poll worker sets its own, and extends it while it works
  kms_key_arn        = local.key
}

module "records" {
  source = "./modules/records"

  name        = var.name
  config      = var.records
  url         = var.records_url
  network     = local.data_network
  kms_key_arn = local.key
  secrets_key = local.secrets_key
}

module "announce" {
  source = "./modules/announce"

  name        = var.name
  config      = var.announce
  queue_arn   = module.queue.arn
  kms_key_arn = local.key
}

module "cache" {
  source = "./modules/cache"
  count  = var.cache == null ? 0 : 1

  name    = var.name
  config  = var.cache
  network = local.data_network
}

module "worker" {
  source = "./modules/worker"

  name        = var.name
  package     = var.package
  config      = var.worker
  webhooks    = var.webhooks
  network     = local.worker_network
  log_days    = local.log_days
  kms_key_arn = local.key
  secrets_key = local.secrets_key
  keys        = local.keys

  wires = {
    recordings         = module.storage.recordings
    takes_uploads      = local.api
    clips              = module.storage.clips
    assets             = module.storage.assets
    clip_address       = module.storage.address
    keep_days          = try(var.storage.recordings.keep_days, null)
    code_bucket        = module.storage.code_bucket
    queue              = module.queue
    webhook_queue      = one(module.webhook_queue)
    long_queue         = one(module.long_queue)
    topic_arn          = module.announce.topic_arn
    records_secret_arn = module.records.secret_arn
    records_version    = module.records.secret_version
    cache_url          = one(module.cache[*].url)
  }
}

module "service" {
  source = "./modules/service"
  count  = local.long ? 1 : 0

  name        = var.name
  config      = var.service
  network     = local.worker_network
  log_days    = local.log_days
  kms_key_arn = local.key
  keys        = local.keys

  wires = {
    environment         = module.worker.environment
    queue               = one(module.long_queue)
    webhook_queue       = one(module.webhook_queue)
    takes_uploads       = local.api
    recordings          = module.storage.recordings
    clips               = module.storage.clips
    assets              = module.storage.assets
    topic_arn           = module.announce.topic_arn
    records_secret_arn  = module.records.secret_arn
    webhooks_secret_arn = module.worker.webhooks_secret_arn
  }
}

module "api" {
  source = "./modules/api"
  count  = local.api ? 1 : 0

  name = var.name
  # The image of the long-running workers is the same program.
  config = merge(var.api, local.long && try(var.api.image, null) == null ? {
    image          = module.service[0].image
    repository_arn = try(coalesce(var.service.repository_arn, module.service[0].repository_arn), null)
  } : {})
  network      = local.api_network
  alarm_topics = module.observe.alarm_topics
  log_days     = local.log_days
  kms_key_arn  = local.key
  keys         = merge(local.keys, { recordings = local.recordings_key })

  wires = {
    environment         = module.worker.environment
    queue               = module.queue
    webhook_queue       = one(module.webhook_queue)
    long_queue          = one(module.long_queue)
    recordings          = module.storage.recordings
    clips               = module.storage.clips
    assets              = module.storage.assets
    topic_arn           = module.announce.topic_arn
    records_secret_arn  = module.records.secret_arn
    webhooks_secret_arn = module.worker.webhooks_secret_arn
  }
}

module "observe" {
  source = "./modules/observe"

  name        = var.name
  config      = var.observe
  functions   = module.worker.functions
  topic_name  = module.announce.topic_name
  kms_key_arn = local.key

  queues = { for role, queue in {
    requests = module.queue
    webhooks = one(module.webhook_queue)
    long     = one(module.long_queue)
  } : role => { name = queue.name, dead = queue.dead.name } if queue != null }

  log_groups = concat([for function in module.worker.functions : function.logs], module.service[*].logs, module.api[*].logs)
}

module "budget" {
  source = "./modules/budget"
  count  = var.budget == null ? 0 : 1

  name   = var.name
  config = var.budget
}

# The rights of a person who runs `cutback dead-letters` and `cutback redrive` with the worker's settings.
module "operator_access" {
  source = "./modules/access"

  redrives = concat(
    [{ queue = module.queue.arn, dead = module.queue.dead.arn }],
    [for queue in concat(module.webhook_queue, module.long_queue) : { queue = queue.arn, dead = queue.dead.arn }],
  )
  secrets  = [module.records.secret_arn]
  keys     = compact([local.key])
  decrypts = setsubtract(compact([local.secrets_key]), compact([local.key]))
}
