"""A worker on ECS protects its task while it has a job, and never longer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest
from tests.support.serving import serving

from cutback.worker.task_protection import protected_task


class Agent:
    """Plays the ECS agent."""

    def __init__(self) -> None:
        self.url = ""
        self.status = 200
        self.heard: list[tuple[str, dict[str, object]]] = []


@pytest.fixture
def agent() -> Iterator[Agent]:
    agent = Agent()

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            agent.heard.append((self.path, json.loads(body)))
            self.send_response(agent.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with serving(Handler) as address:
        agent.url = address
        yield agent


PATH = "/task-protection/v1/state"


def test_a_task_is_protected_while_there_is_a_job(agent: Agent) -> None:
    with protected_task(3600, {"ECS_AGENT_URI": agent.url}):
        assert agent.heard == [(PATH, {"ProtectionEnabled": True, "ExpiresInMinutes": 61})]
    assert agent.heard[1:] == [(PATH, {"ProtectionEnabled": False})]


def test_a_job_that_breaks_off_ends_the_protection(agent: Agent) -> None:
    with pytest.raises(KeyError), protected_task(60, {"ECS_AGENT_URI": agent.url}):
        raise KeyError
    assert agent.heard[-1] == (PATH, {"ProtectionEnabled": False})


def test_ecs_allows_two_days_at_most(agent: Agent) -> None:
    with protected_task(1e6, {"ECS_AGENT_URI": agent.url}):
        assert agent.heard[0][1]["ExpiresInMinutes"] == 2880


def test_an_agent_that_refuses_does_not_stop_the_work(agent: Agent, caplog: pytest.LogCaptureFixture) -> None:
    agent.status = 400
    with protected_task(60, {"ECS_AGENT_URI": agent.url}):
        assert len(agent.heard) == 1
    assert "stage=protected" in caplog.text


def test_no_agent_that_answers_does_not_stop_the_work(caplog: pytest.LogCaptureFixture) -> None:
    with protected_task(60, {"ECS_AGENT_URI": "http://127.0.0.1:1"}):
        pass
    assert "stage=protected" in caplog.text


def test_outside_of_ecs_nothing_is_asked() -> None:
    with protected_task(60, {}):
        pass
