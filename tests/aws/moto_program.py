"""The stand-in for AWS, as a program: moto's server on loopback, corrected where it differs from AWS in what we use.

It writes each request into the file that its argument names (see tests/aws/calls.py), and prints
`Running on http://127.0.0.1:PORT` when it can be called.
"""

from __future__ import annotations

import io
import json
import re
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.awslambda.models import LambdaBackend
from moto.core.responses import EmptyResult
from moto.elasticache.models import ElastiCacheBackend
from moto.elasticache.responses import ElastiCacheResponse
from moto.iam.access_control import PermissionResult
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.s3.models import FakeBucket
from moto.sqs.exceptions import SQSException
from moto.sqs.models import Queue, sqs_backends
from moto.sqs.responses import SQSResponse
from werkzeug.serving import run_simple

App = Callable[[dict[str, Any], Any], Iterable[bytes]]


def leave_mappings_to_tests() -> None:
    """Keep event source mappings without playing them: moto would empty the queue into a container at each message.

    The tests play them themselves, as AWS does it: receive, call, delete what did not fail.
    """
    create = LambdaBackend.create_event_source_mapping

    def create_idle(self: LambdaBackend, spec: dict[str, Any]) -> Any:
        mapping = create(self, spec)
        mapping.function_arn = spec["FunctionName"]  # AWS gives back the alias that was named, moto the function
        for queue in sqs_backends[self.account_id][self.region_name].queues.values():
            queue.lambda_event_source_mappings.clear()
        return mapping

    LambdaBackend.create_event_source_mapping = create_idle  # type: ignore[method-assign]


def keep_queue_attributes() -> None:
    """Know RedriveAllowPolicy; give policies back as they came, and nothing for "": so an attribute is taken away."""
    change = Queue._set_attributes
    replaced: Any = Queue
    read = replaced.attributes.fget

    def change_named(self: Queue, attributes: dict[str, Any], now: float | None = None) -> None:
        change(self, {"Policy": getattr(self, "policy", None), **attributes}, now)

    def read_compact(self: Queue) -> dict[str, Any]:
        found = read(self)
        if found.get("RedrivePolicy"):
            found["RedrivePolicy"] = json.dumps(self.redrive_policy, separators=(",", ":"))
        return {name: value for name, value in found.items() if value not in (None, "")}

    Queue.BASE_ATTRIBUTES.append("RedriveAllowPolicy")
    replaced.redrive_allow_policy = None
    replaced._set_attributes = change_named
    replaced.attributes = property(read_compact)


def leave_bucket_policies_to_aws() -> None:
    """Do not judge by bucket policies: moto overlooks their conditions, and denies what was only denied unencrypted."""
    replaced: Any = FakeBucket
    replaced.get_permission = lambda *_: PermissionResult.NEUTRAL


def know_no_move_tasks() -> None:
    """Say so, rather than break: moto has no message move tasks, and AWS knows what it does not know."""

    def refuse(_: SQSResponse) -> NoReturn:
        raise SQSException("AWS.SimpleQueueService.UnsupportedOperation", "Message move tasks are not played here.")

    replaced: Any = SQSResponse
    replaced.start_message_move_task = refuse
    replaced.list_message_move_tasks = refuse


def remember_tags_of_scaling() -> None:
    """Answer ListTagsForResource of Application Auto Scaling, which Terraform asks of what it registers."""
    register = ApplicationAutoScalingResponse.register_scalable_target
    tags: dict[str, Any] = {}

    def register_tagged(self: ApplicationAutoScalingResponse) -> str:
        answer = register(self)
        arn = json.loads(answer)["ScalableTargetARN"]
        tags[arn] = self._get_param("Tags") or tags.get(arn, {})
        return answer

    def list_tags(self: ApplicationAutoScalingResponse) -> str:
        return json.dumps({"Tags": tags.get(self._get_param("ResourceARN"), {})})

    replaced: Any = ApplicationAutoScalingResponse
    replaced.register_scalable_target = register_tagged
    replaced.list_tags_for_resource = list_tags


def let_caches_go() -> None:
    """Delete cache clusters, which moto keeps "deleting" for ever, and subnet groups, which it cannot."""
    delete = ElastiCacheBackend.delete_cache_cluster

    def delete_at_once(self: ElastiCacheBackend, cache_cluster_id: str) -> Any:
        cluster = delete(self, cache_cluster_id)
        del self.cache_clusters[cache_cluster_id]
        return cluster

    def delete_group(self: ElastiCacheResponse) -> EmptyResult:
        self.elasticache_backend.cache_subnet_groups.pop(self._get_param("CacheSubnetGroupName"), None)
        return EmptyResult()

    ElastiCacheBackend.delete_cache_cluster = delete_at_once  # type: ignore[method-assign]
    replaced: Any = ElastiCacheResponse
    replaced.delete_cache_subnet_group = delete_group


@dataclass(frozen=True)
class Kind:
    """A kind of thing of CloudFront that moto does not know."""

    element: str
    """What an answer is called in XML."""
    config: str
    """The part of the request that is given back."""
    missing: str
    """The error for one that does not exist."""
    about: str
    """What else AWS says, with `{id}`."""


KINDS = {
    "response-headers-policy": Kind(
        "ResponseHeadersPolicy",
        "ResponseHeadersPolicyConfig",
        "NoSuchResponseHeadersPolicy",
        "<LastModifiedTime>2026-11-28T00:00:00Z</LastModifiedTime>",
    ),
    "vpc-origin": Kind(
        "VpcOrigin",
        "VpcOriginEndpointConfig",
        "EntityNotFound",
        "<Arn>arn:aws:cloudfront::123456789012:vpcorigin/{id}</Arn><Status>Deployed</Status>"
        "<CreatedTime>2026-11-28T00:00:00Z</CreatedTime><LastModifiedTime>2026-11-28T00:00:00Z</LastModifiedTime>",
    ),
}
"""By their place in CloudFront's paths."""


class CloudFrontKinds:
    """Keeps what moto's CloudFront does not know, in front of the application."""

    _PATH = re.compile(r"/2020-05-31/([a-z-]+)(?:/([^/]+))?/?")

    def __init__(self, app: App) -> None:
        """Begin without any."""
        self._app = app
        self._configs: dict[str, str] = {}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        asked = self._PATH.fullmatch(environ["PATH_INFO"])
        kind = KINDS.get(asked[1]) if asked else None
        if asked is None or kind is None:
            return self._app(environ, start_response)
        name = asked[2] or ""
        status, body = "200 OK", ""
        match environ["REQUEST_METHOD"]:
            case "POST":
                name = f"{asked[1]}-{len(self._configs)}"
                text = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode()
                found = re.search(rf"<{kind.config}[ >].*</{kind.config}>", text, re.DOTALL)
                self._configs[name] = found[0] if found else ""
                status = "201 Created"
            case "DELETE":
                del self._configs[name]
                start_response("204 No Content", [])
                return []
        if name not in self._configs:
            status = "404 Not Found"
            body = f"<ErrorResponse><Error><Code>{kind.missing}</Code></Error></ErrorResponse>"
        else:
            body = f"<{kind.element}><Id>{name}</Id>{kind.about.format(id=name)}{self._configs[name]}</{kind.element}>"
        start_response(status, [("Content-Type", "text/xml"), ("ETag", name)])
        return [body.encode()]


class Recorded:
    """The application, with a line for each request in a file."""

    def __init__(self, app: App, path: Path) -> None:
        """Begin a new file."""
        self._app = app
        self._lock = threading.Lock()
        self._file = path.open("w", encoding="utf-8", buffering=1)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        kind = environ.get("CONTENT_TYPE", "")
        body = b""
        # The bodies of objects are irrelevant here, and may be large.
        if "json" in kind or "x-www-form-urlencoded" in kind:
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = io.BytesIO(body)
        line = {
            "method": environ["REQUEST_METHOD"],
            "path": environ["PATH_INFO"],
            "query": environ.get("QUERY_STRING", ""),
            "signed": environ.get("HTTP_AUTHORIZATION", ""),
            "target": environ.get("HTTP_X_AMZ_TARGET", ""),
            "copied": environ.get("HTTP_X_AMZ_COPY_SOURCE", ""),
            "body": body.decode("utf-8", "replace"),
        }
        with self._lock:
            self._file.write(json.dumps(line) + "\n")
        return self._app(environ, start_response)


if __name__ == "__main__":
    leave_mappings_to_tests()
    keep_queue_attributes()
    leave_bucket_policies_to_aws()
    know_no_move_tasks()
    remember_tags_of_scaling()
    let_caches_go()
    app = Recorded(CloudFrontKinds(DomainDispatcherApplication(create_backend_app)), Path(sys.argv[1]))
    run_simple("127.0.0.1", 0, app, threaded=True, request_handler=MotoRequestHandler)
