"""Breaking off a call that blocks the main thread, from another thread: nobody needs its answer any more.

Layer 3, below `pump`. Python has one way into a thread that waits in `input()`: a signal. SIGINT is used, because every
front end's `input()` can be interrupted by it; what the call had before is in place again when it ends, and gets the
signals that are not ours. On Windows a terminal's own `input()` hears it only when Enter is pressed.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

T = TypeVar("T")

#: Seconds until a signal that was not heard is sent again: one that comes just before the thread goes to sleep in a
#: system call does not wake it.
AGAIN = 0.2


class Stopped(BaseException):
    """The call was broken off. Not an Exception: ipykernel's `input()` swallows those."""


class Stopper:
    """One call that can be stopped, once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stopped = self._running = self._inside = self._heard = False

    def run(self, fn: Callable[[], T]) -> T:
        """Call `fn` and return what it returns; raises `Stopped` when it was stopped.

        It cannot be where signals are not Python's: in another thread than the main one (a kernel may be embedded
        there), or where the program around Python handles them.
        """
        before = signal.getsignal(signal.SIGINT)
        if before is None or threading.current_thread() is not threading.main_thread():
            return fn()

        def hear(number: int, frame: FrameType | None) -> None:
            if self._stopped:
                if self._inside and not self._heard:
                    self._heard = True
                    raise Stopped
            elif callable(before):
                before(number, frame)

        signal.signal(signal.SIGINT, hear)
        try:
            self._inside = True
            with self._lock:
                if self._stopped:
                    raise Stopped
                self._running = True
            return fn()
        finally:
            self._inside = False
            # Once we hold the lock no signal of ours is under way: one that was sent has been heard by then.
            with self._lock:
                self._running = False
            signal.signal(signal.SIGINT, before)

    def stop(self) -> None:
        """Break the call off, or keep it from beginning. Any other thread; returns at once."""
        with self._lock:
            self._stopped = True
            if self._running:
                threading.Thread(target=self._press, name="claude-nb stop", daemon=True).start()

    def _press(self) -> None:
        while True:
            with self._lock:
                if self._heard or not self._running:
                    return
                _interrupt_main()
            time.sleep(AGAIN)


def _interrupt_main() -> None:
    if hasattr(signal, "pthread_kill"):
        ident = threading.main_thread().ident
        assert ident is not None
        signal.pthread_kill(ident, signal.SIGINT)
    else:
        import _thread

        _thread.interrupt_main()
