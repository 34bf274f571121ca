"""No input makes a parser raise what it does not promise, or take long.

`make fuzz` runs for ten minutes, or CUTBACK_TEST_FUZZ_SECONDS; `make test` for a few seconds. CUTBACK_TEST_SEED chooses
which inputs. An input that finds a fault is kept in `seeds/`, from where every later run tries it first.
"""

from __future__ import annotations

import hashlib
import os
import random
import time
from pathlib import Path

import pytest
from tests.fuzz.mutate import mutated
from tests.fuzz.targets import TARGETS, Target

SEEDS = Path(__file__).parent / "seeds"


def fault(target: Target, data: bytes) -> str | None:
    """What is wrong with how the parser took the input; None if nothing is."""
    took = _seconds(target, data)
    if isinstance(took, str):
        return took
    if took > target.seconds:  # once more, since something else may have happened meanwhile
        again = min(float(_seconds(target, data)) for _ in range(3))
        if again > target.seconds:
            return f"took {again:.2f} s"
    return None


def _seconds(target: Target, data: bytes) -> float | str:
    began = time.thread_time()
    try:
        target.parse(data)
    except target.allowed:
        pass
    except Exception as error:  # noqa: BLE001 - which one it is, is what is looked for
        return f"raised {type(error).__name__}: {str(error)[:200]}"
    return time.thread_time() - began


def fuzz(seconds: float, seed: str) -> tuple[int, list[str]]:
    """Change inputs for so long; how many there were, and the faults."""
    chance = random.Random(seed)
    names = list(TARGETS)
    pools = {name: [*target.starts, *_seeds()] for name, target in TARGETS.items()}
    faults: list[str] = []
    count = 0
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at and len(faults) < 20:
        name = names[count % len(names)]
        data = mutated(chance.choice(pools[name]), chance)
        found = fault(TARGETS[name], data)
        count += 1
        if found is not None:
            kept = SEEDS / f"{hashlib.sha256(data).hexdigest()[:16]}.bin"
            kept.write_bytes(data)
            faults.append(f"{name}: {found}; kept as {kept.name}")
    return count, faults


def _seeds() -> list[bytes]:
    return [path.read_bytes() for path in sorted(SEEDS.glob("*.bin"))]


@pytest.mark.parametrize("name", TARGETS)
def test_the_inputs_to_start_from_are_right(name: str) -> None:
    for data in TARGETS[name].starts:
        if name != "child":  # which ends because the child falls silent
            TARGETS[name].parse(data)


@pytest.mark.parametrize("name", TARGETS)
def test_what_once_found_a_fault_finds_none_any_more(name: str) -> None:
    assert [found for data in _seeds() if (found := fault(TARGETS[name], data))] == []


def test_a_parser_with_a_fault_is_found_out() -> None:
    def raises(data: bytes) -> None:
        if b"1e999999999" in data:
            raise ArithmeticError

    assert fault(Target(raises, (ValueError,), ()), b"1e999999999") == "raised ArithmeticError: "
    slow = Target(lambda data: sum(a == b for a in data for b in data), (), ())
    assert fault(slow, bytes(3000)) is not None


def test_no_changed_input_finds_a_fault() -> None:
    count, faults = fuzz(5, os.environ.get("CUTBACK_TEST_SEED", "parsers"))
    assert faults == []
    assert count > 50


@pytest.mark.soak
def test_no_input_of_very_many_finds_a_fault() -> None:
    seconds = float(os.environ.get("CUTBACK_TEST_FUZZ_SECONDS", "600"))
    seed = os.environ.get("CUTBACK_TEST_SEED") or os.urandom(4).hex()
    count, faults = fuzz(seconds, seed)
    print(f"{count} inputs in {seconds:.0f} s, seed {seed}")  # noqa: T201 - what a soak has done
    assert faults == []
