"""Uploads in parts to S3, and clips read from it: against moto, by the URLs that clients get."""

from __future__ import annotations

import re
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta

import httpx
import pytest
from tests.web.harness import WebHarness, assert_problem
from tests.web.test_keys import a_key, a_tenant, bearer

from cutback.adapters.aws.parts import S3Parts
from cutback.domain.errors import ObjectExistsError, ObjectNotFoundError
from cutback.domain.uploads import UploadedPart
from cutback.lifecycle import uploads
from cutback.storage.store import Store

pytest.importorskip("moto.server")

MIB = 1024 * 1024
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            break
    else:
        raise AssertionError("moto did not start")
    yield found[0]
    process.kill()
    process.communicate()


@pytest.fixture
def options(endpoint: str) -> dict[str, str]:
    return {
        "endpoint": endpoint,
        "region": "us-east-1",
        "access_key_id": "test",
        "secret_access_key": "test",
        "allow_http": "true",
    }


@pytest.fixture
def bucket(endpoint: str) -> str:
    name = f"bucket-{secrets.token_hex(4)}"
    httpx.put(f"{endpoint}/{name}").raise_for_status()
    return name


@pytest.fixture
def parts(bucket: str, options: dict[str, str]) -> Iterator[S3Parts]:
    made = S3Parts(f"s3://{bucket}/below", options)
    yield made
    made.close()


def send(parts: S3Parts, key: str, token: str, contents: list[bytes]) -> list[UploadedPart]:
    for number, content in enumerate(contents, 1):
        httpx.put(parts.sign(key, token, number, lifetime=HOUR), content=content).raise_for_status()
    return parts.parts(key, token, most=len(contents))


def test_parts_that_clients_send_to_s3_become_one_object(parts: S3Parts, bucket: str, options: dict[str, str]) -> None:
    token = parts.begin("a b/sea.mp4", "video/mp4")
    contents = [bytes([1]) * 5 * MIB, bytes([2]) * 1000]
    found = send(parts, "a b/sea.mp4", token, contents)
    assert [(part.number, part.size) for part in found] == [(1, 5 * MIB), (2, 1000)]
    parts.complete("a b/sea.mp4", token, found)
    store = Store.open(f"s3://{bucket}/below", options=options)
    assert store.get_bytes("a b/sea.mp4", 10 * MIB) == b"".join(contents)


def test_an_object_is_never_overwritten(parts: S3Parts, bucket: str, options: dict[str, str]) -> None:
    token = parts.begin("sea.mp4", None)
    found = send(parts, "sea.mp4", token, [b"new"])
    store = Store.open(f"s3://{bucket}/below", options=options)
    store.put("sea.mp4", [b"old"])
    with pytest.raises(ObjectExistsError):
        parts.complete("sea.mp4", token, found)
    assert store.get_bytes("sea.mp4", 10) == b"old"


def test_an_upload_that_was_discarded_is_gone(parts: S3Parts) -> None:
    token = parts.begin("sea.mp4", None)
    send(parts, "sea.mp4", token, [b"new"])
    parts.discard("sea.mp4", token)
    parts.discard("sea.mp4", token)
    with pytest.raises(ObjectNotFoundError):
        parts.parts("sea.mp4", token, most=1)


def test_the_api_hands_out_urls_of_s3(
    make_web: Callable[..., WebHarness], bucket: str, options: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "part_size_of", lambda _: 5 * MIB)
    web = make_web(source_store=f"s3://{bucket}", source_options=options)
    content = b"no recording " * 500_000
    upload = web.client.post("/v1/uploads", json={"key": "north/sea.mp4", "size": len(content)}).json()
    assert upload["direct"] is True
    signed = web.client.post(f"/v1/uploads/{upload['id']}/parts", json={"numbers": [1, 2]}).json()["items"]
    for each in signed:
        offset = (each["number"] - 1) * 5 * MIB
        httpx.put(each["url"], content=content[offset : offset + each["size"]]).raise_for_status()
    assert_problem(
        web.client.put(f"/v1/uploads/{upload['id']}/parts/1", content=bytes(5 * MIB)), 422, "invalid_request"
    )
    assert_problem(web.client.post(f"/v1/uploads/{upload['id']}/complete"), 422, "upload_refused")
    assert list(web.services.sources.list()) == []


def test_a_clip_is_read_from_the_store_by_the_url_that_the_client_is_sent_to(
    make_web: Callable[..., WebHarness], bucket: str, options: dict[str, str]
) -> None:
    web = make_web(clip_store=f"s3://{bucket}/some clips", clip_options=options, media_delivery="redirect")
    tenants = {name: bearer(a_key(web, tenant=a_tenant(web, name))) for name in ("pipe", "reef")}
    (web.settings.data / "recordings" / "pipe").mkdir()
    (web.settings.data / "recordings" / "pipe" / "sea.mp4").write_bytes(b"bytes of a recording " * 1000)
    request = {"id": "wave", "source": {"recording": "pipe/sea.mp4", "start": 1, "end": 3}}
    assert web.client.post("/v1/clips", json=request, headers=tenants["pipe"]).status_code == 202
    web.work()
    made = web.services.clips.get_bytes("pipe.wave/1/clip.mp4", 1 << 20)
    path = web.get("/v1/clips/wave", headers=tenants["pipe"]).json()["media"]["clip"]
    sent = web.get(path, headers=tenants["pipe"], follow_redirects=False)
    assert (sent.status_code, sent.headers["cache-control"]) == (307, "no-store")
    url = sent.headers["location"]
    assert url.startswith(options["endpoint"])
    whole, part = httpx.get(url), httpx.get(url, headers={"Range": "bytes=100-199"})  # as anybody
    assert (whole.status_code, whole.content, whole.headers["content-type"]) == (200, made, "video/mp4")
    assert (part.status_code, part.content) == (206, made[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(made)}"
    assert "location" not in web.get(path, headers=tenants["reef"], follow_redirects=False).headers
    head = web.client.head(path, headers=tenants["pipe"], follow_redirects=False)
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(made)))
    web.services.clips.delete("pipe.wave/1/clip.mp4")
    assert httpx.get(url).status_code == 404
