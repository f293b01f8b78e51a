"""What sessions cost in memory while their CLIs run, and what is given back when they are parked. Linux only.

Memory is the proportional set size (PSS, each shared page divided among those that share it) of this process and all
its descendants. To park a session is to end its CLI; the next prompt resumes it by its id.
"""

from __future__ import annotations

import re
import statistics
import time
from dataclasses import replace
from pathlib import Path

import anyio

from claude_nb import ClaudeAgentOptions, Session
from tests.benchmarks.bench_engine import ANSWER, real_cli
from tests.benchmarks.figure import Figure, beside

TIMEOUT = 300.0


def parked(count: int) -> list[Figure]:
    """Memory of so many sessions, parked beside running, and how long the next answer takes either way."""
    return anyio.run(_parked, count)


async def _parked(count: int) -> list[Figure]:
    with real_cli() as (cli, env), anyio.fail_after(TIMEOUT):
        options = ClaudeAgentOptions(cli_path=cli, env=env, cwd=env["HOME"], setting_sources=[])
        running = [Session(options) for _ in range(count)]
        for session in running:
            await session.start()
            await _answered(session)
        running_memory = family_memory()
        warm = statistics.median([await _answered(session) for session in running])
        for session in running:
            await session.aclose()
        parked_memory = family_memory()
        cold = statistics.median([await _resumed(options, session.session_id) for session in running[:3]])
    return [
        beside(f"memory of {count} parked sessions", parked_memory, "running", running_memory, "MB"),
        beside("next answer of a parked session", cold * 1000, "running", warm * 1000, "ms"),
    ]


async def _resumed(options: ClaudeAgentOptions, session_id: str | None) -> float:
    began = time.perf_counter()
    async with Session(replace(options, resume=session_id)) as session:
        await _answered(session)
        took = time.perf_counter() - began
        assert session.session_id == session_id
    return took


async def _answered(session: Session) -> float:
    began = time.perf_counter()
    result = await (await session.prompt("Go on.")).result()
    assert result.result == ANSWER
    return time.perf_counter() - began


def family_memory() -> float:
    """Megabytes (PSS) of this process and its descendants."""
    return sum(map(_memory, _family(Path("/proc/self").resolve()))) / 1000


def _family(process: Path) -> list[Path]:
    children = [process.parent / pid for it in process.glob("task/*/children") for pid in it.read_text().split()]
    return [process, *(each for child in children for each in _family(child))]


def _memory(process: Path) -> int:
    pss = re.search(r"^Pss:\s+(\d+) kB", (process / "smaps_rollup").read_text(), re.MULTILINE)
    return int(pss[1]) if pss else 0
