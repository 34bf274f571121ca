"""Faults injected between Cutback and S3: every clip is made once, and nothing is left over."""

from __future__ import annotations

import hashlib
import os
import random
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.path.harness import RECORDING, PathHarness
from tests.support import faulty_proxy as faults
from tests.support.aws import ENVIRONMENT, REGION, Aws, running
from tests.support.faulty_proxy import FaultyProxy

from cutback.domain.clips.clip import ClipState
from cutback.lifecycle.housekeeping import housekeep

pytestmark = pytest.mark.slow

LARGE = 33 * 1024 * 1024
"""Bytes of a clip that is too large to be held and sent at once."""

CLIPS = 40


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with running() as aws:
        with aws.client_of("s3") as s3:
            for bucket in ("recordings", "clips"):
                # On a busy machine, the client asks again before it is answered.
                with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
                    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
            s3.put_object(Bucket="recordings", Key="sea.mp4", Body=RECORDING)
        yield aws


@pytest.fixture
def proxy(aws: Aws) -> Iterator[FaultyProxy]:
    with faults.between(aws.endpoint) as proxy:
        yield proxy


class S3Harness:
    """A path harness whose recordings and clips are in S3, behind the proxy."""

    def __init__(self, folder: Path, aws: Aws, proxy: FaultyProxy, place: str, **options: str) -> None:
        self.aws, self.place = aws, place
        chosen = {
            "endpoint": proxy.endpoint,
            "allow_http": "true",
            "region": REGION,
            "access_key_id": ENVIRONMENT["AWS_ACCESS_KEY_ID"],
            "secret_access_key": ENVIRONMENT["AWS_SECRET_ACCESS_KEY"],
            "max_retries": "0",
            "timeout": "3s",
            **options,
        }
        self.harness = PathHarness(
            folder,
            source_store="s3://recordings",
            source_options=chosen,
            clip_store=f"s3://clips/{place}",
            clip_options=chosen,
            max_tries=6,
        )

    def work_it_out(self) -> None:
        """As long as it takes until nothing is left to do, and no remains of an attempt are kept."""
        harness = self.harness
        for _ in range(12):
            harness.work()
            harness.pass_time(60)
        for _ in range(3):
            harness.pass_time(harness.settings.sweep_delay.total_seconds() + 7200)
            housekeep(harness.services)

    def objects(self) -> dict[str, bytes]:
        """What is in the bucket for clips, by key."""
        with self.aws.client_of("s3") as s3:
            kept = s3.list_objects_v2(Bucket="clips", Prefix=f"{self.place}/").get("Contents", [])
            return {
                item["Key"].removeprefix(f"{self.place}/"): s3.get_object(Bucket="clips", Key=item["Key"])[
                    "Body"
                ].read()
                for item in kept
            }

    def unfinished(self) -> list[str]:
        """Uploads that were begun and neither completed nor aborted, by key."""
        with self.aws.client_of("s3") as s3:
            found = s3.list_multipart_uploads(Bucket="clips").get("Uploads", [])
        return [each["Key"] for each in found if each["Key"].startswith(f"{self.place}/")]

    def clip_is_whole(self, clip_id: str) -> str:
        """The key of a ready clip, whose object has every byte that the cutter made."""
        result = self.harness.clip(clip_id).result
        assert result is not None
        made = next(each for each in self.harness.cutter.renditions)
        assert hashlib.sha256(self.objects()[result.key]).digest() == hashlib.sha256(b"".join(made.chunks())).digest()
        return result.key


def place_of(*words: str) -> str:
    return "-".join(words).replace(" ", "-").lower()


@pytest.mark.parametrize("method", ["HEAD", "GET", "PUT"])
@pytest.mark.parametrize("fault", faults.FAULTS)
def test_a_fault_of_s3_costs_no_clip_and_leaves_nothing(
    tmp_path: Path, aws: Aws, proxy: FaultyProxy, method: str, fault: str
) -> None:
    s3_harness = S3Harness(tmp_path, aws, proxy, place_of(method, fault))
    s3_harness.harness.submit()
    proxy.fail(method, fault)
    s3_harness.work_it_out()
    assert (method, fault) in proxy.seen
    assert s3_harness.harness.types().count("ready") == 1
    assert [s3_harness.clip_is_whole("wave")] == list(s3_harness.objects())


@pytest.mark.parametrize("fault", [faults.ERROR_AFTER, faults.DROP_AFTER, faults.HANG_AFTER])
def test_a_put_whose_answer_was_lost_does_not_fail_when_it_is_repeated(
    tmp_path: Path, aws: Aws, proxy: FaultyProxy, fault: str
) -> None:
    """The store's own client repeats it, and gets the answer that the object already exists (412)."""
    s3_harness = S3Harness(tmp_path, aws, proxy, place_of("again", fault), max_retries="3")
    s3_harness.harness.submit()
    proxy.fail("PUT", fault)
    s3_harness.work_it_out()
    assert proxy.count("PUT") > 1
    assert s3_harness.harness.types().count("ready") == 1
    assert [s3_harness.clip_is_whole("wave")] == list(s3_harness.objects())


CONDITION: dict[str, str] = {}
MOVE = {"request_payer": "false"}
"""An option that only obstore knows, so that large clips are its own."""

STEPS = [
    *((CONDITION, step) for step in ("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload")),
    *((MOVE, step) for step in ("UploadPartCopy", "CompleteMultipartUpload", "DeleteObjects")),
]
"""What it takes to store a large clip on the condition that nothing is there: in parts, whose upload is completed under
the condition, or which are moved to their place under it."""


NO_MORE = [
    faults.THROTTLE, faults.ERROR, faults.ERROR_AFTER, faults.DROP_AFTER, faults.CUT, faults.HANG_AFTER,
    faults.EMBEDDED, faults.BROKEN_OFF,
]  # fmt: skip
AGAIN = [faults.THROTTLE, faults.ERROR_AFTER, faults.DROP_AFTER, faults.BROKEN_OFF]
"""What the client's own retries get over, without the clip being cut again."""


ALTERNATELY = [
    pytest.param(options, step, fault, retries, marks=pytest.mark.soak if (row + column) % 2 else ())
    for row, (options, step) in enumerate(STEPS)
    for column, (fault, retries) in enumerate([*((each, 0) for each in NO_MORE), *((each, 6) for each in AGAIN)])
]
"""Half of all, with each step and each fault; the other half is a soak."""


@pytest.mark.parametrize(("options", "step", "fault", "retries"), ALTERNATELY)
def test_a_clip_in_parts_is_stored_once_and_whole(
    tmp_path: Path, aws: Aws, proxy: FaultyProxy, options: dict[str, str], step: str, fault: str, retries: int
) -> None:
    place = place_of("parts", *options, step, fault, str(retries))
    s3_harness = S3Harness(tmp_path, aws, proxy, place, timeout="8s", max_retries=str(retries), **options)
    s3_harness.harness.cutter.size = LARGE
    s3_harness.harness.submit()
    proxy.fail(step, fault)
    s3_harness.work_it_out()
    assert (step, fault) in proxy.seen
    assert s3_harness.harness.types().count("ready") == 1
    assert [s3_harness.clip_is_whole("wave")] == list(s3_harness.objects())
    if retries:
        assert s3_harness.harness.clip("wave").attempt == 1
    # Where it was not heard that an upload has begun, or parts are still on their way when it is aborted, the
    # bucket's lifecycle rule removes it.
    if step not in {"CreateMultipartUpload", "UploadPart"}:
        assert s3_harness.unfinished() == []


@pytest.mark.parametrize("fault", [*faults.FAULTS, faults.EMBEDDED])
def test_what_could_not_be_deleted_is_deleted_later(tmp_path: Path, aws: Aws, proxy: FaultyProxy, fault: str) -> None:
    s3_harness = S3Harness(tmp_path, aws, proxy, place_of("expired", fault))
    harness = s3_harness.harness
    harness.submit(expires_in=60)
    harness.work()
    assert len(s3_harness.objects()) == 1
    proxy.fail("DeleteObjects", fault)
    for _ in range(3):
        harness.pass_time(7200)
        housekeep(harness.services)
    assert ("DeleteObjects", fault) in proxy.seen
    assert s3_harness.objects() == {}
    assert harness.clip("wave").state is ClipState.EXPIRED


def test_faults_at_random_lose_nothing_and_make_nothing_twice(tmp_path: Path, aws: Aws, proxy: FaultyProxy) -> None:
    seed = os.environ.get("CUTBACK_TEST_SEED", "1")
    print(f"CUTBACK_TEST_SEED={seed}")  # noqa: T201 - shown when it fails
    chance = random.Random(f"s3 {seed}")
    s3_harness = S3Harness(tmp_path, aws, proxy, "random", timeout="1s")
    harness, lock = s3_harness.harness, threading.Lock()

    def plan(_action: str) -> str:
        with lock:
            hit = chance.random() < 0.12
            return chance.choice([*faults.FAULTS, faults.BROKEN_OFF]) if hit else faults.PASS

    def some_are_large(_step: int) -> None:
        number = harness.cutter.jobs[-1].footage[0].start
        harness.cutter.size = LARGE if number in {7, 23} else 20_000

    harness.cutter.on_step = some_are_large
    ids = [f"wave-{number}" for number in range(CLIPS)]
    for number, clip_id in enumerate(ids):
        harness.submit(id=clip_id, source={"recording": "sea.mp4", "start": number, "end": number + 1})
    proxy.plan = plan
    for _ in range(40):
        harness.work()
        harness.pass_time(60)
    proxy.plan = lambda _action: faults.PASS
    s3_harness.work_it_out()
    clips = [harness.clip(clip_id) for clip_id in ids]
    assert all(clip.state in {ClipState.READY, ClipState.FAILED} for clip in clips)
    ready = [clip for clip in clips if clip.state is ClipState.READY]
    assert len(ready) >= CLIPS // 2, "they are tried several times"
    assert all(clip.failure and clip.failure.reason == "storage_unavailable" for clip in clips if clip not in ready)
    assert harness.types().count("ready") == len(ready)
    objects = s3_harness.objects()
    assert sorted(objects) == sorted(clip.result.key for clip in ready if clip.result)
    made = {each.seed.decode(): b"".join(each.chunks()) for each in harness.cutter.renditions}
    for clip in ready:
        (wanted,) = {data for seed, data in made.items() if f"start=Fraction({clip.id.split('-')[1]}, 1)" in seed}
        assert clip.result is not None
        assert objects[clip.result.key] == wanted, "its own bytes, all of them"
    assert sum(fault != faults.PASS for _, fault in proxy.seen) > CLIPS // 2
