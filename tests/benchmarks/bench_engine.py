"""What the engine costs beside the official SDK and beside a bare loop over the CLI's lines.

A fake CLI says a recorded stream where only our side matters, the real one answers from a scripted model where the
whole does. Source of the budgets: the design's table.
"""

from __future__ import annotations

import resource
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from claude_nb.engine.locate import find_cli
from claude_nb.testing import ScriptedModel, Text
from tests.benchmarks.figure import Figure, Rounds, alternate, compare, worker

OURS, OFFICIAL, BARE = "claude_nb", "official SDK", "bare loop"
IMPORT_SECONDS, DRAIN_RATIO = 0.25, 0.35


def imports(rounds: int) -> list[Figure]:
    """CPU of an import, beyond that of the interpreter."""
    statements = {
        "interpreter": "pass",
        "package": "import claude_nb",
        OURS: "import claude_nb; claude_nb.query",
        OFFICIAL: "import claude_agent_sdk",
    }
    for statement in statements.values():
        _python(statement)  # once for the compiled files and the disk's cache
    spent = alternate(rounds, {name: partial(_python, statement) for name, statement in statements.items()})
    bare = spent.pop("interpreter")
    # A clock that ticks coarsely may find the package's own import cheaper than nothing.
    net: Rounds = {
        name: [max(it - nothing, 0.0) for it, nothing in zip(own, bare, strict=True)] for name, own in spent.items()
    }
    return [
        compare("`import claude_nb`: CPU", net, "package", OFFICIAL, "s", most=IMPORT_SECONDS),
        compare("`from claude_nb import query`: CPU", net, OURS, OFFICIAL, "s", most=IMPORT_SECONDS),
    ]


def drained(rounds: int, deltas: int = 50_000) -> list[Figure]:
    """CPU of reading a long answer."""
    with fake_cli(deltas) as (cli, env):
        spent = _sides("drain", "cpu", rounds, cli=cli, env=env, deltas=deltas)
    what = f"{deltas:,} deltas through `query()`: CPU"
    return [
        compare(what, spent, OURS, OFFICIAL, "s", most_ratio=DRAIN_RATIO),
        compare(what, spent, OURS, BARE, "s"),
    ]


def scripts(rounds: int) -> list[Figure]:
    """CPU of a whole script that asks once."""
    with fake_cli(20) as (cli, env):
        spent = _sides("script", "cpu", rounds, cli=cli, env=env)
    return [compare("a script with one short `query()`: CPU, imports included", spent, OURS, OFFICIAL, "s")]


def handed(rounds: int, deltas: int = 100) -> list[Figure]:
    """Time from the CLI's write of a delta until the consumer has it."""
    with fake_cli(deltas, pause=0.005) as (cli, env):
        waited = _sides("handed", "median_ms", rounds, cli=cli, env=env)
    what = "a delta of the CLI until the consumer has it"
    return [compare(what, waited, OURS, OFFICIAL, "ms"), compare(what, waited, OURS, BARE, "ms")]


def at_once(rounds: int, sessions: int, deltas: int = 1000) -> list[Figure]:
    """CPU of many sessions that answer at the same time."""
    with fake_cli(deltas) as (cli, env):
        spent = _sides("many", "cpu", rounds, cli=cli, env=env, sessions=sessions, deltas=deltas)
    what = f"{sessions} sessions at once, {deltas:,} deltas each: CPU"
    return [compare(what, spent, OURS, OFFICIAL, "s"), compare(what, spent, OURS, BARE, "s")]


def first_delta(times: int) -> list[Figure]:
    """Time from the call to the first delta, with the real CLI."""
    with real_cli() as (cli, env):
        waited = worker("first", cli=cli, env=env, times=times)
    what = "call until the first delta, real CLI"
    return [compare(what, waited, OURS, OFFICIAL, "ms"), compare(what, waited, OURS, BARE, "ms")]


def real_at_once(rounds: int, sessions: int = 8) -> list[Figure]:
    """Time until all of several real CLIs, started at once, have answered."""
    with real_cli() as (cli, env):
        waited = _sides("many", "wall", rounds, cli=cli, env=env, sessions=sessions, deltas=DELTAS)
    what = f"{sessions} sessions at once, real CLI, all answered"
    return [compare(what, waited, OURS, OFFICIAL, "s"), compare(what, waited, OURS, BARE, "s")]


# -- how it is measured ------------------------------------------------------------------------------------------------


def _sides(program: str, figure: str, rounds: int, **arguments: object) -> Rounds:
    def side(library: str) -> float:
        measured: float = worker(program, library=library, **arguments)[figure]
        return measured

    return alternate(rounds, {library: partial(side, library) for library in (OURS, OFFICIAL, BARE)})


def _python(statement: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", statement], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@contextmanager
def fake_cli(deltas: int, pause: float = 0.0) -> Iterator[tuple[str, dict[str, str]]]:
    """Path of the fake CLI (without `site`, so that it starts fast) and the environment that says what it answers."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "claude"
        command = [sys.executable, "-I", "-S", str(Path(__file__).with_name("fake_cli.py"))]
        path.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
        path.chmod(0o755)
        yield str(path), {"CLAUDE_CONFIG_DIR": folder, "FAKE_DELTAS": str(deltas), "FAKE_PAUSE": str(pause)}


ANSWER, DELTAS = "One answer in a few deltas.", 3


@contextmanager
def real_cli() -> Iterator[tuple[str, dict[str, str]]]:
    """Path of the real CLI, and the environment in which a scripted model answers it."""
    with (
        TemporaryDirectory() as folder,
        ScriptedModel(lambda request: [Text(ANSWER, chunk=len(ANSWER) // DELTAS)]) as model,
    ):
        yield find_cli(None, {}), model.env(folder)
