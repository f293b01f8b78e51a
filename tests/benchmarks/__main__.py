"""Measure, and print one Markdown table.

python -m tests.benchmarks            the engine, with the real CLI where it matters: some minutes
python -m tests.benchmarks --quick    only what needs no real CLI, in few rounds: below a minute
python -m tests.benchmarks --full     more rounds, and the page in Chromium: the table of the README
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from functools import partial
from importlib.metadata import version

from tests.benchmarks.bench_engine import at_once, drained, first_delta, handed, imports, real_at_once, scripts
from tests.benchmarks.figure import HEAD, Figure

Plan = list[Callable[[], list[Figure]]]


def fake(rounds: int) -> Plan:
    """Our own side alone, with the fake CLI."""
    return [
        partial(imports, rounds),
        partial(drained, rounds),
        partial(scripts, rounds),
        partial(handed, rounds),
        *(partial(at_once, rounds, sessions) for sessions in (8, 32)),
    ]


def real(rounds: int, sessions: int) -> Plan:
    """With the real CLI; `sessions` is how many are parked."""
    from tests.benchmarks.bench_memory import parked

    return [partial(first_delta, 5 * rounds), partial(real_at_once, rounds), partial(parked, sessions)]


def page() -> list[Figure]:
    """The page, in Chromium."""
    from tests.benchmarks.bench_page import FULL, measure

    return measure(FULL).figures()


def conditions() -> str:
    """What the table was measured with."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("claude-nb", "claude-agent-sdk", "anyio", "pydantic"))
    return f"Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores; {packages}."


def main(arguments: list[str]) -> int:
    """Exit code 1 if a budget is not met."""
    if "--quick" in arguments:
        plan = fake(2)
    elif "--full" in arguments:
        plan = [*fake(5), *real(3, 20), page]
    else:
        plan = [*fake(3), *real(2, 6)]
    met = True
    print(HEAD, flush=True)
    for step in plan:
        for figure in step():
            met &= figure.within()
            print(figure.row(), flush=True)
    print(f"\n{conditions()}")
    return not met


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
