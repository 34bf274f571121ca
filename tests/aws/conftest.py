"""Applies the examples once for all tests here, both at the same time, because queues take half a minute each."""

from __future__ import annotations

import os
import shutil
import sys
import zipfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from infra.lambda_zip import PYTHON, build, find_python
from tests.aws import image as images
from tests.aws.stack import Moto, Stack, any_package, apply, example, running_moto
from tests.aws.terraform import ROOT
from tests.support.mongo_server import MongoServer, need_nx
from tests.support.receiver import Receiver, receiving

EXAMPLES: dict[str, dict[str, Any]] = {
    "minimal": {"records_url": "mongodb://user:no-state-has-this@127.0.0.1:27017/cutback"},
    # moto plays neither DocumentDB nor budgets; infra/tests plans them.
    "complete": {
        "records_url": "mongodb://user:no-state-has-this@127.0.0.1:27017/cutback",
        "documentdb": False,
        "monthly_usd": None,
        "email": "sea@example.org",
    },
}
"""The variables of each example, in addition to the package and that it is disposable."""


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Importing these files takes seconds, and every test process does."""
    return True if "not aws" in str(config.option.markexpr) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All here is marked `aws`; what takes a stack away comes after all that uses it."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.aws)
    items.sort(key=lambda item: item.get_closest_marker("destroys") is not None)


@pytest.fixture(scope="session")
def terraform_there() -> None:
    """Terraform is on this machine, or the test is skipped; under CI it fails."""
    if shutil.which("terraform") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("terraform is not installed")


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Lambda is given: the zip named by CUTBACK_TEST_PACKAGE, or one with nothing in it."""
    named = os.environ.get("CUTBACK_TEST_PACKAGE")
    return Path(named).resolve() if named else any_package(tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="session")
def stacks(
    terraform_there: None,
    package: Path,
    receiver: Receiver,
    tmp_path_factory: pytest.TempPathFactory,
    image_on_its_way: object,
) -> Iterator[dict[str, Future[Stack]]]:
    """Every example by name, while it is applied, each to a separate stand-in."""
    common = {"package": str(package), "architecture": "x86_64", "disposable": True}
    wanted = os.environ.get("CUTBACK_TEST_EXAMPLES", ",".join(EXAMPLES)).split(",")
    with ExitStack() as stack, ThreadPoolExecutor(len(EXAMPLES)) as pool:

        def begin(name: str, variables: dict[str, Any]) -> Future[Stack]:
            folder = tmp_path_factory.mktemp(name)
            moto: Moto = stack.enter_context(running_moto(folder))
            return pool.submit(lambda: apply(example(name, folder, moto, **common, **variables), moto))

        heard: dict[str, Any] = {"webhook_urls": [f"{receiver.url}/heard"]}
        told = {name: variables | (heard if name == "complete" else {}) for name, variables in EXAMPLES.items()}
        yield {name: begin(name, variables) for name, variables in told.items() if name in wanted}


@pytest.fixture(scope="session")
def minimal(stacks: dict[str, Future[Stack]]) -> Stack:
    """examples/minimal, applied."""
    return stacks["minimal"].result()


@pytest.fixture(scope="session")
def complete(stacks: dict[str, Future[Stack]]) -> Stack:
    """examples/complete, applied."""
    return stacks["complete"].result()


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """An interpreter, and the folder of the zip that was built for it."""
    version = PYTHON if find_python(PYTHON) else f"{sys.version_info[0]}.{sys.version_info[1]}"
    out = tmp_path_factory.mktemp("lambda")
    folder = out / "unpacked"
    with zipfile.ZipFile(build("x86_64", version, out)) as archive:
        archive.extractall(folder)
    python = find_python(version)
    assert python is not None
    return python, folder


@pytest.fixture(scope="session")
def image_on_its_way(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Future[images.Image] | None]:
    """The result of the Dockerfile, built in parallel; None if it cannot be built or is not needed."""
    wanted = any({"image", "workers_image"} & set(getattr(item, "fixturenames", ())) for item in request.session.items)
    if images.missing() or not wanted:
        yield None
        return
    folder = tmp_path_factory.mktemp("image")
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(lambda: images.build(ROOT / "Dockerfile", images.fresh_root(PYTHON, folder), folder))


@pytest.fixture(scope="session")
def image(image_on_its_way: Future[images.Image] | None) -> images.Image:
    """The result of the Dockerfile; skipped if chroot is not allowed."""
    if image_on_its_way is None:
        # Under CI, what could be installed must be.
        (pytest.fail if os.environ.get("CI") and os.geteuid() == 0 else pytest.skip)(images.missing())
    return image_on_its_way.result()


@pytest.fixture(scope="session")
def workers_image(image_on_its_way: Future[images.Image] | None) -> images.Image | None:
    """What the long-running workers run in; None where it cannot be made."""
    return None if image_on_its_way is None else image_on_its_way.result()


@pytest.fixture(scope="session")
def mongo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    """A MongoDB; each URL of it is that of another database."""
    need_nx()
    server = MongoServer(tmp_path_factory.mktemp("mongo"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    """The receiver of every event by webhook, in examples/complete."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture(params=sorted(EXAMPLES))
def applied(request: pytest.FixtureRequest, stacks: dict[str, Future[Stack]]) -> Stack:
    """Each example, applied."""
    return stacks[request.param].result()
