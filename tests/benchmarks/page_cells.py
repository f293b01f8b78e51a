"""What the cells of bench_page.py run in the kernel: one text, streamed in three ways, and isolated deltas."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

from IPython.display import Markdown, display

from tests.browser import stage
from tests.browser.scripts import ARTICLE
from tests.widgets.scribe import cut

# Half of the text is dense with code, tables and lists, half is plain words: an answer as they come.
PROSE = """
The measurement was repeated five times on an idle machine, and the spread was small enough to trust the second digit.
What remains after the change is the time that the disk needs, so a cache would only help on a second run in the same
process. I left the public names as they were, because two other modules import them and nothing is gained by asking
their owners to follow.

One thing surprised me. The old code looked up the encoding of each file by reading its first line, although every
caller passes it explicitly, so the result was thrown away. Removing that lookup alone accounts for a fifth of the gain,
and it makes the function shorter by a third. If you would like to keep the check for callers outside of this project, I
can move it to the command line, where it runs once.
"""
DELTA = 5  # characters
RATE = 100  # deltas a second
END = "The end of it all."


def text(seconds: float) -> str:
    """Markdown that lasts so long at this size and rate: 20 kB for 40 s."""
    size = int(seconds * RATE * DELTA)
    whole = ARTICLE + PROSE
    return (whole * (size // len(whole) + 1))[: size - len(END) - 2] + "\n\n" + END


def face(seconds: float) -> None:
    """Our live output, replaced by the static bundle at the end."""

    async def script(actor: stage.Actor) -> None:
        actor.act("Writing")
        await actor.stream(actor.text("b1"), text(seconds), DELTA, RATE)

    _measured(lambda: stage.play(script))


def updates(seconds: float, interval: float) -> None:
    """A display that is updated with all the text so far, for each delta or once per `interval` seconds."""

    def run() -> None:
        handle = display(Markdown(""), display_id=True)
        assert handle is not None
        shown, whole = 0.0, text(seconds)
        for so_far in _paced(whole):
            if time.monotonic() - shown >= interval:
                shown = time.monotonic()
                handle.update(Markdown(so_far))
        handle.update(Markdown(whole))

    _measured(run)


def stamps(count: int, pause: float) -> None:
    """Deltas with a pause between them, each with the time at which it is written: `@milliseconds@`."""

    async def script(actor: stage.Actor) -> None:
        block = actor.text("b1")
        for _ in range(count):
            await asyncio.sleep(pause)
            actor.grow(block, [f"@{time.time() * 1000:.0f}@ "])
        await asyncio.sleep(pause)

    stage.play(script)


def _paced(whole: str) -> Iterator[str]:
    began, so_far = time.monotonic(), ""
    for count, delta in enumerate(cut(whole, DELTA), 1):
        so_far += delta
        yield so_far
        time.sleep(max(0.0, began + count / RATE - time.monotonic()))


def _measured(run: object) -> None:
    before = time.process_time()
    run()  # type: ignore[operator]
    print(f"kernel cpu {time.process_time() - before:.3f} s")
