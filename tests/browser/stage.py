"""The kernel's side of the browser tests: a cell that plays a script of changes on a LiveFace, without any CLI.

Imported by the notebooks under test: `from tests.browser import stage; stage.play(stage.story)`. The engine's thread,
the comm tap and the pump are the real ones.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

from IPython import get_ipython
from IPython.display import display, update_display

from claude_nb.conversation.model import Text, Thinking
from claude_nb.kernel.pump import Pump
from claude_nb.render import Look, turn_bundle
from claude_nb.widgets.live import LiveFace
from tests.widgets.scribe import Scribe, cut

LIVE, STATIC = Look(live=True), Look(live=False)

_loop = asyncio.new_event_loop()
threading.Thread(target=_loop.run_forever, daemon=True, name="engine").start()


class Actor(Scribe):
    """A scribe whose audience is a face; on the engine's loop."""

    def __init__(self, face: LiveFace):
        self.stopped = asyncio.Event()
        super().__init__(face.changed, time.time)

    async def stream(self, block: Text | Thinking, text: str, size: int = 5, rate: float = 400) -> None:
        """`text` in deltas of `size` characters, `rate` a second; then the block is finished."""
        began, interval = time.monotonic(), 1 / rate
        for count, delta in enumerate(cut(text, size), 1):
            self.grow(block, [delta])
            await asyncio.sleep(max(0.0, began + count * interval - time.monotonic()))
        self.close(block)


Script = Callable[[Actor], Awaitable[None]]


def play(script: Script) -> LiveFace:
    """Show a face, run the script to its end while this cell blocks, leave the static bundle."""
    pump = Pump.connect(get_ipython())
    assert pump.tap is not None
    context = contextvars.copy_context()
    actors: list[Actor] = []

    def schedule(delay: float, fn: Callable[[], None]) -> None:
        later = (lambda: _loop.call_later(delay, fn)) if delay else fn
        _loop.call_soon_threadsafe(later, context=context)

    def said(message: dict[str, Any]) -> None:
        if message["k"] == "stop":
            actors[0].stopped.set()

    async def run() -> None:
        actors.append(Actor(face))
        await script(actors[0])
        actors[0].end("interrupted" if actors[0].stopped.is_set() else "done")

    face = LiveFace(LIVE, schedule=schedule, on_message=said)
    pump.tap.register(face.comm_id, face.receive)
    display_id = f"stage-{face.comm_id}"
    display(face.view_bundle(), raw=True, display_id=display_id)
    try:
        pump.run_until(asyncio.run_coroutine_threadsafe(run(), _loop))
    finally:
        update_display(turn_bundle(actors[0].turn, STATIC), raw=True, display_id=display_id)
        pump.tap.unregister(face.comm_id)
        face.close()
    return face


async def passed(port: int) -> None:
    """Wait until the test opens the gate with that port."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.wait_for(reader.read(), 60)
    writer.close()
