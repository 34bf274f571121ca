"""The state of this server process: starting, ready or draining."""

from __future__ import annotations

from enum import StrEnum


class NodeState(StrEnum):
    """Where a server process is in its life."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"
    """It still answers, but a load balancer should send new clients elsewhere."""


class Node:
    """This process, as load balancers see it. Threads may read and write it."""

    def __init__(self) -> None:
        """It is starting."""
        self.state = NodeState.STARTING
