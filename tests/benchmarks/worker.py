"""What is measured, each in an interpreter of its own: `python -m tests.benchmarks.worker PROGRAM ARGUMENTS`.

The programs work with `LIBRARIES`, which all do the same: run one prompt on a CLI and give the events of the answer.
Which one is an argument of most programs, so that only that one is imported. CPU is that of this process alone, without
the CLI's. The figures are printed as JSON: seconds, or milliseconds for names that end in `_ms`.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson

Event = dict[str, Any]
Env = dict[str, str]
Stream = Callable[[str, Env], AsyncIterator[Event]]
PROMPT = "Go on."


def claude_nb() -> Stream:
    """This project's `query()`."""
    from claude_nb import ClaudeAgentOptions, StreamEvent, query

    return _sdk(ClaudeAgentOptions, StreamEvent, query)


def claude_agent_sdk() -> Stream:
    """The official SDK's `query()`."""
    from claude_agent_sdk import ClaudeAgentOptions, query
    from claude_agent_sdk.types import StreamEvent

    return _sdk(ClaudeAgentOptions, StreamEvent, query)


def _sdk(options: Any, event: Any, query: Any) -> Stream:
    async def stream(cli: str, env: Env) -> AsyncIterator[Event]:
        given = options(cli_path=cli, env=env, include_partial_messages=True, setting_sources=[])
        async for message in query(prompt=PROMPT, options=given):
            if type(message) is event:
                yield message.event

    return stream


def bare_loop() -> Stream:
    """The least that works: the pipes, a split at newlines and orjson; the prompt is sent without waiting."""
    arguments = "--output-format stream-json --verbose --include-partial-messages --setting-sources= --input-format"

    async def stream(cli: str, env: Env) -> AsyncIterator[Event]:
        command = [cli, *arguments.split(), "stream-json", "--system-prompt", ""]
        pipe = subprocess.PIPE
        environ = {**os.environ, "CLAUDE_CODE_ENTRYPOINT": "sdk-py", **env}
        process = await asyncio.create_subprocess_exec(*command, env=environ, stdin=pipe, stdout=pipe)
        assert process.stdin is not None
        assert process.stdout is not None
        opening = {"type": "control_request", "request_id": "1", "request": {"subtype": "initialize", "hooks": {}}}
        prompt = {"type": "user", "message": {"role": "user", "content": PROMPT}, "uuid": "u", "session_id": ""}
        process.stdin.write(orjson.dumps(opening) + b"\n" + orjson.dumps(prompt) + b"\n")
        rest = b""
        while data := await process.stdout.read(65536):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                frame = orjson.loads(line)
                if frame["type"] == "stream_event":
                    yield frame["event"]
                elif frame["type"] == "result":
                    process.stdin.close()
        await process.wait()

    return stream


LIBRARIES: dict[str, Callable[[], Stream]] = {
    "claude_nb": claude_nb,
    "official SDK": claude_agent_sdk,
    "bare loop": bare_loop,
}


async def _texts(events: AsyncIterator[Event]) -> AsyncIterator[str]:
    async for event in events:
        if event["type"] == "content_block_delta":
            yield event["delta"]["text"]


# -- programs ----------------------------------------------------------------------------------------------------------


async def drain(stream: Stream, cli: str, env: Env, deltas: int) -> dict[str, float]:
    """Read one answer of so many deltas."""
    began = time.process_time()
    count = 0
    async for _ in _texts(stream(cli, env)):
        count += 1
    assert count == deltas
    return {"cpu": time.process_time() - began}


async def script(stream: Stream, cli: str, env: Env) -> dict[str, float]:
    """A script's whole life with one short answer: its interpreter and imports count."""
    async for _ in _texts(stream(cli, env)):
        pass
    return {"cpu": time.process_time()}


async def many(stream: Stream, cli: str, env: Env, sessions: int, deltas: int) -> dict[str, float]:
    """So many sessions at once."""

    async def one() -> int:
        return len([text async for text in _texts(stream(cli, env))])

    await one()  # what is built once is not what is asked here
    cpu, wall = time.process_time(), time.perf_counter()
    counts = await asyncio.gather(*(one() for _ in range(sessions)))
    assert counts == [deltas] * sessions
    return {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}


async def handed(stream: Stream, cli: str, env: Env) -> dict[str, float]:
    """From the moment the CLI writes a delta (its text says when) until the consumer has it; median."""
    taken = [(time.monotonic_ns() - int(text)) / 1e6 async for text in _texts(stream(cli, env))]
    return {"median_ms": statistics.median(taken)}


async def first(cli: str, env: Env, times: int) -> dict[str, list[float]]:
    """Milliseconds from the call until the first delta, `times` for each library, in turn.

    They are in one process, so that each call is compared with its neighbours: a CLI's start takes half a second, and
    longer whenever something else runs. A first call, which builds what is built once, is left out.
    """
    streams = {name: library() for name, library in LIBRARIES.items()}
    waits: dict[str, list[float]] = {name: [] for name in streams}
    for _ in range(times + 1):
        for name, stream in streams.items():
            waits[name].append(await _until_first(stream(cli, env)))
    return {name: its[1:] for name, its in waits.items()}


async def _until_first(events: AsyncIterator[Event]) -> float:
    began, wait = time.perf_counter(), None
    async for _ in _texts(events):
        wait = wait or time.perf_counter() - began
    assert wait is not None
    return wait * 1000


PROGRAMS: dict[str, Callable[..., Any]] = {f.__name__: f for f in (drain, script, many, handed, first)}

if __name__ == "__main__":
    given = json.loads(sys.argv[2])
    if "library" in given:
        given["stream"] = LIBRARIES[given.pop("library")]()
    print(json.dumps(asyncio.run(PROGRAMS[sys.argv[1]](**given))))
