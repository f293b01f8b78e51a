"""The pump: work for the main thread, done there while a cell waits for its turn to end.

Layer 3. Below: the comm tap, which it polls, and `idle`, which reaches the main thread between cells. Above: tools,
typed questions and displays that belong to the main thread (sqlite, matplotlib and the user's own objects live
there), and the cell that waits.

Two sides. On the engine's loop, `await pump.call(fn, ...)` runs `fn` on the main thread and brings back what it
returns or raises. On the main thread, `pump.run_until(future)` blocks a cell until the turn's future is done, and
does the calls in the meantime. When no cell waits (background turns, a client awaited in a cell), calls are done
as soon as the main thread's event loop comes round: between cells, or while a cell awaits. A cell that computes
holds them up until its end, as it holds up everything else on that thread.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import contextvars
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from claude_nb.kernel.idle import Idle, connect_idle
from claude_nb.kernel.stop import Stopper
from claude_nb.kernel.tap import Tap

T = TypeVar("T")

#: Seconds between two looks at the clock and, on kernels that need it, at the shell socket. A queued call and the
#: end of the turn wake the pump at once; only clicks on ipykernel 6 wait for the next tick.
TICK = 0.05
POLLING_TICK = 0.01
#: Exceptions that cannot travel as they are: they would end the waiting task or its whole loop, or (StopIteration)
#: never get through a future.
LOOP_BREAKERS = (SystemExit, GeneratorExit, StopIteration, asyncio.CancelledError)
#: Seconds a turn gets to end by itself after the first interrupt.
GRACE = 10.0


class CallInterrupted(RuntimeError):
    """The user interrupted the kernel while the call ran on the main thread."""


@dataclass(eq=False, slots=True)
class _Job:
    """One call: what to run, in which context, whom to tell when it was interrupted outside of a waiting cell."""

    run: Callable[[], Any]
    context: contextvars.Context | None
    on_interrupt: Callable[[], object] | None
    future: concurrent.futures.Future[Any] = field(default_factory=concurrent.futures.Future)


class Pump:
    """The main thread's queue of calls. One per process; `tap` is polled while a cell waits.

    `idle` gets `drain` called on the main thread when no cell waits; without one, calls wait for the next cell that
    waits. `Pump.connect(shell)` brings both.
    """

    def __init__(self, tap: Tap | None = None, idle: Idle | None = None):
        self.tap = tap
        self._idle = idle
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._waiting = 0

    @classmethod
    def connect(cls, shell: Any) -> Pump:
        """The pump of an IPython shell: with its kernel's tap where that works, and its way to the idle main thread."""
        kernel = getattr(shell, "kernel", None)
        return cls(Tap.install(kernel), connect_idle(shell))

    def close(self) -> None:
        """Give back what `connect` took: the tap and the way to the idle main thread. Main thread."""
        if self.tap is not None:
            self.tap.uninstall()
        if self._idle is not None:
            self._idle.close()

    # -- any thread ------------------------------------------------------------------------------

    def submit(
        self,
        fn: Callable[..., T],
        *args: Any,
        context: contextvars.Context | None = None,
        on_interrupt: Callable[[], object] | None = None,
        **kwargs: Any,
    ) -> concurrent.futures.Future[T]:
        """Queue `fn(*args, **kwargs)` for the main thread; its future comes back at once.

        `context` is the cell it belongs to (`Place.context`): prints and displays land in that cell. Without one it
        runs as part of whatever the main thread is doing. An interrupt while it runs fails it with CallInterrupted,
        and interrupts the turn: by the waiting cell, or by `on_interrupt()` if no cell waits.
        """
        job = _Job(lambda: fn(*args, **kwargs), context, on_interrupt)
        self._jobs.put(job)
        self._wake_if_idle()
        return job.future

    async def call(
        self,
        fn: Callable[..., T],
        *args: Any,
        context: contextvars.Context | None = None,
        on_interrupt: Callable[[], object] | None = None,
        **kwargs: Any,
    ) -> T:
        """Run `fn(*args, **kwargs)` on the main thread and wait for it; for tasks on an asyncio loop elsewhere.

        Returns what it returns and raises what it raises. A call that nobody waits for any more never begins, or is
        broken off, as by an interrupt (`Stopped` is raised in it).
        """
        stopper = Stopper()
        job = partial(stopper.run, partial(fn, *args, **kwargs))
        try:
            return await asyncio.wrap_future(self.submit(job, context=context, on_interrupt=on_interrupt))
        except asyncio.CancelledError:
            stopper.stop()
            raise

    def _wake_if_idle(self) -> None:
        if not self._waiting and self._idle is not None:
            self._idle.wake(self.drain)

    # -- main thread -----------------------------------------------------------------------------

    def run_until(
        self,
        future: concurrent.futures.Future[T],
        *,
        on_interrupt: Callable[[], object] | None = None,
        grace: float = GRACE,
    ) -> T:
        """Block until `future` is done, doing queued calls; returns its result or raises its exception.

        The first interrupt calls `on_interrupt()`, which asks the turn to end, and goes on waiting, `grace` seconds
        at most. A second one, or the end of that time, cancels the future and raises KeyboardInterrupt, as the first
        does where there is no `on_interrupt`. In other threads (subshells) it only waits: calls stay where they belong.
        """
        if threading.current_thread() is not threading.main_thread():
            return future.result()
        future.add_done_callback(lambda _: self._jobs.put(None))
        self._waiting += 1
        try:
            with contextlib.nullcontext() if self.tap is None else self.tap.blocked(self.submit):
                self._wait(future, on_interrupt, grace)
        except BaseException:
            future.cancel()
            raise
        finally:
            self._waiting -= 1
            if not self._jobs.empty():  # queued by someone who saw us waiting
                self._wake_if_idle()
        return future.result()

    @property
    def waiting(self) -> bool:
        """A cell waits here: what else runs on the main thread is one of its calls."""
        return self._waiting > 0

    def drain(self) -> None:
        """Do what is queued, now, on the main thread, outside of a waiting cell. Raises nothing."""
        if self._waiting:
            return  # a nested loop of the waiting cell: the cell's own loop does the calls
        with contextlib.suppress(Empty):
            while True:
                job = self._jobs.get_nowait()
                if job is not None:
                    _do_interruptibly(job)

    def _wait(
        self, future: concurrent.futures.Future[Any], on_interrupt: Callable[[], object] | None, grace: float
    ) -> None:
        deadline: float | None = None
        while True:
            try:
                while not future.done():
                    self._step()
                    if deadline is not None and time.monotonic() > deadline:
                        raise KeyboardInterrupt("the turn did not end in time after the interrupt")
                return
            except KeyboardInterrupt:
                if on_interrupt is None or deadline is not None:
                    raise
                deadline = time.monotonic() + grace
                on_interrupt()

    def _step(self) -> None:
        polling = self.tap is not None and self.tap.needs_poll
        if self.tap is not None:
            self.tap.poll()
        # A timed wait, because on Windows an untimed one cannot be interrupted.
        with contextlib.suppress(Empty):
            job = self._jobs.get(timeout=POLLING_TICK if polling else TICK)
            if job is not None:
                _do(job)


def _do(job: _Job) -> None:
    """Run a call and settle its future. Only KeyboardInterrupt comes out."""
    if not job.future.set_running_or_notify_cancel():
        return
    outcome: Any = None
    failure: BaseException = CallInterrupted("interrupted by the user")
    done = False
    try:
        # A copy, because a context can be entered only once and its own cell may be inside it right now.
        outcome = job.run() if job.context is None else job.context.copy().run(job.run)
        done = True
    except KeyboardInterrupt:
        raise
    except LOOP_BREAKERS as error:
        failure = RuntimeError(f"{type(error).__name__}: {error}")
    except BaseException as error:
        failure = error
    finally:
        if done:
            job.future.set_result(outcome)
        else:
            job.future.set_exception(failure)


def _do_interruptibly(job: _Job) -> None:
    """Run a call while no cell waits. An idle kernel ignores SIGINT, so listen to it for the time of the call."""
    if threading.current_thread() is not threading.main_thread():
        _do(job)  # a kernel embedded in another thread: signals do not come here
        return
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        _do(job)
    except KeyboardInterrupt:
        if job.on_interrupt is not None:
            job.on_interrupt()
        if callable(before) and before is not signal.default_int_handler:
            before(signal.SIGINT, None)  # a cell awaits: it gets the interrupt as well
    finally:
        signal.signal(signal.SIGINT, before)
