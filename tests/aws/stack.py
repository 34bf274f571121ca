"""Applies an example of infra/ to a stand-in for AWS, for end-to-end tests."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from tests.aws.calls import Call, read_calls
from tests.aws.rights import Right, policies, rights_of
from tests.aws.terraform import Terraform, copied_infra
from tests.support.waiting import PATIENCE

REGION = "eu-central-1"
_PROGRAM = Path(__file__).with_name("moto_program.py")


@dataclass(frozen=True, slots=True)
class Moto:
    """A stand-in of AWS, all its own."""

    endpoint: str
    record: Path

    def client(self, service: str, key: str = "testing") -> Any:
        """A boto3 client of it, signing with `key`."""
        import boto3

        return boto3.client(
            service, endpoint_url=self.endpoint, region_name=REGION, aws_access_key_id=key, aws_secret_access_key="-"
        )

    def environment(self, key: str) -> dict[str, str]:
        """What a program must be told to talk to it, known as `key` in the record of calls."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": "-",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def calls(self, caller: str) -> set[Call]:
        """Every call signed with this key so far."""
        return read_calls(self.record, caller)


@contextmanager
def running_moto(folder: Path) -> Iterator[Moto]:
    """Start a stand-in, and end it again."""
    record = folder / "calls.jsonl"
    with subprocess.Popen(
        [sys.executable, str(_PROGRAM), str(record)],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as server:  # fmt: skip
        said: SimpleQueue[str] = SimpleQueue()

        def listen() -> None:
            # To the end, or the pipe fills up and stops the server.
            for line in server.stderr or ():
                if found := re.search(r"Running on (http://127\.0\.0\.1:\d+)", line):
                    said.put(found[1])

        listener = threading.Thread(target=listen)
        listener.start()
        try:
            yield Moto(said.get(timeout=PATIENCE), record)
        except Empty:
            raise AssertionError("moto did not start") from None
        finally:
            server.terminate()
            server.wait(PATIENCE)
            listener.join(PATIENCE)


@dataclass(frozen=True, slots=True)
class Stack:
    """An applied example."""

    terraform: Terraform
    moto: Moto
    outputs: dict[str, Any]
    state: dict[str, Any]

    def function(self, role: str) -> dict[str, Any]:
        """The configuration of a function (`worker`, `housekeeping`, `webhooks`): handler, environment and so on."""
        client = self.moto.client("lambda")
        name = self.outputs["functions"][role]["name"]
        return dict(client.get_function_configuration(FunctionName=name, Qualifier="live"))

    def mapping(self, role: str = "worker") -> dict[str, Any]:
        """The event source mapping of a function (`worker`, `webhooks`), as Lambda has it."""
        arn = self.outputs["functions"][role]["live"]
        mappings = self.moto.client("lambda").list_event_source_mappings()["EventSourceMappings"]
        (found,) = [each for each in mappings if each["FunctionArn"] == arn]
        return dict(found)

    def rights(self, role: str) -> set[Right]:
        """What the role of a function allows it, or of the long-running workers (`service`), of the API, or ECS.

        For ECS, `start` and `start-api` are the roles that start them.
        """
        if role in self.outputs["functions"]:
            name = self.outputs["functions"][role]["role"]
        else:
            task = self.task("api" if role.endswith("api") else "service")
            arn = task["executionRoleArn" if role.startswith("start") else "taskRoleArn"]
            name = arn.rpartition("/")[2]
        return rights_of(policies(self.state)[name])

    def ecs_service(self, name: str) -> dict[str, Any]:
        """The long-running workers (`service`) or the API (`api`), as ECS has them."""
        told = self.outputs[name]
        answer = self.moto.client("ecs").describe_services(cluster=told["cluster"], services=[told["service"]])
        (service,) = answer["services"]
        return dict(service)

    def task(self, name: str = "service") -> dict[str, Any]:
        """The task definition of the long-running workers, or of the API (`api`)."""
        ecs, service = self.moto.client("ecs"), self.ecs_service(name)
        return dict(ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"])


def example(name: str, folder: Path, moto: Moto, **variables: Any) -> Terraform:
    """An example, copied and initialised, to be applied to `moto`."""
    terraform = Terraform(copied_infra(folder) / "examples" / name, moto.endpoint)
    terraform.set_variables(**variables)
    terraform.init()
    return terraform


def apply(terraform: Terraform, moto: Moto) -> Stack:
    """Apply it, and take down what came of it."""
    terraform.apply()
    return Stack(terraform, moto, terraform.outputs(), terraform.state())


def any_package(folder: Path) -> Path:
    """A zip in place of the program, for tests that do not run it."""
    path = folder / "any.zip"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr(zipfile.ZipInfo("nothing.py"), "")
    return path
