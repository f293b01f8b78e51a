"""Whatever ends this program, its CLIs end too, also those that are in mid-turn."""

import os
import signal
import subprocess
import sys
import textwrap

import anyio
import pytest

from claude_nb.engine.guardian import Guardian
from claude_nb.testing import Text

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="there are no process groups to watch on Windows"),
]


async def gone(pid: int, seconds: float = 10) -> None:
    with anyio.fail_after(seconds):
        while True:
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return
            await anyio.sleep(0.02)


def group() -> "subprocess.Popen[bytes]":
    return subprocess.Popen(["/bin/sh", "-c", "sleep 60 & wait"], start_new_session=True)


async def test_a_program_that_is_killed_in_mid_turn_leaves_no_cli(model, options):
    settings, gate = options(), model.gate()
    model.reply(Text("part one "), gate, Text("part two"))
    program = f"""
        import threading
        from claude_nb import ClaudeAgentOptions, Session
        from claude_nb.engine.portal import call
        session = Session(ClaudeAgentOptions(cwd={str(settings.cwd)!r}, env={settings.env!r}))
        call(session.start)
        call(session.prompt, "talk")
        print(session._stream._process.pid, flush=True)
        threading.Event().wait()
    """
    async with await anyio.open_process([sys.executable, "-c", textwrap.dedent(program)], stderr=None) as process:
        with anyio.fail_after(60):
            cli = int(await process.stdout.receive())
            assert await anyio.to_thread.run_sync(gate.reached.wait, 30)
        process.kill()
        await gone(cli)


def test_it_lives_while_there_is_something_to_watch():
    guardian, one, two = Guardian(), group(), group()
    with one, two:
        guardian.watch(one.pid)
        guardian.watch(two.pid)
        process = guardian._process
        assert process.poll() is None
        guardian.release(one.pid)
        assert process.poll() is None
        guardian.release(two.pid)
        assert process.poll() == 0
        assert (one.poll(), two.poll()) == (None, None)
        for each in (one, two):
            os.killpg(each.pid, signal.SIGKILL)


def test_it_ends_those_that_were_not_released():
    guardian, released, listed, last = Guardian(), group(), group(), group()
    with released, listed, last:
        for each in (released, listed, last):
            guardian.watch(each.pid)
        guardian.release(released.pid)
        guardian.close()
        assert [each.wait(10) for each in (listed, last)] == [-signal.SIGTERM] * 2
        assert released.poll() is None
        os.killpg(released.pid, signal.SIGKILL)


def test_what_ignores_the_request_is_killed():
    guardian = Guardian()
    with subprocess.Popen(
        ["/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"],
        start_new_session=True,
        stdout=subprocess.PIPE,
    ) as deaf:
        deaf.stdout.readline()
        guardian.watch(deaf.pid)
        guardian.close()
        assert deaf.wait(20) == -signal.SIGKILL


def test_a_forked_child_leaves_it_to_the_parent():
    guardian, watched = Guardian(), group()
    with watched:
        guardian.watch(watched.pid)
        process = guardian._process
        guardian.forget()
        assert guardian._process is None
        assert watched.wait(10) == -signal.SIGTERM  # here the only holder of the pipe let go of it
        process.returncode = None
        process.wait(10)
