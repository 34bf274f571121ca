"""The API of examples/complete: its container's command with its settings, and its role held against its calls."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.aws.end_to_end import SPEC, cutback, keep_records_in, send
from tests.aws.mapping import Functions
from tests.aws.rights import forbidden, unexplained
from tests.aws.service import environment_of, running_service
from tests.aws.stack import Stack
from tests.support.decode import decode_presented
from tests.support.media import cached_media
from tests.support.memcached import Memcached
from tests.support.mongo_server import MongoServer

from cutback.lifecycle.made_files import FOLDER
from cutback.web.api.serve import END_SECONDS

KEY = "north.20261124T120000.mp4"
KMS = {
    "kms:Decrypt *": "SQS, S3, SNS and Secrets Manager ask KMS in the caller's name",
    "kms:GenerateDataKey *": "the same",
}
NOT_PLAYED: dict[str, dict[str, str]] = {
    "api": {
        **KMS,
        "s3:ListBucket *": "S3 answers 404 instead of 403 by it",
        "s3:AbortMultipartUpload *-clips-*/_made/*": "only large files are written in parts",
        "sqs:DeleteMessage *-dead": "only letters that SQS itself moved, and those brought back one by one",
        "sqs:SendMessage *-dead": "the same",
        "sqs:ListMessageMoveTasks *-dead": "the stand-in refuses to begin a task, so nobody asks how it goes",
        "sqs:*MessageMoveTask* *-webhooks-dead": "only requests are redriven here",
        "sqs:ReceiveMessage *-webhooks-dead": "the same",
        "sqs:ChangeMessageVisibility *-webhooks-dead": "the same",
    },
    "start-api": {
        "kms:Decrypt *": "Secrets Manager and ECR ask KMS in the caller's name",
        "logs:* /ecs/*": "ECS itself writes logs",
        "ecr:* *": "ECS itself fetches the image",
    },
}
"""Rights for what does not happen in these tests, each with its reason."""


@dataclass(frozen=True, slots=True)
class Api:
    """The API while it runs."""

    client: httpx.Client
    functions: Functions

    def ask(self, method: str, path: str, *, status: int = 200, **content: Any) -> Any:
        """Send one request, and return the JSON that it answers."""
        answer = self.client.request(method, path, **content)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def upload(self, key: str, content: bytes) -> httpx.Response:
        """Upload a recording as a client does: in parts, to the store itself."""
        upload = self.ask("POST", "/v1/uploads", status=201, json={"key": key, "size": len(content)})
        path = f"/v1/uploads/{upload['id']}"
        (part,) = self.ask("POST", f"{path}/parts", json={"numbers": [1]})["items"]
        assert httpx.put(part["url"], content=content).status_code == 200
        assert [each["number"] for each in self.ask("GET", f"{path}/parts")["items"]] == [1]
        return self.client.post(f"{path}/complete")


@pytest.fixture(scope="module")
def api(
    complete: Stack, mongo: MongoServer, unpacked: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    """One task of the API, with a key of its operator. What is set is for the stand-in's sake."""
    folder = tmp_path_factory.mktemp("api")
    keep_records_in(complete, mongo)
    cache = Memcached()
    settings = {
        "CUTBACK_CACHE_URL": "memcached://{}:{}".format(*cache.node),
        "CUTBACK_DATA": str(folder / "data"),
        "CUTBACK_LISTEN": "127.0.0.1:0",
        "CUTBACK_DRAIN_SECONDS": "0",
    }
    functions = Functions(complete, *unpacked, {name: settings[name] for name in ("CUTBACK_CACHE_URL", "CUTBACK_DATA")})
    key = cutback(functions, "keys", "create", "operator", "--scope", "admin", "--json")["key"]
    with running_service(complete, folder / "api.log", settings, name="api") as process:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=60) as client:
            yield Api(client, functions)
    cache.kill()


@pytest.fixture(scope="module")
def recording(api: Api, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The key of a recording that was uploaded."""
    done = api.upload(KEY, cached_media(SPEC, tmp_path_factory.mktemp("media")).read_bytes())
    assert (done.status_code, done.json()["state"], done.json()["catalogued"]) == (200, "done", True)
    return KEY


def test_the_balancer_sends_to_where_the_program_listens(complete: Stack) -> None:
    (container,) = complete.task("api")["containerDefinitions"]
    elb = complete.moto.client("elbv2")
    (balancer,) = elb.describe_load_balancers(Names=["cutback-api"])["LoadBalancers"]
    (group,) = elb.describe_target_groups(Names=["cutback-api"])["TargetGroups"]
    (listener,) = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    (target,) = complete.ecs_service("api")["loadBalancers"]
    told = environment_of(complete, "api")
    assert (balancer["Scheme"], len(balancer["AvailabilityZones"])) == ("internal", 2)
    assert (listener["DefaultActions"][0]["TargetGroupArn"], target["targetGroupArn"]) == (group["TargetGroupArn"],) * 2
    assert (group["HealthCheckPath"], target["containerPort"]) == ("/healthz", 8080)
    assert told["CUTBACK_LISTEN"] == f"0.0.0.0:{container['portMappings'][0]['containerPort']}"
    assert container["stopTimeout"] > float(told["CUTBACK_DRAIN_SECONDS"]) + END_SECONDS + 2


def test_links_are_those_of_cloudfront(complete: Stack, api: Api, recording: str) -> None:
    assert environment_of(complete, "api")["CUTBACK_PUBLIC_URL"] == complete.outputs["api"]["url"]
    begun = api.ask("GET", "/v1/recordings")
    assert [each["key"] for each in begun["items"]] == [recording]


def test_a_clip_is_made_of_an_upload_sent_and_deleted(api: Api, recording: str) -> None:
    frames = api.client.get(f"/v1/recordings/{recording}/frames/30.jpg")
    assert (frames.status_code, frames.headers["content-type"]) == (200, "image/jpeg")
    wanted = {"id": "by-api", "source": {"recording": recording, "start": 1, "end": 3}}
    assert api.ask("POST", "/v1/clips", status=202, json=wanted)["state"] == "queued"
    api.functions.play()
    clip = api.ask("GET", "/v1/clips/by-api")
    assert clip["state"] == "ready"
    address = httpx.URL(clip["media"]["clip"])
    assert address.host == httpx.URL(api.functions.stack.outputs["api"]["url"]).host
    sent = api.client.get(address.raw_path.decode())
    assert decode_presented(sent.content).counters == list(range(30, 90))
    assert api.ask("DELETE", "/v1/clips/by-api")["id"] == "by-api"
    assert api.ask("GET", "/v1/clips")["items"] == []


def test_pictures_made_from_a_recording_are_kept_in_their_folder(api: Api, recording: str) -> None:
    stack = api.functions.stack
    made = api.client.get(f"/v1/recordings/{recording}/sprites.jpg")
    assert (made.status_code, made.headers["content-type"]) == (200, "image/jpeg")
    listed = stack.moto.client("s3").list_objects_v2(Bucket=stack.outputs["clips_bucket"], Prefix=f"{FOLDER}/")
    assert {each["Key"].rpartition("/")[2] for each in listed["Contents"]} == {"sprites-1.jpg", "sprites-1.json"}
    (right,) = (each for each in stack.rights("api") if each.action == "s3:PutObject" and "-clips-" in each.resource)
    assert right.resource.endswith(f"/{FOLDER}/*")


def test_an_upload_that_is_no_recording_leaves_nothing(api: Api) -> None:
    refused = api.upload("north.20261124T130000.mp4", b"no video")
    assert (refused.status_code, refused.json()["reason"]) == (422, "upload_refused")
    begun = api.ask("POST", "/v1/uploads", status=201, json={"key": "north.20261124T140000.mp4", "size": 5})
    api.ask("DELETE", f"/v1/uploads/{begun['id']}", status=204)
    bucket = api.functions.stack.outputs["recordings_bucket"]
    assert "Uploads" not in api.functions.stack.moto.client("s3").list_multipart_uploads(Bucket=bucket)


def test_dead_letters_are_listed_and_brought_back(api: Api) -> None:
    send(api.functions.stack, "this is no request")
    api.functions.play()
    (letter,) = api.ask("GET", "/v1/dead-letters")["items"]
    assert "JSON" in letter["reason"]
    assert api.ask("POST", "/v1/dead-letters/redrive", json={"all": True})["redriven"] == 1
    assert api.ask("GET", "/v1/dead-letters?queue=webhooks")["items"] == []


def test_every_dependency_answers_and_is_measured(api: Api) -> None:
    status = api.ask("GET", "/v1/status")
    assert {each["name"]: each["ok"] for each in status["dependencies"]} == dict.fromkeys(
        ["records", "queue", "recordings", "clips", "cache", "long_queue", "webhooks"], True
    )
    metrics = api.client.get("/metrics").text
    assert all(f'cutback_queue_messages{{queue="{name}",state="dead"}}' in metrics for name in ("clips", "long"))


@pytest.fixture
def made(api: Api, recording: str) -> Callable[[str], set[Any]]:
    """The calls of a role in the tests before."""
    return api.functions.stack.moto.calls


@pytest.mark.parametrize("role", sorted(NOT_PLAYED))
def test_every_call_is_allowed_by_its_role(complete: Stack, made: Callable[[str], set[Any]], role: str) -> None:
    assert made(role)
    assert forbidden(complete.rights(role), made(role)) == []


@pytest.mark.parametrize("role", sorted(NOT_PLAYED))
def test_no_role_allows_calls_that_are_never_made(complete: Stack, made: Callable[[str], set[Any]], role: str) -> None:
    assert unexplained(complete.rights(role), made(role), NOT_PLAYED[role]) == []
