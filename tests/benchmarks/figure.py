"""A figure with its peer and its budget, the table of them, and how they are compared.

The machine that measures is rarely quiet. So the two sides alternate within one run, a ratio is the median of the
rounds' own ratios, and budgets are kept in ratios or in CPU time wherever the design allows it.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[2]
WORKER_TIMEOUT = 120.0


@dataclass(frozen=True)
class Figure:
    """What something costs us, in `unit`, and what it costs `peer`. Budgets: `most` in the unit, `most_ratio` of it."""

    what: str
    ours: float
    unit: str
    peer: str = ""
    theirs: float | None = None
    ratio: float | None = None
    most: float | None = None
    most_ratio: float | None = None

    def within(self, slack: float = 1.0) -> bool:
        """It keeps its budgets, stretched by `slack`."""
        absolute = self.most is None or self.ours <= self.most * slack
        relative = self.most_ratio is None or (self.ratio is not None and self.ratio <= self.most_ratio * slack)
        return absolute and relative

    def row(self) -> str:
        """Its line in the table."""
        budgets = [f"≤ {self.most:g} {self.unit}"] if self.most is not None else []
        budgets += [f"≤ {self.most_ratio:g} ×"] if self.most_ratio is not None else []
        peer = "" if self.theirs is None else f"{self.peer}: {_number(self.theirs)} {self.unit}"
        ratio = "" if self.ratio is None else f"{self.ratio:.2f} ×"
        met = ("yes" if self.within() else "**no**") if budgets else ""
        cells = [self.what, f"{_number(self.ours)} {self.unit}", peer, ratio, ", ".join(budgets), met]
        return f"| {' | '.join(cells)} |"


HEAD = "| what | ours | peer | ratio | budget | met |\n|---|---|---|---|---|---|"


def table(figures: Iterable[Figure]) -> str:
    """All figures as one Markdown table."""
    return "\n".join([HEAD, *(figure.row() for figure in figures)])


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


Rounds = dict[str, list[float]]


def alternate(count: int, sides: dict[str, Callable[[], float]]) -> Rounds:
    """Measure every side `count` times, in turn, each round beginning with another one."""
    names = list(sides)
    measured: Rounds = {name: [] for name in names}
    for turn in range(count):
        for offset in range(len(names)):
            name = names[(turn + offset) % len(names)]
            measured[name].append(sides[name]())
    return measured


def compare(what: str, rounds: Rounds, ours: str, peer: str, unit: str, **budgets: float) -> Figure:
    """The figure for two sides of the same rounds."""
    ratios = [mine / other for mine, other in zip(rounds[ours], rounds[peer], strict=True)]
    return Figure(
        what,
        statistics.median(rounds[ours]),
        unit,
        peer,
        statistics.median(rounds[peer]),
        statistics.median(ratios),
        **budgets,
    )


def beside(what: str, ours: float, peer: str, theirs: float, unit: str, **budgets: float) -> Figure:
    """The figure for two single measurements."""
    return Figure(what, ours, unit, peer, theirs, ours / theirs, **budgets)


def worker(program: str, **arguments: Any) -> dict[str, Any]:
    """Run a program of worker.py in a fresh interpreter and take its figures."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.worker", program, json.dumps(arguments)],
        # The CLI works where we stand: not in a repository, whose state it would look up.
        cwd=tempfile.gettempdir(),
        env={**os.environ, "PYTHONPATH": str(REPO)},
        stdout=subprocess.PIPE,
        timeout=WORKER_TIMEOUT,
        check=True,
    )
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures
