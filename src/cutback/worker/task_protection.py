"""Asks ECS not to stop this worker's task while it has a job, neither to scale in nor to deploy.

This calls the container agent at the address that ECS puts into the environment of every task:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection-endpoint.html. Elsewhere, nothing
happens. Fargate Spot may still stop a task; the job then returns to the queue.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.request import Request, urlopen

log = logging.getLogger(__name__)

_PATIENCE = 3.0
"""Seconds that the agent may take: it runs on the same machine."""
_LONGEST = 2880
"""Maximum minutes for which ECS protects a task."""

_changing = threading.Lock()
_jobs: list[str] = []
"""The agent of each job in progress."""


@contextmanager
def protected_task(seconds: float, environment: Mapping[str, str] = os.environ) -> Iterator[None]:
    """Protect this task until the block ends or, if this process dies, until `seconds` have passed.

    While several threads are in such blocks, the task is protected until the last of them leaves its own.
    If the agent refuses or does not answer, this is logged, and the work continues.
    """
    agent = environment.get("ECS_AGENT_URI", "")
    if not agent:
        yield
        return
    minutes = min(_LONGEST, int(seconds // 60) + 1)
    with _changing:
        _jobs.append(agent)
        _tell(agent, {"ProtectionEnabled": True, "ExpiresInMinutes": minutes})
    try:
        yield
    finally:
        with _changing:
            _jobs.remove(agent)
            if agent not in _jobs:
                _tell(agent, {"ProtectionEnabled": False})


def _tell(agent: str, state: dict[str, object]) -> None:
    request = Request(  # noqa: S310 - an address from ECS
        f"{agent}/task-protection/v1/state",
        data=json.dumps(state).encode(),
        headers={"Content-Type": "application/json"},
        method="PUT",
    )
    try:
        with urlopen(request, timeout=_PATIENCE):  # noqa: S310 - the same
            pass
    except OSError as error:  # includes URLError and HTTPError
        log.warning("stage=protected task=%s reason=%r", state["ProtectionEnabled"], str(error))
