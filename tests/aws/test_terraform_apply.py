"""The examples can be applied and destroyed completely, stay unchanged, and are wired as the program expects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from infra.lambda_zip import PYTHON
from tests.aws.rights import Right, policies, rights_of
from tests.aws.service_policies import SENT, allows
from tests.aws.stack import Moto, Stack

FORGOTTEN = {
    "module.cutback.module.cache[0].aws_elasticache_cluster.this": {"az_mode", "security_group_ids"},
    "module.cutback.module.cache[0].aws_vpc_security_group_ingress_rule.workers": {"description"},
    "module.cutback.module.storage.aws_cloudfront_distribution.clips[0]": {
        "default_cache_behavior", "origin", "viewer_certificate",
    },
    'module.cutback.module.storage.aws_s3_bucket_policy.this["clips"]': {"policy"},  # names the distribution
    "module.cutback.module.api[0].aws_cloudfront_distribution.this": {
        "default_cache_behavior", "origin", "viewer_certificate",
    },
    "module.cutback.module.api[0].aws_cloudfront_vpc_origin.this": {"tags_all"},
    "module.cutback.module.api[0].aws_ecs_service.this": {
        "availability_zone_rebalancing", "health_check_grace_period_seconds",
    },
    "module.cutback.module.api[0].aws_vpc_security_group_egress_rule.tasks": {"description"},
    "module.cutback.module.api[0].aws_vpc_security_group_ingress_rule.balancer": {"description"},
    "module.cutback.module.api[0].aws_vpc_security_group_ingress_rule.cloudfront": {"description"},
    "module.cutback.module.service[0].aws_ecs_service.this": {
        "availability_zone_rebalancing", "capacity_provider_strategy", "deployment_circuit_breaker",
        "deployment_controller", "health_check_grace_period_seconds", "iam_role", "id", "launch_type",
        "network_configuration", "tags", "tags_all", "triggers",
    },
}  # fmt: skip
"""What moto takes and does not give back, so that a plan would set it again. All of it in examples/complete."""

LISTINGS = (
    ("cloudwatch", "describe_alarms", "MetricAlarms"),
    ("cloudwatch", "list_dashboards", "DashboardEntries"),
    ("ec2", "describe_security_groups", "SecurityGroups"),
    ("ec2", "describe_vpcs", "Vpcs"),
    ("ecr", "describe_repositories", "repositories"),
    ("elasticache", "describe_cache_clusters", "CacheClusters"),
    ("elbv2", "describe_load_balancers", "LoadBalancers"),
    ("elbv2", "describe_target_groups", "TargetGroups"),
    ("events", "list_rules", "Rules"),
    ("iam", "list_roles", "Roles"),
    ("lambda", "list_event_source_mappings", "EventSourceMappings"),
    ("lambda", "list_functions", "Functions"),
    ("logs", "describe_log_groups", "logGroups"),
    ("s3", "list_buckets", "Buckets"),
    ("secretsmanager", "list_secrets", "SecretList"),
    ("sns", "list_subscriptions", "Subscriptions"),
    ("sns", "list_topics", "Topics"),
    ("sqs", "list_queues", "QueueUrls"),
)
"""Where to look for remains. Not among KMS's keys, which go only days after they were given up, nor
among ECS's clusters, of which moto lists those that are gone."""


def test_a_second_plan_changes_nothing(applied: Stack) -> None:
    known = {address: names for address, names in FORGOTTEN.items() if applied.terraform.folder.name == "complete"}
    drift = {address: names - known.get(address, set()) for address, names in applied.terraform.drift().items()}
    assert {address: names for address, names in drift.items() if names} == {}


def test_people_are_told_what_to_do_next(applied: Stack) -> None:
    needed = {"recordings_bucket", "clips_bucket", "queue_url", "requests_topic_arn", "events_topic_arn", "dashboard"}
    assert needed <= {name for name, value in applied.outputs.items() if value}


def test_no_password_is_in_the_state(applied: Stack) -> None:
    assert "no-state-has-this" not in json.dumps(applied.state)


def test_the_records_url_is_in_its_secret(minimal: Stack) -> None:
    secrets, secret = minimal.moto.client("secretsmanager"), minimal.outputs["records_secret_arn"]
    versions = secrets.list_secret_version_ids(SecretId=secret, IncludeDeprecated=True)["Versions"]
    # The end-to-end tests may have put the URL of their own database in its place.
    kept = [secrets.get_secret_value(SecretId=secret, VersionId=each["VersionId"])["SecretString"] for each in versions]
    assert "mongodb://user:no-state-has-this@127.0.0.1:27017/cutback" in kept


def test_webhooks_are_signed_by_a_secret_of_the_right_form(complete: Stack) -> None:
    from cutback.settings.settings import Settings

    secret = complete.moto.client("secretsmanager").get_secret_value(SecretId=complete.outputs["webhooks_secret_arn"])
    assert Settings(webhook_secret=secret["SecretString"]).webhook_secret is not None


@pytest.mark.parametrize(
    ("role", "handler"), [("worker", "handler"), ("housekeeping", "housekeep"), ("webhooks", "webhooks")]
)
def test_functions_run_the_program_and_are_told_where_everything_is(complete: Stack, role: str, handler: str) -> None:
    function = complete.function(role)
    assert function["Handler"] == f"cutback.worker.aws_lambda.{handler}"
    assert (function["Runtime"], function["Architectures"]) == (f"python{PYTHON}", ["x86_64"])
    told = function["Environment"]["Variables"]
    outputs = complete.outputs
    assert told["CUTBACK_SOURCE_STORE"] == f"s3://{outputs['recordings_bucket']}"
    assert told["CUTBACK_CLIP_STORE"] == f"s3://{outputs['clips_bucket']}"
    assert told["CUTBACK_QUEUE_URL"] == outputs["queue_url"]
    assert told["CUTBACK_WEBHOOK_QUEUE_URL"] == outputs["webhook_queue_url"]
    assert told["CUTBACK_LONG_QUEUE_URL"] == outputs["long_queue_url"]
    assert told["CUTBACK_ANNOUNCE_URLS"] == outputs["events_topic_arn"]
    assert outputs["events_topic_arn"].endswith(":video_production")
    assert told["CUTBACK_RECORDS_URL_SECRET"] == outputs["records_secret_arn"]
    assert told["CUTBACK_CACHE_URL"] == outputs["cache_url"]
    assert told["CUTBACK_CLIP_ADDRESS"] == outputs["clips_address"]
    assert ("CUTBACK_WEBHOOK_SECRET_SECRET" in told) == (role == "webhooks")


def test_functions_fit_into_a_new_account(applied: Stack) -> None:
    """A new account gives a function 3,008 MB at most, and runs ten at once in all."""
    for role in applied.outputs["functions"]:
        assert applied.function(role)["MemorySize"] <= 3008
    if applied.terraform.folder.name == "minimal":
        assert applied.mapping()["ScalingConfig"] == {"MaximumConcurrency": 5}


def test_what_calls_a_function_calls_its_alias_which_names_a_version(applied: Stack) -> None:
    client = applied.moto.client("lambda")
    for role, function in applied.outputs["functions"].items():
        alias = client.get_alias(FunctionName=function["name"], Name="live")
        assert alias["FunctionVersion"] == function["version"] != "$LATEST", role
        assert alias["AliasArn"] == function["live"]
    assert applied.mapping()["FunctionArn"] == applied.outputs["functions"]["worker"]["live"]
    (target,) = applied.moto.client("events").list_targets_by_rule(Rule="cutback-housekeeping")["Targets"]
    assert target["Arn"] == applied.outputs["functions"]["housekeeping"]["live"]


@pytest.mark.parametrize("role", ["worker", "service"])
def test_a_new_url_of_the_records_restarts_programs(complete: Stack, role: str) -> None:
    secrets = complete.moto.client("secretsmanager")
    versions = secrets.list_secret_version_ids(SecretId=complete.outputs["records_secret_arn"])["Versions"]
    if role == "service":
        (container,) = complete.task()["containerDefinitions"]
        told = {each["name"]: each["value"] for each in container["environment"]}
    else:
        told = complete.function(role)["Environment"]["Variables"]
    assert told["RECORDS_URL_VERSION"] in {each["VersionId"] for each in versions}
    assert told["CUTBACK_RECORDS_URL_SECRET"] == complete.outputs["records_secret_arn"]


def key_policy(stack: Stack) -> str:
    kms = stack.moto.client("kms")
    (key,) = [each["TargetKeyId"] for each in kms.list_aliases()["Aliases"] if each["AliasName"] == "alias/cutback"]
    return str(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])


@pytest.mark.parametrize("service", sorted(SENT))
def test_the_key_lets_every_service_do_its_part(complete: Stack, service: str) -> None:
    needed = ["kms:Decrypt"] if service.startswith("cloudfront") else ["kms:Decrypt", "kms:GenerateDataKey"]
    for action in needed:
        assert allows(key_policy(complete), service, action, SENT[service]), action


@pytest.mark.parametrize("service", ["s3.amazonaws.com", "sns.amazonaws.com", "cloudwatch.amazonaws.com"])
def test_the_key_does_not_serve_other_buckets_and_topics(complete: Stack, service: str) -> None:
    foreign = {"aws:SourceAccount": "999999999999", "aws:SourceArn": "arn:aws:s3:::somebody-elses"}
    assert not allows(key_policy(complete), service, "kms:Decrypt", foreign)
    assert not allows(key_policy(complete), "lambda.amazonaws.com", "kms:Decrypt", {})


def test_everything_carries_the_tag_of_the_application(complete: Stack) -> None:
    function = complete.moto.client("lambda").get_function(FunctionName="cutback-worker")
    assert function["Tags"] == {"application": "cutback"}
    queue = complete.moto.client("sqs").list_queue_tags(QueueUrl=complete.outputs["queue_url"])
    assert queue["Tags"] == {"application": "cutback"}


@pytest.mark.parametrize("role", ["worker", "housekeeping", "webhooks"])
def test_x_ray_gets_traces_if_requested(complete: Stack, role: str) -> None:
    assert complete.function(role)["TracingConfig"] == {"Mode": "Active"}
    assert {right for right in complete.rights(role) if right.action.startswith("xray:")} == {
        Right("xray:PutTraceSegments", "*"), Right("xray:PutTelemetryRecords", "*"),
    }  # fmt: skip


@pytest.mark.parametrize("role", ["worker", "housekeeping"])
def test_x_ray_gets_nothing_by_default(minimal: Stack, role: str) -> None:
    assert minimal.function(role)["TracingConfig"] == {"Mode": "PassThrough"}
    assert [right for right in minimal.rights(role) if right.action.startswith("xray:")] == []


@pytest.mark.parametrize("role", ["service", "start"])
def test_long_running_workers_have_nothing_to_do_with_x_ray(complete: Stack, role: str) -> None:
    assert [right for right in complete.rights(role) if right.action.startswith("xray:")] == []


def test_the_mapping_reports_partial_failures_within_the_visibility_timeout(applied: Stack) -> None:
    mapping = applied.mapping()
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BatchSize"] == 1
    queue = attributes(applied, applied.outputs["queue_url"])
    assert int(queue["VisibilityTimeout"]) >= 6 * applied.function("worker")["Timeout"]


def attributes(stack: Stack, url: str) -> dict[str, Any]:
    return dict(stack.moto.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"])


def test_a_queue_has_dead_letters_after_at_least_five_receives(applied: Stack) -> None:
    redrive = json.loads(attributes(applied, applied.outputs["queue_url"])["RedrivePolicy"])
    assert redrive["maxReceiveCount"] >= 5
    dead = attributes(applied, applied.outputs["dead_letters_url"])
    assert dead["QueueArn"] == redrive["deadLetterTargetArn"]
    allow = json.loads(dead["RedriveAllowPolicy"])
    assert allow["sourceQueueArns"] == [attributes(applied, applied.outputs["queue_url"])["QueueArn"]]


def test_only_our_bucket_and_topic_may_send_to_the_queue(applied: Stack) -> None:
    policy = json.loads(attributes(applied, applied.outputs["queue_url"])["Policy"])
    senders = {
        each["Principal"]["Service"]: each["Condition"] for each in policy["Statement"] if each["Effect"] == "Allow"
    }
    assert senders == {
        "s3.amazonaws.com": {
            "ArnEquals": {"aws:SourceArn": f"arn:aws:s3:::{applied.outputs['recordings_bucket']}"},
            "StringEquals": {"aws:SourceAccount": "123456789012"},
        },
        "sns.amazonaws.com": {"ArnEquals": {"aws:SourceArn": applied.outputs["requests_topic_arn"]}},
    }


def test_buckets_are_closed_and_encrypted_and_refuse_plain_http(applied: Stack) -> None:
    s3 = applied.moto.client("s3")
    for bucket in (applied.outputs["recordings_bucket"], applied.outputs["clips_bucket"]):
        assert set(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values()) == {True}
        assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
        denied = [each for each in policy["Statement"] if each["Effect"] == "Deny"]
        assert [each["Condition"] for each in denied] == [{"Bool": {"aws:SecureTransport": "false"}}]


def test_only_cloudfront_may_read_clips_for_the_public(complete: Stack) -> None:
    policy = json.loads(complete.moto.client("s3").get_bucket_policy(Bucket=complete.outputs["clips_bucket"])["Policy"])
    (allowed,) = [each for each in policy["Statement"] if each["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert allowed["Action"] == "s3:GetObject"
    assert list(allowed["Condition"]["StringEquals"]) == ["AWS:SourceArn"] or "aws:SourceArn" in str(allowed)


def drain(stack: Stack) -> Iterator[str]:
    sqs = stack.moto.client("sqs")
    url = stack.outputs["queue_url"]
    while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0).get("Messages"):
        for message in found:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            yield message["Body"]


def test_arrivals_and_requests_by_sns_reach_the_queue(complete: Stack) -> None:
    list(drain(complete))
    complete.moto.client("s3").put_object(Bucket=complete.outputs["recordings_bucket"], Key="sea.mp4", Body=b"sea")
    complete.moto.client("sns").publish(TopicArn=complete.outputs["requests_topic_arn"], Message='{"id": "a"}')
    told = [json.loads(body) for body in drain(complete)]
    arrived = [each["Records"][0]["s3"]["object"]["key"] for each in told if "Records" in each]
    assert arrived == ["sea.mp4"]
    assert [each["Message"] for each in told if each.get("Type") == "Notification"] == ['{"id": "a"}']


def test_no_role_may_do_anything_to_everything(applied: Stack) -> None:
    demanded = {
        "xray:PutTraceSegments", "xray:PutTelemetryRecords", "ecr:GetAuthorizationToken",
        "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses",
    }  # fmt: skip
    for role, policy in policies(applied.state).items():
        rights = rights_of(policy)
        assert rights, role
        assert not [right for right in rights if "*" in right.action], role
        assert {right.action for right in rights if right.resource == "*"} <= demanded, role


@pytest.mark.destroys
def test_destroying_leaves_nothing(applied: Stack) -> None:
    applied.terraform.destroy()
    assert applied.terraform.resources() == []
    assert remains(applied.moto) == []


def remains(moto: Moto) -> list[str]:
    """What the stand-in still has that carries our name."""
    found = []
    for service, listing, kind in LISTINGS:
        answer = getattr(moto.client(service), listing)()
        found += [f"{service}: {text[:200]}" for text in map(str, answer.get(kind) or ()) if "cutback" in text]
    return found
