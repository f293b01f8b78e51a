"""The CLI as a process: it ends within bounds and leaves nobody behind. With the real CLI where it matters."""

import os
import signal
import sys
import textwrap
import time
from pathlib import Path

import anyio
import pytest

from claude_nb import CLIConnectionError, Session
from claude_nb.engine import process as process_module
from claude_nb.engine.process import CLIProcess
from claude_nb.testing import Text, ToolUse

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform == "win32", reason="signals and process groups")]


@pytest.fixture
def script(options, tmp_path):
    """Options for a shell script in the CLI's place."""

    def make(text):
        cli = tmp_path / "claude"
        cli.write_text(f"#!/bin/sh\n{textwrap.dedent(text)}\n")
        cli.chmod(0o755)
        return options(cli_path=cli)

    return make


async def gone(pid, seconds=10.0):
    """Wait until a process is no more (a zombie is no more, too)."""
    with anyio.fail_after(seconds):
        while _alive(pid):  # noqa: ASYNC110 - nobody tells of the end of a process that is not ours
            await anyio.sleep(0.02)


def _alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


async def test_the_cli_has_a_process_session_of_its_own(options):
    async with Session(options()) as session:
        pid = session._stream._process.pid
        assert os.getsid(pid) == pid != os.getsid(0)
    await gone(pid)


async def test_a_cli_that_ignores_the_end_of_its_input_is_told_and_then_killed(script, monkeypatch):
    monkeypatch.setattr(process_module, "GRACE", 0.2)
    process = await CLIProcess.start(script("trap '' TERM\necho ready\nwhile true; do sleep 0.05; done"))
    with anyio.fail_after(10):
        assert await process.receive() == b"ready\n"
        await process.aclose()
    assert process.exit_code == -signal.SIGKILL


async def test_a_start_that_is_cancelled_reaches_a_spawn_under_way(options, monkeypatch):
    spawning, late = anyio.Event(), anyio.Event()

    async def open_process(*args, **kwargs):
        spawning.set()
        await late.wait()
        raise FileNotFoundError

    monkeypatch.setattr(process_module.anyio, "open_process", open_process)
    async with anyio.create_task_group() as tasks:

        async def open_late():
            await anyio.sleep(process_module.GRACE * 2)
            late.set()

        tasks.start_soon(open_late)
        with anyio.CancelScope() as scope:
            tasks.start_soon(cancel_after, scope, spawning)
            await Session(options()).start()
        assert not late.is_set()
        tasks.cancel_scope.cancel()


async def cancel_after(scope, event):
    await event.wait()
    scope.cancel()


async def test_a_cli_that_was_not_open_yet_is_ended_at_once(script, tmp_path):
    pid = tmp_path / "pid"
    session = Session(script(f"read line; echo $$ > {pid}.part; mv {pid}.part {pid}; exec sleep 300"))
    async with anyio.create_task_group() as tasks:

        async def start():
            with pytest.raises(CLIConnectionError, match="closed before"):
                await session.start()

        tasks.start_soon(start)
        with anyio.fail_after(30):
            while not pid.exists():  # noqa: ASYNC110 - a shell tells by a file
                await anyio.sleep(0.02)
        begun = time.monotonic()
        await session.aclose()
    assert time.monotonic() - begun < process_module.GRACE
    await gone(int(pid.read_text()))


async def test_what_the_cli_started_ends_with_it(script, tmp_path):
    process = await CLIProcess.start(script("sleep 300 &\necho $!\ncat > /dev/null"))
    with anyio.fail_after(10):
        child = int(await process.receive())
        await process.aclose()
    assert process.exit_code == 0
    await gone(child)


async def test_closing_is_not_cut_short_by_cancellation(script):
    process = await CLIProcess.start(script("echo ready\ncat > /dev/null"))
    with anyio.fail_after(10):
        await process.receive()
        with anyio.CancelScope() as scope:
            scope.cancel()
            await process.aclose()
    assert process.exit_code == 0


async def test_the_tail_of_the_error_output_is_kept_and_each_line_told(script):
    lines = []
    options = script("for i in $(seq 300); do echo line $i >&2; done; printf 'no newline' >&2")
    options.stderr = lines.append
    process = await CLIProcess.start(options)
    with anyio.fail_after(10):
        await process.read_stderr()
        await process.aclose()
    assert lines == [*(f"line {i}" for i in range(1, 301)), "no newline"]
    tail = process.stderr_tail.splitlines()
    assert len(tail) == process_module.STDERR_LINES
    assert tail[-1] == "no newline"


async def test_a_stderr_callback_that_fails_is_logged_and_the_reading_goes_on(script, caplog):
    def callback(line):
        raise RuntimeError("full")

    options = script("echo one >&2; echo two >&2")
    options.stderr = callback
    process = await CLIProcess.start(options)
    with anyio.fail_after(10):
        await process.read_stderr()
        await process.aclose()
    assert process.stderr_tail == "one\ntwo"
    assert "stderr callback failed" in caplog.text


async def test_a_session_closed_in_mid_tool_leaves_no_process(model, options, tmp_path):
    started = tmp_path / "work" / "started"
    model.reply(ToolUse("Bash", {"command": f"echo $$ > {started}.part; mv {started}.part {started}; sleep 300"}))
    model.reply(Text("never"))
    session = Session(options(allowed_tools=["Bash"]))
    await session.start()
    await session.prompt("go")
    with anyio.fail_after(30):
        while not started.exists():  # noqa: ASYNC110 - a shell three processes away tells by a file
            await anyio.sleep(0.02)
        shell, cli = int(started.read_text()), session._stream._process.pid
        begun = time.monotonic()
        await session.aclose()
    assert time.monotonic() - begun < process_module.GRACE * 2
    await gone(cli)
    await gone(shell)


@pytest.mark.parametrize("end", ["os._exit(1)", "os.kill(os.getpid(), 9)", "sys.exit(0)", "raise RuntimeError"])
async def test_the_cli_ends_when_its_program_ends_however_it_does(options, tmp_path, end):
    settings = options()
    program = f"""
        import os, sys
        from claude_nb import ClaudeAgentOptions, Session
        from claude_nb.engine.portal import call
        session = Session(ClaudeAgentOptions(cwd={str(settings.cwd)!r}, env={settings.env!r}))
        call(session.start)
        print(session._stream._process.pid, flush=True)
        {end}
    """
    with anyio.fail_after(60):
        done = await anyio.run_process([sys.executable, "-c", textwrap.dedent(program)], check=False)
    assert done.stdout, done.stderr.decode()
    await gone(int(done.stdout))
