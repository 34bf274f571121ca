"""Faults injected between Cutback and S3: every clip is made once, and nothing is left over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.path.conftest import RECORDING, World
from tests.support import faulty_proxy as faults
from tests.support.aws import ENVIRONMENT, REGION, Aws, running
from tests.support.faulty_proxy import FaultyProxy

from cutback.clip import ClipState
from cutback.housekeeping import housekeep

pytestmark = pytest.mark.slow

METHODS = ["HEAD", "GET", "PUT"]


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with running() as aws:
        with aws.client_of("s3") as s3:
            for bucket in ("recordings", "clips"):
                s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
            s3.put_object(Bucket="recordings", Key="sea.mp4", Body=RECORDING)
        yield aws


@pytest.fixture
def proxy(aws: Aws) -> Iterator[FaultyProxy]:
    with faults.between(aws.endpoint) as proxy:
        yield proxy


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("fault", faults.FAULTS)
def test_a_fault_of_s3_costs_no_clip_and_leaves_nothing(
    tmp_path: Path, aws: Aws, proxy: FaultyProxy, method: str, fault: str
) -> None:
    options = {
        "endpoint": proxy.endpoint,
        "allow_http": "true",
        "region": REGION,
        "access_key_id": ENVIRONMENT["AWS_ACCESS_KEY_ID"],
        "secret_access_key": ENVIRONMENT["AWS_SECRET_ACCESS_KEY"],
        "max_retries": "0",
        "timeout": "300ms",
    }
    place = f"{method}-{fault}".replace(" ", "-").lower()
    world = World(
        tmp_path,
        source_store="s3://recordings",
        source_options=options,
        clip_store=f"s3://clips/{place}",
        clip_options=options,
    )
    world.submit()
    proxy.fail(method, fault)
    for _ in range(4):
        world.work()
        world.pass_time(11)
    assert (method, fault) in proxy.seen
    assert world.clip("wave").state is ClipState.READY
    assert world.types().count("ready") == 1
    world.pass_time(world.settings.sweep_delay.total_seconds() + 7200)
    housekeep(world.services)
    result = world.clip("wave").result
    assert result is not None
    with aws.client_of("s3") as s3:
        kept = [item["Key"] for item in s3.list_objects_v2(Bucket="clips", Prefix=f"{place}/").get("Contents", [])]
    assert kept == [f"{place}/{result.key}"]
