"""Simulates ECS for the long-running workers and the API: reads the secrets, runs the container's command, stops it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.aws.image import Image
from tests.aws.stack import Stack


def environment_of(stack: Stack, name: str = "service") -> dict[str, str]:
    """What the container finds in its environment; the secrets are read as the execution role would (`start`)."""
    (container,) = stack.task(name)["containerDefinitions"]
    manager = stack.moto.client("secretsmanager", "start" if name == "service" else f"start-{name}")
    told = {each["name"]: each["value"] for each in container["environment"]}
    for secret in container["secrets"]:
        told[secret["name"]] = manager.get_secret_value(SecretId=secret["valueFrom"])["SecretString"]
    return told


@contextmanager
def running_service(
    stack: Stack, log: Path, settings: Mapping[str, str], image: Image | None = None, *, name: str = "service"
) -> Iterator[subprocess.Popen[str]]:
    """One task of the service `name`, known to the stand-in by that name; stopped at the end as ECS stops it.

    It runs in `image`, or where there is none out of this environment. `settings` are what only a stand-in on loopback
    needs.
    """
    (container,) = stack.task(name)["containerDefinitions"]
    command: list[str] = [*container["entryPoint"], *container["command"], "--json"]
    environment = {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        **(image.environment if image else {}),
        **environment_of(stack, name),
        **{name: value for name, value in settings.items() if image is None or name != "CUTBACK_DATA"},
        **stack.moto.environment(name),
    }
    if image:
        environment["CUTBACK_DATA"] = image.environment["CUTBACK_DATA"]
        command = image.words(*command[1:], entrypoint=command[:1])
    else:
        command = [str(Path(sys.executable).with_name(command[0])), *command[1:]]
    with (
        log.open("w", encoding="utf-8") as lines,
        subprocess.Popen(
            command,
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=lines, text=True,
        ) as process,
    ):  # fmt: skip
        try:
            yield process
        finally:
            process.terminate()
            said, _ = process.communicate(timeout=container["stopTimeout"])
    assert process.returncode == 0, log.read_text(encoding="utf-8")[-3000:]
    assert json.loads(said.splitlines()[-1])["stopped"] is True
