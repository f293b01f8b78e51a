"""A task that belongs to nobody's task group, on asyncio and on trio.

Layer 2. Above: `session`. Below: the two event loops. A session lives from `start` to `aclose`, which users call from
whatever tasks they like, so no task group or cancel scope of ours may span the two: one background task owns them all.
The loops are imported when a session starts, not with the library.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Coroutine
from typing import Any

import anyio

# asyncio keeps only weak references to tasks.
_running: set[Any] = set()


def spawn(function: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
    """Start `function` in the running loop and return at once. It must not raise: nobody would hear of it."""
    import asyncio

    try:
        on_asyncio = asyncio.current_task() is not None
    except RuntimeError:
        on_asyncio = False
    if on_asyncio:
        task = asyncio.create_task(function(), name=name)
        _running.add(task)
        task.add_done_callback(_running.discard)
    else:
        import trio

        trio.lowlevel.spawn_system_task(function, name=name)


def is_cancelled() -> bool:
    """The running task is being cancelled, so that a cancellation it sees is not merely one of what it awaits."""
    if anyio.current_effective_deadline() == -math.inf:
        return True
    import asyncio

    try:
        task = asyncio.current_task()
    except RuntimeError:
        return False
    return task is not None and task.cancelling() > 0


def scheduler() -> Callable[[Callable[[], object]], object]:
    """A function that has the running loop call something soon; it may be used from any thread."""
    import asyncio

    try:
        return asyncio.get_running_loop().call_soon_threadsafe
    except RuntimeError:
        import trio

        return trio.lowlevel.current_trio_token().run_sync_soon
