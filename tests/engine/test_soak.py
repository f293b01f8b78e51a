"""Many turns over many sessions, with queues, interrupts, cancelled readers and killed CLIs in a seeded order.

Nothing hangs, no answer is lost or shifted, no context leaks into another, and nothing is left behind.
"""

import os
import re
import signal
import sys
import threading
import time
from collections import Counter
from contextlib import aclosing
from random import Random

import anyio
import pytest

from claude_nb import ClaudeSDKClient, ProcessError, ResultMessage
from claude_nb.engine import process as process_module
from claude_nb.testing import ScriptedModel, Text

WORKERS = 4
TURNS_AT_A_TIME = 5
# What happens in a turn, and how often out of 100.
CHANCES = {"plain": 68, "queue": 4, "mixed": 4, "interrupt": 9, "cancel": 9, "kill": 6}
QUEUES = {"queue": ("q0", "q1", "q2"), "mixed": ("q0", "q1")}
TOKEN = re.compile(r"s\d+t\d+(?:q\d)?")


def fates(random):
    return random.choices(list(CHANCES), list(CHANCES.values()), k=TURNS_AT_A_TIME)


class Soak:
    """Every prompt holds a token of its own, `s3t7` for turn 7 of session 3; the answer repeats it.

    Those of a queue are `s3t7q0`, `s3t7q1` ...; one turn may answer several, with the token of the last.
    """

    def __init__(self, model, sessions, rounds, seed):
        self.model, self.sessions, self.rounds, self.random = model, sessions, rounds, Random(seed)
        self.gates, self.seen, self.done, self.kills = {}, [], Counter(), 0
        model.script = self.script

    def script(self, request):
        tokens = TOKEN.findall(" ".join(request.prompts))
        self.seen.append(tokens)
        gate = self.gates.get(tokens[-1])
        return [Text("begun "), gate, Text(tokens[-1])] if gate else [Text(tokens[-1])]

    async def run(self, client):
        async with anyio.create_task_group() as tasks:
            for first in range(WORKERS):
                mine = range(first, self.sessions, WORKERS)
                tasks.start_soon(self.work, client, mine, Random(self.random.random()))

    async def work(self, client, numbers, random):
        for round in range(self.rounds):
            for number in random.sample(numbers, len(numbers)):
                for turn, fate in enumerate(fates(random), round * TURNS_AT_A_TIME):
                    with anyio.fail_after(60):
                        await self.turn(client, f"s{number}", f"s{number}t{turn}", fate)
                    self.done[fate] += 1

    async def turn(self, client, name, token, fate):
        gate = None
        token, *queue = (token + place for place in QUEUES.get(fate, ("",)))
        if fate != "plain":
            gate = self.gates[token] = self.model.gate()
        await client.query(f"say {token}", session_id=name)
        if gate is not None:
            assert await anyio.to_thread.run_sync(gate.reached.wait, 30)
        if fate == "plain":
            assert (await self.answer(client, name)).result == token
        elif fate in QUEUES:
            for prompt in queue:
                await client.query(f"say {prompt}", session_id=name)
            gate.open()
            mixed = fate == "mixed"
            first = await (self.seen_result(client, name, token) if mixed else self.answer(client, name))
            assert first.result.endswith(token)
            for place, prompt in enumerate(queue):
                answered = (await self.answer(client, name)).result
                assert answered in queue[place:], f"{prompt} was answered with {answered}"
        elif fate == "interrupt":
            await client.session(name).interrupt()
            assert (await self.answer(client, name)).terminal_reason.startswith("aborted")
        elif fate == "cancel":
            with anyio.CancelScope() as reader:
                async for _ in client.receive_response(name):
                    reader.cancel()
        elif fate == "kill":
            self.kills += 1
            os.kill(client.session(name)._session._stream._process.pid, signal.SIGKILL)
            with pytest.raises(ProcessError, match="signal 9"):
                await self.answer(client, name)
        if gate is not None:
            gate.open()

    async def answer(self, client, name):
        return [message async for message in client.receive_response(name)][-1]

    async def seen_result(self, client, name, token):
        """Read as one message of many, which may be what a reader before left."""
        async with aclosing(client.receive_messages(name)) as messages:
            async for message in messages:
                if isinstance(message, ResultMessage) and (message.result or "").endswith(token):
                    return message
        raise AssertionError("the messages ended before")


def held():
    """Threads, open files and CLIs of this process."""
    return threading.active_count(), len(os.listdir("/dev/fd")), len(process_module._living)


def grown(before, seconds=15.0):
    """What there is more of than before; worker threads of the loops live on for some seconds."""
    end = time.monotonic() + seconds
    while any(more := [max(0, now - then) for now, then in zip(held(), before, strict=True)]):
        if time.monotonic() > end:
            break
        time.sleep(0.1)
    return more


@pytest.mark.skipif(sys.platform == "win32", reason="counts file descriptors and kills by signal")
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("backend", "sessions", "rounds"), [("asyncio", 20, 2), ("trio", 8, 1)])
def test_nothing_hangs_leaks_or_shifts(tmp_path, options, model: ScriptedModel, backend, sessions, rounds):
    soak = Soak(model, sessions, rounds, seed=3)
    living = []

    async def main():
        start = tasks_alive(backend)
        async with ClaudeSDKClient(options(), max_running=WORKERS) as client:
            await soak.run(client)
            assert client._pool.places.taken <= WORKERS
            assert client._pool.places.waiting == 0
            # Every session still knows what it was told, and nothing of the others.
            for number in range(sessions):
                with anyio.fail_after(60):
                    await client.query(f"say s{number}t99", session_id=f"s{number}")
                    assert (await soak.answer(client, f"s{number}")).result == f"s{number}t99"
        with anyio.fail_after(10):
            while (now := tasks_alive(backend)) > start:  # noqa: ASYNC110 - no event tells that a loop's tasks ended
                await anyio.sleep(0.01)
        living.append(now - start)

    before = held()
    anyio.run(main, backend=backend)
    assert grown(before) == [0, 0, 0]
    assert living == [0]
    assert sum(soak.done.values()) == sessions * rounds * TURNS_AT_A_TIME
    assert set(soak.done) == set(CHANCES)
    assert all(len({token.split("t")[0] for token in tokens}) == 1 for tokens in soak.seen)
    last = {tokens[-1]: tokens for tokens in soak.seen if tokens[-1].endswith("t99")}
    for number in range(sessions):
        told = set(last[f"s{number}t99"])
        asked = {t for tokens in soak.seen for t in tokens if t.startswith(f"s{number}t")}
        killed = {token for token in asked if token in soak.gates}
        assert asked - killed <= told


def tasks_alive(backend):
    if backend == "asyncio":
        import asyncio

        return len(asyncio.all_tasks())
    import trio

    return trio.lowlevel.current_statistics().tasks_living
