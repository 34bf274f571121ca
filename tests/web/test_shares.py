"""Shares: links that work without a key until they expire or are revoked, and a page that works without a script."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable
from html import unescape
from typing import Any

import httpx
import pytest
from tests.web.harness import WebHarness, assert_problem
from tests.web.test_keys import a_key, a_tenant, bearer
from tests.web.test_recordings import recording

from cutback.cutting.job import Poster
from cutback.domain.shares import make_token, read_token
from cutback.lifecycle import shares
from cutback.web.pages.share_page import duration

SECRET = b"0" * 32


@pytest.fixture
def web(web: WebHarness) -> WebHarness:
    web.cutter.posters = (Poster(300, 300, 169, 0, 500), Poster(640, 640, 360, 500, 900))
    return web


def ready(web: WebHarness, clip_id: str = "wave", **fields: Any) -> str:
    web.submit(id=clip_id, **fields)
    web.work()
    return clip_id


def share(web: WebHarness, clip: str, headers: dict[str, str] | None = None, **fields: Any) -> dict[str, Any]:
    response = web.client.post("/v1/shares", json={"clip": clip, **fields}, headers=headers)
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    assert response.headers["location"] == f"/v1/shares/{found['id']}"
    return found


def path_of(made: dict[str, Any]) -> str:
    return str(httpx.URL(made["url"]).path)


def meta(page: str) -> dict[str, str]:
    return {
        unescape(name): unescape(value)
        for name, value in re.findall(r'<meta (?:property|name)="([^"]+)" content="([^"]*)">', page)
    }


def test_a_link_shows_a_page_with_player_poster_and_download(web: WebHarness) -> None:
    made = share(web, ready(web, title="Left & long"))
    response = web.get(path_of(made))
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    found = meta(response.text)
    assert (found["og:title"], found["og:url"]) == ("Left & long", made["url"])
    assert (found["og:video"], found["og:video:type"]) == (f"{made['url']}/clip.mp4", "video/mp4")
    assert (found["og:video:width"], found["og:video:height"]) == ("64", "36")
    assert found["og:image"] == f"{made['url']}/poster.jpg"
    assert f'src="{path_of(made)}/clip.mp4"' in response.text
    (icon,) = re.findall(r'<link rel="icon" type="image/svg\+xml" href="([^"]+)">', response.text)
    assert web.get(icon).status_code == 200, "otherwise browsers ask for /favicon.ico, which is not there"
    for url in (found["og:video"], found["og:image"], f"{found['og:video']}?download=true"):
        assert web.get(str(httpx.URL(url).raw_path, "ascii")).status_code == 200


def test_the_page_says_where_and_when_only_if_the_clip_was_requested_of_a_camera(web: WebHarness) -> None:
    """The catalogue knows the recording of both clips. That the request names only its key may be on purpose."""
    web.services.catalogue.put_recording(recording("north", 0).model_copy(update={"key": "sea.mp4"}))
    begins, ends = "2026-11-23T10:00:01Z", "2026-11-23T10:00:03Z"
    of_camera = share(web, ready(web, "seen", source={"camera": "north", "from": begins, "to": ends}))
    of_key = share(web, ready(web, "key"))
    assert web.get("/v1/clips/key").json()["recorded"] == web.get("/v1/clips/seen").json()["recorded"]
    told, silent = web.get(path_of(of_camera)).text, web.get(path_of(of_key)).text
    for words in ("north", "23 November 2026, 10:00:01 UTC"):
        assert words in told
        assert words not in silent


def test_links_begin_with_the_public_address(make_web: Callable[..., WebHarness]) -> None:
    web = make_web(public_url="https://clips.example/")
    web.cutter.posters = (Poster(300, 300, 169, 0, 500),)
    made = share(web, ready(web))
    assert made["url"].startswith("https://clips.example/s/")
    page = web.get(path_of(made)).text
    assert meta(page)["og:video:secure_url"] == f"{made['url']}/clip.mp4"
    assert f'src="{path_of(made)}/clip.mp4"' in page, "the page itself needs no host"


def test_the_page_has_no_script_and_its_policy_allows_none(web: WebHarness) -> None:
    response = web.get(path_of(share(web, ready(web))))
    policy = response.headers["content-security-policy"]
    assert "<script" not in response.text
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy
    style = re.search(r"<style>(.*?)</style>", response.text, re.DOTALL)
    assert style is not None
    digest = b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert " style=" not in response.text
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("title", ['"><script>alert(1)</script>', "</title><img src=x onerror=alert(1)>", "' onload='"])
def test_a_title_stays_text(web: WebHarness, title: str) -> None:
    page = web.get(path_of(share(web, ready(web, title=title)))).text
    assert meta(page)["og:title"] == title
    assert not re.search(r"<(script|img)|on(error|load)='?[^&]*alert\(1\)(?!&)", page.replace("&lt;", ""))
    assert page.count("<title>") == page.count("</title>") == 1


def test_files_of_a_share_take_ranges_and_are_not_kept_for_long(web: WebHarness) -> None:
    path = path_of(share(web, ready(web)))
    whole = web.get(f"{path}/clip.mp4")
    part = web.get(f"{path}/clip.mp4", headers={"Range": "bytes=100-199"})
    head = web.client.head(f"{path}/clip.mp4")
    assert (part.status_code, part.content) == (206, whole.content[100:200])
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(whole.content)), b"")
    assert whole.headers["cache-control"] == "private, max-age=300"
    assert whole.headers["content-disposition"].startswith("inline")
    assert web.get(f"{path}/clip.mp4?download=true").headers["content-disposition"].startswith("attachment")
    assert web.get(f"{path}/poster.jpg").headers["content-type"] == "image/jpeg"
    assert web.client.head(path).status_code == 200


def test_a_link_without_download_offers_none(web: WebHarness) -> None:
    path = path_of(share(web, ready(web), download=False))
    assert "Download" not in web.get(path).text
    assert_problem(web.get(f"{path}/clip.mp4?download=true"), 404, "not_found")
    assert web.get(f"{path}/clip.mp4").status_code == 200


def test_a_link_altered_in_any_sign_shows_nothing(web: WebHarness) -> None:
    path = path_of(share(web, ready(web)))
    token = path.removeprefix("/s/")
    assert web.get(path).status_code == 200
    for at in range(len(token)):
        for sign in {"0", "f", token[at].upper(), "%2e"} - {token[at]}:
            assert web.get(f"/s/{token[:at]}{sign}{token[at + 1 :]}").status_code == 404, (at, sign)
    for other in (token + "0", token[:-1], token.upper(), f"{token}%00", f"%20{token}", "a" * 56, "0" * 5000):
        assert web.get(f"/s/{other}").status_code == 404
        assert web.get(f"/s/{other}/clip.mp4").status_code == 404


def test_tokens_depend_on_the_secret() -> None:
    token = make_token("0" * 24, SECRET)
    assert read_token(token, SECRET) == "0" * 24
    assert read_token(token, b"1" * 32) is None
    assert read_token(make_token("0" * 24, b"1" * 32), SECRET) is None


@pytest.mark.parametrize("end", ["expired", "revoked", "deleted"])
def test_a_link_that_is_over_shows_nothing(web: WebHarness, end: str) -> None:
    made = share(web, ready(web), expires_in=3600)
    path = path_of(made)
    assert web.get(path).status_code == 200
    if end == "expired":
        web.pass_time(3601)
    elif end == "revoked":
        assert web.client.delete(f"/v1/shares/{made['id']}").status_code == 204
        assert_problem(web.client.delete(f"/v1/shares/{made['id']}"), 404, "not_found")
    else:
        web.client.delete("/v1/clips/wave")
    page = web.get(path)
    assert (page.status_code, "This link does not work" in page.text) == (404, True)
    assert_problem(web.get(f"{path}/clip.mp4"), 404, "not_found")
    assert_problem(web.get(f"{path}/poster.jpg"), 404, "not_found")


def test_only_clips_that_are_ready_can_be_shared(web: WebHarness) -> None:
    web.submit(id="queued")
    assert_problem(web.client.post("/v1/shares", json={"clip": "queued"}), 409, "wrong_state")
    assert_problem(web.client.post("/v1/shares", json={"clip": "none"}), 404, "clip_not_found")
    for fields in ({}, {"clip": ""}, {"clip": "queued", "expires_in": 1}, {"clip": "queued", "x": 1}):
        assert_problem(web.client.post("/v1/shares", json=fields), 422, "invalid_request")


def test_shares_are_listed_with_their_links(web: WebHarness) -> None:
    made = [share(web, ready(web), expires_in=60 * number) for number in range(1, 4)]
    assert web.get("/v1/shares").json()["items"] == sorted(made, key=lambda each: each["id"])
    assert web.get(f"/v1/shares/{made[0]['id']}").json() == made[0]


def test_tenants_share_their_own_clips_and_see_their_own_shares(web: WebHarness) -> None:
    pipe, reef = (bearer(a_key(web, tenant=a_tenant(web, name))) for name in ("pipe", "reef"))
    ready(web, "one", tenant="pipe")
    assert_problem(web.client.post("/v1/shares", json={"clip": "one"}, headers=reef), 404, "clip_not_found")
    assert_problem(web.client.post("/v1/shares", json={"clip": "pipe.one"}, headers=reef), 404, "clip_not_found")
    made = share(web, "one", headers=pipe)
    assert made["clip"] == "one"
    for method in ("GET", "DELETE"):
        assert_problem(web.client.request(method, f"/v1/shares/{made['id']}", headers=reef), 404, "not_found")
    assert web.get("/v1/shares", headers=reef).json()["items"] == []
    assert web.get(path_of(made)).status_code == 200, "the link itself needs no key"


def test_expired_shares_make_room_for_new_ones(web: WebHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares, "MOST_SHARES", 2)
    clip = ready(web)
    share(web, clip, expires_in=60)
    share(web, clip, expires_in=3600)
    assert_problem(web.client.post("/v1/shares", json={"clip": clip}), 409, "too_many")
    web.pass_time(61)
    share(web, clip)


@pytest.mark.parametrize(("seconds", "text"), [(8.42, "8.4 s"), (59.9, "59.9 s"), (65.4, "1:05"), (3725, "1:02:05")])
def test_lengths_are_written_as_people_do(seconds: float, text: str) -> None:
    assert duration(seconds).replace("\u00a0", " ") == text


def test_a_title_cannot_turn_the_text_around_or_hide_in_it(web: WebHarness) -> None:
    title = "Left\u202e4pm.evaw\u2066 \u200f\u061c\ufeff\U000e0041\u200bwave"
    made = share(web, ready(web, title=title, labels={"by": title}))
    page = web.get(path_of(made)).text
    assert meta(page)["og:title"] == meta(page)["og:image:alt"] == meta(page)["twitter:title"] == "Left4pm.evaw wave"
    assert "<title>Left4pm.evaw wave</title>" in page
    assert '<h1 dir="auto">Left4pm.evaw wave</h1>' in page
    assert all(sign.isprintable() or sign in "\n\xa0" for sign in page)
    name = web.get(f"{path_of(made)}/clip.mp4?download=true").headers["content-disposition"]
    assert name == 'attachment; filename="Left4pm.evaw wave.mp4"'


def test_a_title_of_invisible_characters_alone_is_no_title(web: WebHarness) -> None:
    page = web.get(path_of(share(web, ready(web, title="\u202e\u200b")))).text
    assert meta(page)["og:title"] == "A clip"
