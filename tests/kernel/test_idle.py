"""The way to the main thread in terminal IPython, through a pseudo-terminal; kernels are in test_pump_kernels."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pexpect
import pytest

from claude_nb.kernel.idle import NextCell, connect_idle

SETUP = """
import threading, time
from anyio.from_thread import start_blocking_portal
from claude_nb.kernel.pump import Pump
_keep = start_blocking_portal("asyncio")
portal = _keep.__enter__()
pump = Pump.connect(get_ipython())
begin, queued = threading.Event(), threading.Event()
def tool():
    print("tool on", threading.current_thread().name)
    return "result"
async def background():
    import asyncio
    await asyncio.to_thread(begin.wait, 20)
    asyncio.get_running_loop().call_soon(queued.set)
    print(f"turn got {await pump.call(tool)}")
async def blocking():
    return await pump.call(lambda: "blocking " + threading.current_thread().name)
print("set", "up")
"""


@pytest.fixture(params=["full prompt", "simple prompt"])
def terminal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    (tmp_path / "setup.py").write_text(SETUP)
    arguments = ["-m", "IPython", "--no-banner", "--no-confirm-exit", "-i", str(tmp_path / "setup.py")]
    if request.param == "simple prompt":
        arguments.insert(2, "--simple-prompt")
    environment = {**os.environ, "IPYTHONDIR": str(tmp_path), "TERM": "xterm", "NO_COLOR": "1"}
    child = pexpect.spawn(sys.executable, arguments, env=environment, encoding="utf-8", timeout=60)
    child.setwinsize(50, 150)
    try:
        child.expect("set up")
        child.expect_exact("In [")
        yield SimpleNamespace(child=child, simple=request.param == "simple prompt")
    finally:
        child.close(force=True)


def test_a_blocking_statement_does_the_calls_of_its_turn(terminal: Any) -> None:
    terminal.child.sendline("pump.run_until(portal.start_task_soon(blocking))")
    terminal.child.expect("blocking MainThread")


def test_calls_of_a_background_turn_are_done_while_the_prompt_waits(terminal: Any) -> None:
    terminal.child.sendline("turn = portal.start_task_soon(background); print('GO' + 'ING')")
    terminal.child.expect_exact("GOING")
    terminal.child.expect_exact("In [")
    # A plain prompt has no loop: the call is done at the end of a statement that runs while it is queued. The full
    # prompt does it while waiting for typing, or when it is drawn, whichever comes first.
    terminal.child.sendline("begin.set(); queued.wait(10)" if terminal.simple else "begin.set()")
    terminal.child.expect("tool on MainThread")
    terminal.child.expect("turn got result")


class Events:
    """IPython's event manager, as far as it is used."""

    def __init__(self) -> None:
        self.callbacks: list[Callable[[object], None]] = []

    def register(self, name: str, callback: Callable[[object], None]) -> None:
        assert name == "post_run_cell"
        self.callbacks.append(callback)

    def unregister(self, name: str, callback: Callable[[object], None]) -> None:
        self.callbacks.remove(callback)


def test_a_plain_prompt_is_drained_once_after_the_statement_and_let_go_at_the_end() -> None:
    events, drained = Events(), []
    idle = connect_idle(SimpleNamespace(kernel=None, pt_app=None, events=events))
    assert isinstance(idle, NextCell)
    idle.wake(lambda: drained.append(1))
    assert drained == []
    for _ in range(2):
        for callback in list(events.callbacks):
            callback(None)
    assert drained == [1]
    idle.close()
    assert events.callbacks == []


def test_outside_of_ipython_there_is_no_way() -> None:
    assert connect_idle(None) is None
