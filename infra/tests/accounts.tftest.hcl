# What two installations in one account, or an account that is new, would run into.

mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_region" {
    defaults = { id = "eu-central-1" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:eu-central-1:123456789012:cutback", url = "https://sqs.eu-central-1.amazonaws.com/123456789012/cutback" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-central-1:123456789012:cutback" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/cutback" }
  }
  mock_resource "aws_ecs_cluster" {
    defaults = { arn = "arn:aws:ecs:eu-central-1:123456789012:cluster/cutback" }
  }
  mock_resource "aws_ecs_task_definition" {
    defaults = { arn = "arn:aws:ecs:eu-central-1:123456789012:task-definition/cutback:1" }
  }
  mock_resource "aws_appautoscaling_policy" {
    defaults = { arn = "arn:aws:autoscaling:eu-central-1:123456789012:scalingPolicy:1" }
  }
  mock_resource "aws_cloudfront_distribution" {
    defaults = { arn = "arn:aws:cloudfront::123456789012:distribution/E1", domain_name = "d1.cloudfront.net" }
  }
  mock_resource "aws_cloudfront_public_key" {
    defaults = { id = "K1" }
  }
}

variables {
  name      = "other"
  queue_arn = "arn:aws:sqs:eu-central-1:123456789012:other-requests"
  functions = {
    worker       = { name = "other-worker", timeout = 300 }
    housekeeping = { name = "other-housekeeping", timeout = 120 }
  }
  queues     = { requests = { name = "other-requests", dead = "other-requests-dead" } }
  topic_name = "other-video_production"
  log_groups = []
}

run "the_first_installation_has_the_well_known_topic" {
  command = plan

  module {
    source = "./modules/announce"
  }

  variables {
    name = "cutback"
  }

  assert {
    condition     = aws_sns_topic.events.name == "video_production"
    error_message = "Subscribers know this name."
  }
}

run "another_installation_has_a_topic_of_its_own" {
  command = plan

  module {
    source = "./modules/announce"
  }

  assert {
    condition     = aws_sns_topic.events.name == "other-video_production"
    error_message = "Two topics of one name cannot be in an account and region."
  }
}

run "a_dashboard_names_its_region" {
  command = apply

  module {
    source = "./modules/observe"
  }

  variables {
    config = { email = ["sea@example.org"] }
  }

  assert {
    condition     = aws_cloudwatch_dashboard.this.dashboard_name == "other-eu-central-1"
    error_message = "Dashboards belong to the account: installations in two regions must not share one."
  }

  assert {
    condition = (
      [for query in aws_cloudwatch_metric_alarm.age["requests"].metric_query : query.expression if query.return_data == true] == ["IF(visible > 0, age, 0)"] &&
      toset([for query in aws_cloudwatch_metric_alarm.age["requests"].metric_query : one(query.metric).metric_name if length(query.metric) > 0]) == toset(["ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"])
    )
    error_message = "The age counts messages in flight: it may raise the alarm only while others wait."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.silence.treat_missing_data == "missing" && length(aws_cloudwatch_metric_alarm.silence.insufficient_data_actions) == 1
    error_message = "Before the first run there is no data: silence then, and an alarm only when data stops coming."
  }
}

run "a_budget_names_its_region" {
  command = plan

  module {
    source = "./modules/budget"
  }

  variables {
    config = { monthly_usd = 300, email = ["sea@example.org"] }
  }

  assert {
    condition     = aws_budgets_budget.this.name == "other-eu-central-1"
    error_message = "Budgets belong to the account."
  }
}

run "what_is_cloudfronts_names_its_region_and_answers_every_page" {
  command = apply

  module {
    source = "./modules/storage"
  }

  variables {
    config = {
      clips  = { cors_origins = ["https://a.example", "https://b.example"] }
      public = { signers_key = "-----BEGIN PUBLIC KEY-----" }
    }
  }

  assert {
    condition = toset([
      aws_cloudfront_origin_access_control.clips[0].name, aws_cloudfront_key_group.signers[0].name,
      aws_cloudfront_response_headers_policy.clips[0].name,
    ]) == toset(["other-eu-central-1-clips", "other-eu-central-1-signers"])
    error_message = "CloudFront belongs to the account: origin access controls, key groups and policies of one name collide."
  }

  assert {
    condition     = aws_cloudfront_distribution.clips[0].default_cache_behavior[0].response_headers_policy_id == aws_cloudfront_response_headers_policy.clips[0].id
    error_message = "The distribution must use the policy that allows the pages."
  }

  assert {
    condition = (
      aws_cloudfront_response_headers_policy.clips[0].cors_config[0].origin_override &&
      aws_cloudfront_response_headers_policy.clips[0].cors_config[0].access_control_allow_origins[0].items == toset(["https://a.example", "https://b.example"])
    )
    error_message = "CloudFront itself must add the headers, to answers out of its cache as well."
  }
}

run "without_pages_awss_own_policy_is_enough" {
  command = plan

  module {
    source = "./modules/storage"
  }

  variables {
    config = { public = {} }
  }

  assert {
    condition     = length(aws_cloudfront_response_headers_policy.clips) == 0 && aws_cloudfront_distribution.clips[0].default_cache_behavior[0].response_headers_policy_id == "67f7725c-6f97-4210-82d7-5512b31e9d03"
    error_message = "No policy of ours where no page is named."
  }
}

run "each_bucket_may_be_under_a_key_of_its_own" {
  command = apply

  module {
    source = "./modules/storage"
  }

  variables {
    key_arns = { clips = "arn:aws:kms:eu-central-1:123456789012:key/clips" }
  }

  assert {
    condition = (
      one(one(aws_s3_bucket_server_side_encryption_configuration.this["clips"].rule).apply_server_side_encryption_by_default).kms_master_key_id == "arn:aws:kms:eu-central-1:123456789012:key/clips" &&
      one(one(aws_s3_bucket_server_side_encryption_configuration.this["recordings"].rule).apply_server_side_encryption_by_default).sse_algorithm == "AES256"
    )
    error_message = "The key of clips encrypts clips, and nothing else."
  }
}

run "long_running_workers" {
  command = apply

  module {
    source = "./modules/service"
  }

  variables {
    config   = { image = "example.org/cutback:1", memory = 4096, create_ecs_role = true }
    log_days = 30
    network  = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] }
    wires = {
      environment        = { CUTBACK_SOURCE_STORE = "s3://sea", CUTBACK_LONG_QUEUE_URL = "https://long", CUTBACK_RECORDS_URL_SECRET = "arn:secret" }
      queue              = { url = "https://long", arn = "arn:aws:sqs:::other-long", name = "other-long", dead = { arn = "arn:aws:sqs:::other-long-dead" } }
      recordings         = { arn = "arn:aws:s3:::sea" }
      clips              = { arn = "arn:aws:s3:::waves" }
      topic_arn          = "arn:aws:sns:::other"
      records_secret_arn = "arn:aws:secretsmanager:::secret:records"
    }
  }

  assert {
    condition     = [for query in aws_cloudwatch_metric_alarm.waiting.metric_query : query.expression if query.return_data == true] == ["IF(visible > 0, age, 0)"]
    error_message = "One long job in hand must not start every worker."
  }

  assert {
    condition     = aws_iam_service_linked_role.ecs[0].aws_service_name == "ecs.amazonaws.com"
    error_message = "A new account can have its service-linked role made."
  }

  assert {
    condition = one([
      for each in jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment :
      tonumber(each.value) if each.name == "CUTBACK_LIMIT_MEMORY"
    ]) <= (4096 - 512) * 1024 * 1024
    error_message = "The process that cuts and the worker beside it must fit into the task."
  }
}
