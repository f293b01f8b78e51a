"""The engine's private thread: an event loop of our own, shared by everything in this process.

Layer 2. Above: the kernel's cells, `chat`, anything synchronous. Below: anyio's blocking portal. Started with the first
call, ended with Python. The loop is asyncio's (on Windows the one that can start processes), whatever runs in the
caller's thread, so a kernel's own loop and patches to it do not matter.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from anyio.from_thread import BlockingPortal, start_blocking_portal

T = TypeVar("T")

_lock = threading.Lock()
_exit: contextlib.ExitStack | None = None
_portal: BlockingPortal | None = None
_thread: int | None = None
_loop: asyncio.AbstractEventLoop | None = None
_posted: set[asyncio.Task[Any]] = set()


def get_portal() -> BlockingPortal:
    """The portal to the engine's loop; its thread is started if need be. After a fork the child gets its own."""
    global _exit, _portal, _thread
    with _lock:
        if _portal is None:
            _exit = contextlib.ExitStack()
            _portal = _exit.enter_context(
                start_blocking_portal("asyncio", {"loop_factory": _new_loop}, name="claude_nb engine")
            )
            _thread = _portal.call(threading.get_ident)
        return _portal


def call(function: Callable[..., Awaitable[T]], *args: Any) -> T:
    """Run an async function on the engine's loop and wait for what it returns; its exceptions are raised here.

    Raises RuntimeError when called on the engine's own thread, which would wait for itself.
    """
    portal = get_portal()
    if threading.get_ident() == _thread:
        raise RuntimeError("This runs on the engine's own loop already; await the function instead.")
    return portal.call(function, *args)


def start(function: Callable[..., Awaitable[T]], *args: Any) -> Future[T]:
    """Begin an async function on the engine's loop; cancelling the future cancels it."""
    return get_portal().start_task_soon(function, *args)


def loop() -> asyncio.AbstractEventLoop:
    """The engine's event loop, for `call_soon_threadsafe`; the thread is started if need be."""
    global _loop
    if _loop is None or _loop.is_closed():
        _loop = get_portal().call(_current_loop)
    return _loop


def post(function: Callable[..., Coroutine[Any, Any, Any]], *args: Any) -> None:
    """Begin an async function on the engine's loop, from any thread, the engine's own included; nobody waits for it."""
    engine = loop()

    def begin() -> None:
        task = engine.create_task(function(*args))
        _posted.add(task)  # the loop itself keeps tasks only weakly
        task.add_done_callback(_posted.discard)

    engine.call_soon_threadsafe(begin)


async def _current_loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


@atexit.register
def stop() -> None:
    """End the thread: what still runs on its loop is cancelled and has its chance to tidy up."""
    global _exit, _portal, _thread
    with _lock:
        exit, portal, _exit, _portal, _thread = _exit, _portal, None, None, None
    if exit is not None and portal is not None:
        with contextlib.suppress(RuntimeError):
            portal.call(portal.stop, True)
        exit.close()


_inherited: list[object] = []


def _forget() -> None:
    """In a forked child the thread does not exist; closing its portal, even by collecting it, would wait for ever."""
    global _exit, _portal, _thread, _lock
    _inherited.append(_exit)
    _lock, _exit, _portal, _thread = threading.Lock(), None, None, None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def _new_loop() -> asyncio.AbstractEventLoop:
    if sys.platform == "win32":
        return asyncio.ProactorEventLoop()
    return asyncio.SelectorEventLoop()
