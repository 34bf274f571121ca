"""The program that `test_jetstream_cluster` kills: its child processes use a queue on JetStream until they are killed.

Each child reports `did VERB BODY ID` after each operation.
"""

from __future__ import annotations

import random
import sys
from datetime import timedelta
from functools import partial

from tests.contract.jetstream_queues import open_queue
from tests.faults.child_processes import serve, tell

from cutback.domain.errors import QueueUnavailableError

HIDDEN = timedelta(seconds=3)


def work(url: str, life: str) -> None:
    """Send and work off messages until killed; the bodies of what is sent begin with `life`."""
    dice = random.Random(life)
    queue = open_queue(url, visibility=HIDDEN, max_receives=1000)
    for number in range(1_000_000):
        try:
            if dice.random() < 0.5:
                body = f"{life}-{number}"
                tell("did send", body, queue.send(body))
                continue
            for message in queue.receive(limit=dice.randrange(1, 4), wait=timedelta(seconds=0.2)):
                tell("did receive", message.body, message.id)
                if dice.random() < 0.3:
                    queue.extend(message, HIDDEN)
                if dice.random() < 0.2:
                    if queue.move_to_dead_letters(message, "enough"):
                        tell("did move", message.body, message.id)
                elif queue.delete(message):
                    tell("did delete", message.body, message.id)
        except QueueUnavailableError as error:
            tell("unavailable", str(error).replace(" ", "-"), "-")


if __name__ == "__main__":
    serve(partial(work, sys.argv[1]))
