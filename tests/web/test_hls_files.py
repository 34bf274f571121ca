"""The files of HLS: served beside each other, by key and by the link of a share, so that relative names work."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.fake_cutter import FakeRendition
from tests.web.harness import WebHarness
from tests.web.test_shares import path_of, ready, share

from cutback.cutting.mp4.layout import SPOOL, Extent
from cutback.cutting.outputs.made import MadeOutput, OutputFile

TYPES = {
    "clip.m3u8": "application/vnd.apple.mpegurl",
    "clip-180p.m3u8": "application/vnd.apple.mpegurl",
    "clip-180p-init.mp4": "video/mp4",
    "clip-180p-00001.m4s": "video/iso.segment",
}


@pytest.fixture(autouse=True)
def several_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake cutter makes HLS."""

    def made(self: Any) -> None:
        files = tuple(OutputFile(name, (Extent(SPOOL, 0, self.facts.size),)) for name in TYPES)
        self.outputs = (MadeOutput("clip", self.facts, files),)

    monkeypatch.setattr(FakeRendition, "__post_init__", made)


def test_are_beside_each_other_with_their_types(web: WebHarness) -> None:
    clip = ready(web, output={"format": "hls"})
    master = web.client.get(f"/v1/clips/{clip}").json()["media"]["clip"]
    for name, kind in TYPES.items():
        response = web.client.get(master.replace("clip.m3u8", name))
        assert (response.status_code, response.headers["content-type"]) == (200, kind), name


def test_a_share_serves_all_of_them_until_it_ends(web: WebHarness) -> None:
    link = path_of(share(web, ready(web, output={"format": "hls"})))
    for name, kind in TYPES.items():
        response = web.get(f"{link}/{name}")
        assert (response.status_code, response.headers["content-type"]) == (200, kind), name
    for name in ("clip-180p-00002.m4s", "poster-640.jpg", "..", "clip.mp4"):
        assert web.get(f"{link}/{name}").status_code in {404, 307}, name
    made = web.client.get("/v1/shares").json()["items"][0]
    assert web.client.delete(f"/v1/shares/{made['id']}").status_code == 204
    assert web.get(f"{link}/clip-180p.m3u8").status_code == 404


def test_playlists_are_never_redirected(web: WebHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """What they name is relative to the API; the store's links are for one file each."""
    clip = ready(web, output={"format": "hls"})
    master = web.client.get(f"/v1/clips/{clip}").json()["media"]["clip"]
    monkeypatch.setitem(web.services.settings.__dict__, "media_delivery", "redirect")
    monkeypatch.setattr(type(web.services.clips), "presigned_url", lambda *_, **__: "https://store.example/file")
    statuses = [
        web.client.get(master.replace("clip.m3u8", name), follow_redirects=False).status_code
        for name in ("clip.m3u8", "clip-180p.m3u8", "clip-180p-00001.m4s")
    ]
    assert statuses == [200, 200, 307]
