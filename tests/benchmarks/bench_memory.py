"""What sessions cost in memory while their CLIs run, and what is given back when they are parked. Linux only.

Memory is the proportional set size (PSS, each shared page divided among those that share it) of this process and all
its descendants. A parked session has no CLI; its next prompt resumes it.
"""

from __future__ import annotations

import re
import statistics
import time
from pathlib import Path

import anyio

from claude_nb import ClaudeAgentOptions, ClaudeSDKClient, ResultMessage
from tests.benchmarks.bench_engine import ANSWER, real_cli
from tests.benchmarks.figure import Figure, beside

TIMEOUT = 300.0


def parked(count: int) -> list[Figure]:
    """Memory of so many sessions, parked beside running, and how long the next answer takes either way."""
    return anyio.run(_parked, count)


async def _parked(count: int) -> list[Figure]:
    names = ["default", *(f"session-{number}" for number in range(1, count))]
    with real_cli() as (cli, env), anyio.fail_after(TIMEOUT):
        options = ClaudeAgentOptions(cli_path=cli, env=env, cwd=env["HOME"], setting_sources=[])
        async with ClaudeSDKClient(options, max_running=None) as client:
            for name in names:
                await _answered(client, name)
            running_memory = family_memory()
            warm = statistics.median([await _answered(client, name) for name in names])
            for name in names:
                assert await client.session(name).park()
            parked_memory = family_memory()
            cold = statistics.median([await _answered(client, name) for name in names[:3]])
    return [
        beside(f"memory of {count} parked sessions", parked_memory, "running", running_memory, "MB"),
        beside("next answer of a parked session", cold * 1000, "running", warm * 1000, "ms"),
    ]


async def _answered(client: ClaudeSDKClient, name: str) -> float:
    """Seconds of one turn; a session that was parked runs again after it."""
    began = time.perf_counter()
    await client.query("Go on.", session_id=name)
    messages = [message async for message in client.receive_response(name)]
    assert isinstance(messages[-1], ResultMessage)
    assert messages[-1].result == ANSWER
    assert client.session(name).running
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
