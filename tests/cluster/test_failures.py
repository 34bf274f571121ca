"""Parts of a cluster fail under load, behind nginx and behind HAProxy: clients notice nothing that they must handle."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from bench.cluster import FAILURES, IN_EACH_STAGE, SOURCE, FailingCluster, add_recording, endure
from bench.cluster_load import ClusterLoad
from tests.cluster.test_run_cluster import need
from tests.support.waiting import eventually

from cutback.client import Client

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("balancer", ["nginx", "haproxy"])
def test_parts_of_a_cluster_fail_and_nothing_is_lost(tmp_path: Path, balancer: Literal["nginx", "haproxy"]) -> None:
    need(balancer, "memcached")
    without = {IN_EACH_STAGE} if balancer == "haproxy" else set()  # workers do not know the balancer
    cluster = FailingCluster(tmp_path, balancer=balancer)
    add_recording(cluster)
    with cluster, ClusterLoad(cluster.url, SOURCE) as load:
        endure(cluster, load, requests=60, without=without)
        assert load.errors == []
        with Client(cluster.url) as client:
            states = {name: client.get(name).state for name in load.accepted}
        assert set(states.values()) == {"ready"}, states
        log = load.everything()
        assert len(set(log)) == len(log)
        eventually(
            lambda: all(len(each) >= len(log) for each in load.received), moves=lambda: [*map(len, load.received)]
        )
        assert [each == log for each in load.received] == [True] * len(load.received)
        with Client(cluster.url) as client:
            items = list(client.clips(limit=200))
        assert sorted(each.id for each in items) == sorted(load.accepted)
        assert set(load.samples) >= set(FAILURES) - without
