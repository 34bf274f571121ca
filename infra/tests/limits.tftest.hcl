# What the modules reject, each with a message that names the reason.

mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
}

variables {
  name               = "cutback"
  visibility_seconds = 1800
}

run "fewer_receives_make_dead_letters_of_throttling" {
  command = plan

  module {
    source = "./modules/queue"
  }

  variables {
    config = { max_receives = 4 }
  }

  expect_failures = [var.config]
}

run "dead_letters_need_time_of_their_own" {
  command = plan

  module {
    source = "./modules/queue"
  }

  variables {
    config = { retention_days = 14 }
  }

  expect_failures = [var.config]
}

run "arrivals_come_one_of_four_ways" {
  command = plan

  module {
    source = "./modules/queue"
  }

  variables {
    config   = {}
    arrivals = { bucket = "sea", bucket_arn = "arn:aws:s3:::sea", via = "pigeon" }
  }

  expect_failures = [var.arrivals]
}

run "a_bucket_brought_along_is_left_as_it_is" {
  command = plan

  module {
    source = "./modules/queue"
  }

  variables {
    config   = {}
    arrivals = { bucket = "sea", bucket_arn = "arn:aws:s3:::sea", via = "eventbridge", brought = true }
  }

  assert {
    condition     = length(aws_s3_bucket_notification.arrivals) == 0 && length(aws_cloudwatch_event_rule.arrivals) == 1
    error_message = "EventBridge is used; the bucket's own notifications are not changed."
  }
}

run "notifications_of_a_bucket_brought_along_are_not_replaced" {
  command = plan

  module {
    source = "./modules/queue"
  }

  variables {
    config   = {}
    arrivals = { bucket = "sea", bucket_arn = "arn:aws:s3:::sea", via = "queue", brought = true }
  }

  expect_failures = [var.arrivals]
}

run "unless_the_owner_says_so" {
  command = plan

  module {
    source = "./modules/queue"
  }

  variables {
    config   = {}
    arrivals = { bucket = "sea", bucket_arn = "arn:aws:s3:::sea", via = "topic", brought = true, replace = true }
  }

  assert {
    condition     = one(aws_s3_bucket_notification.arrivals[0].topic).events == toset(["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:LifecycleExpiration:*"])
    error_message = "Removals by lifecycle rules are events of their own."
  }
}

run "clips_are_no_recordings" {
  command = plan

  module {
    source = "./modules/storage"
  }

  variables {
    config = { recordings = { bucket = "sea" }, clips = { bucket = "sea" } }
  }

  expect_failures = [var.config]
}

run "buckets_brought_along_are_left_as_they_are" {
  command = plan

  module {
    source = "./modules/storage"
  }

  variables {
    config = { recordings = { bucket = "sea" }, clips = { bucket = "waves" } }
  }

  assert {
    condition     = keys(aws_s3_bucket.this) == ["code"] && output.recordings.bucket == "sea" && output.clips.arn == "arn:aws:s3:::waves"
    error_message = "Only the bucket for the zip is created."
  }
}

run "fifo_topics_deliver_to_queues_only" {
  command = plan

  module {
    source = "./modules/announce"
  }

  variables {
    config    = { fifo = true, email = ["sea@example.org"] }
    queue_arn = "arn:aws:sqs:eu-central-1:123456789012:cutback-requests"
  }

  expect_failures = [var.config]
}
