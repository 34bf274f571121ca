"""Simulates an event source mapping: receives messages, calls the function, deletes what succeeded."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.aws.stack import REGION, Stack
from tests.support.waiting import PATIENCE

RUNNER = Path(__file__).with_name("runner.py")
SECONDS = 120.0
LIBRARIES = "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/task:/opt/lib"
"""What Lambda sets LD_LIBRARY_PATH to; its interpreter does not start without."""


class FunctionError(AssertionError):
    """A function ended otherwise than by an answer."""


@dataclass
class Functions:
    """The stack's functions, run from an unpacked zip, each known to the stand-in by its role's name."""

    stack: Stack
    python: str
    folder: Path
    """The unpacked zip."""
    settings: dict[str, str] = field(default_factory=dict)
    """Variables in addition to those of the stack, which only a stand-in on loopback needs."""
    memory: int = 0
    """The most bytes that one of them took itself, without what it started."""
    lines: list[str] = field(default_factory=list)
    """All that they printed: logs and metrics."""

    def call(self, role: str, event: dict[str, Any], *, seconds: float = SECONDS) -> Any:
        """Call a function with an event.

        Raises:
            FunctionError: it ended without an answer, or imported what is not in the zip.
        """
        told = self.stack.function(role)
        environment = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(told["MemorySize"]),
            "LD_LIBRARY_PATH": LIBRARIES,
            "CUTBACK_TEST_INTERPRETER": self._interpreter(),
            **told["Environment"]["Variables"],
            **self.settings,
            **self.stack.moto.environment(role),
        }
        done = subprocess.run(
            [self._interpreter(), "-I", "-S", str(RUNNER), str(self.folder), told["Handler"], str(seconds)],
            input=json.dumps(event), env=environment, capture_output=True, text=True, timeout=seconds + PATIENCE,
            check=False,
        )  # fmt: skip
        printed = done.stdout.splitlines()
        if done.returncode or not printed:
            raise FunctionError(f"{role} ended with {done.returncode}: {done.stdout[-3000:]}\n{done.stderr[-6000:]}")
        self.lines += [*printed[:-1], *done.stderr.splitlines()]
        answer = json.loads(printed[-1])
        self.memory = max(self.memory, answer["memory"])
        if answer["outside"]:
            raise FunctionError(f"{role} imported {answer['outside'][:5]}")
        return answer["answer"]

    def _interpreter(self) -> str:
        """One that starts only with Lambda's LD_LIBRARY_PATH."""
        program = self.folder.parent / "python"
        if not program.exists():
            program.write_text(
                f'#!/bin/sh\n[ "$LD_LIBRARY_PATH" = "{LIBRARIES}" ] || exit 127\nexec "{self.python}" "$@"\n'
            )
            program.chmod(0o755)
        return str(program)

    def play(
        self, role: str = "worker", *, most: int = 100, seconds: float = SECONDS, batch_size: int | None = None
    ) -> int:
        """Work the queue of a function's mapping until it shows no message. Returns how many were handed over.

        `batch_size` takes the place of the mapping's own, as an owner may change it.
        """
        mapping = self.stack.mapping(role)
        assert mapping["State"] in {"Enabled", "Creating"}
        assert "ReportBatchItemFailures" in mapping["FunctionResponseTypes"]
        sqs = self.stack.moto.client("sqs", "mapping")
        name = mapping["EventSourceArn"].rpartition(":")[2]
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        count = 0
        size = batch_size or mapping["BatchSize"]
        while count < most and (batch := list(self._receive(sqs, url, size))):
            count += len(batch)
            answer = self.call(role, {"Records": [self._record(each, mapping) for each in batch]}, seconds=seconds)
            failed = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
            for each in batch:
                if each["MessageId"] not in failed:
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
        return count

    def _receive(self, sqs: Any, url: str, size: int) -> Iterator[dict[str, Any]]:
        answer = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=min(size, 10), WaitTimeSeconds=0,
            AttributeNames=["All"], MessageAttributeNames=["All"],
        )  # fmt: skip
        yield from answer.get("Messages", [])

    def _record(self, message: dict[str, Any], mapping: dict[str, Any]) -> dict[str, Any]:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
            "messageAttributes": {},
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": mapping["EventSourceArn"],
            "awsRegion": REGION,
        }
