# All options: a VPC, your own key, a cache, DocumentDB, long-running workers, the REST API, public clips, webhooks, alarms
# by e-mail and a budget.

module "cutback" {
  source = "../.."

  name    = var.name
  package = coalesce(var.package, "${path.module}/../../../build/lambda/cutback-${var.architecture}.zip")

  encryption = { create_key = true }
  network    = module.network.network

  storage = {
    recordings = { keep_days = 30, force_destroy = var.disposable }
    clips      = { keep_days = 365, force_destroy = var.disposable, cors_origins = ["https://example.org"] }
    public     = { signers_key = var.signers_key }
  }

  queue = { arrivals = "queue" }

  worker = {
    architecture    = var.architecture
    memory          = 3008 # the most that a new account may have; 1.7 processors
    timeout         = 600
    batch_size      = 1
    max_concurrency = 100
    traces          = true
  }

  records = {
    kind          = var.documentdb ? "documentdb" : "url"
    documentdb    = { deletion_protection = !var.disposable, final_snapshot = !var.disposable }
    recovery_days = var.disposable ? 0 : 7
  }
  records_url = var.records_url

  announce = {
    queues = { readers = { arn = aws_sqs_queue.reader.arn, filter = { type = ["clip.ready", "clip.failed"] } } }
  }
  webhooks = { urls = var.webhook_urls, recovery_days = var.disposable ? 0 : 7 }

  cache   = { nodes = 2 }
  service = { architecture = var.architecture, max_workers = 10 }
  api     = { architecture = var.architecture, deletion_protection = !var.disposable }

  observe = { log_days = 90, email = [var.email] }
  budget  = var.monthly_usd == null ? null : { monthly_usd = var.monthly_usd, email = [var.email] }
}

# A subscriber: the queue of an application.
resource "aws_sqs_queue" "reader" {
  name                    = "${var.name}-reader"
  sqs_managed_sse_enabled = true
}

resource "aws_sqs_queue_policy" "reader" {
  queue_url = aws_sqs_queue.reader.url
  policy    = data.aws_iam_policy_document.reader.json
}

data "aws_iam_policy_document" "reader" {
  statement {
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.reader.arn]

    principals {
      type        = "Service"
      identifiers = ["sns.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [module.cutback.events_topic_arn]
    }
  }
}
