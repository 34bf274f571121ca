"""Clips over the REST API."""

from __future__ import annotations

from tests.web.harness import WebHarness, assert_problem


def test_a_clip_is_shown_as_events_show_it(web: WebHarness) -> None:
    clip = web.submit()
    response = web.get("/v1/clips/wave")
    assert (response.status_code, response.json()) == (200, clip.public())


def test_an_unknown_clip_is_a_problem(web: WebHarness) -> None:
    problem = assert_problem(web.get("/v1/clips/none"), 404, "clip_not_found")
    assert problem["detail"] == "There is no clip with this id. The id is none."
