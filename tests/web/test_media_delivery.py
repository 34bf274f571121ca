"""Files of clips sent by a real nginx, with the configuration in deploy/cluster (`CUTBACK_MEDIA_DELIVERY=accel`)."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from deploy.cluster.servers import Server, free_ports, nginx
from tests.support.waiting import PATIENCE
from tests.web.harness import WebHarness
from tests.web.test_keys import a_key, a_tenant, bearer
from tests.web.test_limits import everything
from tests.web.test_media import parts_of

from cutback.web.api.serve import ApiServer

CLIP = "/v1/media/wave/1/clip.mp4"
SECRET = b"not a clip of anybody"


@pytest.fixture
def served(make_web: Callable[..., WebHarness]) -> WebHarness:
    """An API whose files nginx sends."""
    if shutil.which("nginx", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])) is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("needs nginx")
    return make_web(
        media_delivery="accel", listen="127.0.0.1:0", cors_origins="https://app.example", trusted_proxies="127.0.0.1"
    )


@pytest.fixture
def proxy(served: WebHarness, tmp_path: Path) -> Iterator[str]:
    """The address of nginx, in front of it. Beside the folder of clips are files that nobody may read."""
    (served.settings.data / "secret.txt").write_bytes(SECRET)
    (served.settings.data / "clips" / "secret.txt").write_bytes(SECRET)
    folder = tmp_path / "nginx"
    folder.mkdir()
    [port] = free_ports(1)
    with ApiServer(served.services) as node:
        server: Server = nginx(folder, port, [int(node.url.rpartition(":")[2])], served.settings.data / "clips")
        server.start()
        try:
            server.wait_until_ready()
            yield f"http://127.0.0.1:{port}"
        finally:
            server.stop()


@pytest.fixture
def data(served: WebHarness) -> bytes:
    served.submit()
    served.work()
    return (served.settings.data / "clips/wave/1/clip.mp4").read_bytes()


def test_nginx_sends_the_file_and_its_ranges_with_the_headers_of_the_api(data: bytes, proxy: str) -> None:
    with httpx.Client(base_url=proxy, timeout=PATIENCE) as client:

        def get(**headers: str) -> httpx.Response:
            return client.get(CLIP, headers=headers)

        whole = get(Origin="https://app.example")
        assert (whole.status_code, whole.content) == (200, data)
        assert whole.headers["server"].startswith("nginx")
        assert whole.headers["content-type"] == "video/mp4"
        assert whole.headers["content-disposition"] == 'inline; filename="wave.mp4"'
        assert whole.headers["cache-control"] == "private, max-age=31536000, immutable"
        assert whole.headers["accept-ranges"] == "bytes"
        assert whole.headers["x-content-type-options"] == "nosniff"
        assert whole.headers["cross-origin-resource-policy"] == "same-origin"
        assert "default-src 'none'" in whole.headers["content-security-policy"]
        assert whole.headers["access-control-allow-origin"] == "https://app.example"
        assert "x-accel-redirect" not in whole.headers
        etag = whole.headers["etag"]
        part = get(Range="bytes=100-199", **{"If-Range": etag})
        assert (part.status_code, part.content) == (206, data[100:200])
        assert part.headers["content-range"] == f"bytes 100-199/{len(data)}"
        assert get(Range="bytes=-10").content == data[-10:]
        assert get(Range="bytes=0-9", **{"If-Range": '"other"'}).content == data
        assert len(parts_of(get(Range="bytes=0-9,100-109"))) == 2
        assert get(Range=f"bytes={len(data)}-").status_code == 416
        assert get(**{"If-None-Match": etag}).status_code == 304
        head = client.head(CLIP)
        assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(data)))
        saved = client.get(CLIP, params={"download": "true"})
        assert saved.headers["content-disposition"] == 'attachment; filename="wave.mp4"'


def test_no_other_path_reaches_a_file(data: bytes, proxy: str) -> None:
    assert data
    paths = [
        "/_clips/wave/1/clip.mp4", "/_clips/secret.txt", "/%5fclips/secret.txt", "/_clips/../secret.txt",
        "/v1/../_clips/secret.txt", "//_clips/secret.txt", "/_clips%2fsecret.txt", "/_clips../secret.txt",
        "/v1/media/secret.txt", "/v1/media/../secret.txt", "/v1/media/%2e%2e/secret.txt", "/v1/media/..%2fsecret.txt",
        "/v1/media/wave/1/%2e%2e/%2e%2e/secret.txt", "/v1/media/wave/1/..%2f..%2fsecret.txt",
        "/v1/media/%252e%252e/secret.txt", "/v1/media/wave%2f1%2f..%2f..%2fsecret.txt", "/v1/media/wave/1/clip .mp4",
        "/v1/media/wave/1/clip%20.mp4", "/v1/media/wave/1/cl%C3%AFp.mp4", "/v1/media/wave/1/clip.mp4%00",
        "/v1/media/wave/1/clip.mp4%0d%0aX-Accel-Redirect:%20/_clips/secret.txt", "/v1/media/wave/1/clip.mp4%3f",
        "/v1/media/%5c..%5csecret.txt", "/v1/media/wave/1/",
    ]  # fmt: skip
    address = urlsplit(proxy)
    for path in paths:
        with socket.create_connection((address.hostname, address.port), PATIENCE) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\n\r\n".encode())
            answer = everything(connection)
        status = int(answer.split(b" ", 2)[1])
        assert status in (400, 404), path
        assert SECRET not in answer, path
        assert data not in answer, path
        assert b"\r\nx-accel" not in answer.lower(), path


def test_a_tenant_reaches_its_own_files_only(served: WebHarness, proxy: str) -> None:
    keys = {name: bearer(a_key(served, tenant=a_tenant(served, name))) for name in ("pipe", "reef")}
    (served.settings.data / "recordings" / "pipe").mkdir()
    (served.settings.data / "recordings" / "pipe" / "sea.mp4").write_bytes(b"bytes of a recording " * 1000)
    request = {"id": "wave", "source": {"recording": "pipe/sea.mp4", "start": 1, "end": 3}}
    with httpx.Client(base_url=proxy, timeout=PATIENCE) as client:
        assert client.post("/v1/clips", json=request, headers=keys["pipe"]).status_code == 202
        served.work()
        file = urlsplit(client.get("/v1/clips/wave", headers=keys["pipe"]).json()["media"]["clip"]).path
        own = client.get(file, headers=keys["pipe"])
        assert len(own.content) == 20_000
        assert '"key";r=' in own.headers["ratelimit"]
        for headers, status in ((keys["reef"], 404), ({}, 401), (bearer("ck_" + "0" * 49), 401)):
            refused = client.get(file, headers={**headers, "X-Accel-Redirect": "/_clips/pipe.wave/1/clip.mp4"})
            assert (refused.status_code, refused.headers["content-type"]) == (status, "application/problem+json")


def test_the_folder_of_clips_may_have_any_name(served: WebHarness, tmp_path: Path, data: bytes) -> None:
    """A space, a quote and letters beyond ASCII in its path are not taken for nginx's own syntax."""
    clips = tmp_path / "clips of the 1st Größe; it's"
    shutil.copytree(served.settings.data / "clips", clips)
    folder = tmp_path / "nginx"
    folder.mkdir()
    [port] = free_ports(1)
    with ApiServer(served.services) as node:
        server = nginx(folder, port, [int(node.url.rpartition(":")[2])], clips)
        server.start()
        try:
            server.wait_until_ready()
            assert httpx.get(f"http://127.0.0.1:{port}{CLIP}", timeout=PATIENCE).content == data
        finally:
            server.stop()
