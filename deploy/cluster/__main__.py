"""`make run-cluster`: a whole cluster on this machine, to look at. Without a terminal, it proves itself and ends."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from deploy.cluster.cluster import Cluster
from deploy.cluster.servers import ServerError

from cutback.cli.demo.drawing.sea import make_recording
from cutback.client import Client

_CLIPS = 6
_SECONDS = 12
_RECORDING = "north-point.2026-06-21T05-30-00Z.mp4"


def main() -> int:
    """Run the cluster until Ctrl-C. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="make run-cluster", description=main.__doc__)
    parser.add_argument("--port", type=int, default=8000, help="the balancer's port (8000)")
    parser.add_argument("--balancer", choices=["nginx", "haproxy"], default="nginx", help="nginx, or haproxy")
    parser.add_argument("--queue", choices=["nats", "sqlite"], default="nats", help="three NATS servers, or SQLite")
    parser.add_argument("--check", action="store_true", help="make clips and end, as without a terminal")
    options = parser.parse_args()
    check = options.check or not sys.stdin.isatty()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    with tempfile.TemporaryDirectory(prefix="cutback-cluster-") as name:
        try:
            cluster = Cluster(
                Path(name),
                port=0 if check else options.port,
                balancer=options.balancer,
                nats=options.queue == "nats",
                say=_say,
            )
            _say(f"Everything is in {name}, with a log for each server.")
            if cluster.records.name == "mongod":
                _say("Records are in a real MongoDB.")
            else:
                _say("Records are in nx-27017, a stand-in for MongoDB: mongod is not installed. It does not replicate.")
            _draw(cluster.data / "recordings" / _RECORDING)
            with cluster:
                _make_clips(cluster.url)
                if not check:
                    _say(f"Ready at {cluster.url}. Try {cluster.url}/v1/clips, or its /v1/events; Ctrl-C ends it.")
                    signal.pause()
                _say("Stopping ...")
        except ServerError as error:
            _say(str(error))
            return 1
        except KeyboardInterrupt:
            pass
    _say("Everything has stopped.")
    return 0


def _interrupt(*_: object) -> None:
    """End by the first signal, in order: further ones must not interrupt that."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    _say("Stopping ...")
    raise KeyboardInterrupt


def _say(text: str) -> None:
    print(text, flush=True)


def _draw(path: Path) -> None:
    start = datetime(2026, 6, 21, 5, 30, tzinfo=UTC)
    make_recording(path, seconds=_SECONDS, size=(640, 360), camera="north-point", start=start)


def _make_clips(url: str) -> None:
    """Request clips through the balancer, and wait until they are ready.

    Raises:
        ServerError: one is not.
    """
    with Client(url) as client:
        for number in range(_CLIPS):
            source = {"recording": _RECORDING, "start": number, "end": number + 3}
            client.submit({"id": f"wave-{number}", "source": source, "title": f"Wave {number}"})
        for number in range(_CLIPS):
            try:
                clip = client.wait(f"wave-{number}", timeout=120)
            except TimeoutError as error:
                raise ServerError(str(error)) from error
            if clip.state != "ready" or clip.url is None:
                raise ServerError(f"The clip {clip.id} is {clip.state}: {clip.message}")
            with tempfile.TemporaryDirectory() as folder:
                size = client.download(clip, Path(folder) / "clip.mp4").stat().st_size
            _say(f"{clip.id}: ready, {size} bytes through the balancer")


if __name__ == "__main__":
    sys.exit(main())
