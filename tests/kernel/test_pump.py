"""The pump alone: a thread with a loop on one side, the test's own main thread on the other."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import contextvars
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from claude_nb.kernel.pump import CallInterrupted, Pump
from claude_nb.kernel.stop import Stopped, Stopper

colour: contextvars.ContextVar[str] = contextvars.ContextVar("colour", default="none")


@pytest.fixture(scope="module")
def portal() -> Iterator[BlockingPortal]:
    with start_blocking_portal("asyncio") as portal:
        yield portal


@pytest.fixture
def run(portal: BlockingPortal) -> Callable[..., Any]:
    """Runs a turn (a coroutine function that gets the pump) while the main thread waits for it."""

    def run(turn: Callable[[Pump], Awaitable[Any]], **options: Any) -> Any:
        pump = Pump()
        return pump.run_until(portal.start_task_soon(turn, pump), **options)

    return run


def press_stop() -> None:
    """What the kernel's interrupt does: SIGINT for the main thread, whichever thread says it."""
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


async def press_stop_while_waiting(pump: Pump) -> None:
    """From a turn: once the cell is known to wait."""
    await pump.call(lambda: None)
    press_stop()


def test_calls_run_on_the_main_thread_and_bring_back_their_result(run: Callable[..., Any]) -> None:
    async def turn(pump: Pump) -> Any:
        return await pump.call(lambda a, b: (threading.current_thread(), a + b), 1, b=2)

    assert run(turn) == (threading.main_thread(), 3)


def test_what_a_call_raises_is_raised_where_it_was_awaited(run: Callable[..., Any]) -> None:
    async def turn(pump: Pump) -> str:
        with pytest.raises(ZeroDivisionError):
            await pump.call(lambda: 1 // 0)
        return "went on"

    assert run(turn) == "went on"


@pytest.mark.parametrize("error", [SystemExit, StopIteration, asyncio.CancelledError, GeneratorExit])
def test_exceptions_that_would_break_the_loop_arrive_as_ordinary_ones(
    run: Callable[..., Any], error: type[BaseException]
) -> None:
    def fails() -> None:
        raise error("x")

    async def turn(pump: Pump) -> str:
        with pytest.raises(RuntimeError, match=error.__name__):
            await pump.call(fails)
        return "went on"

    assert run(turn) == "went on"


def test_what_the_turn_raises_is_raised_in_the_cell(run: Callable[..., Any]) -> None:
    async def turn(pump: Pump) -> None:
        raise LookupError("the turn failed")

    with pytest.raises(LookupError, match="the turn failed"):
        run(turn)


def test_a_call_runs_in_the_context_of_its_own_cell(run: Callable[..., Any]) -> None:
    def context_with(value: str) -> contextvars.Context:
        context = contextvars.copy_context()
        context.run(colour.set, value)
        return context

    async def turn(pump: Pump) -> list[str]:
        blue = context_with("blue")
        return [await pump.call(colour.get, context=blue), await pump.call(colour.get)]

    colour.set("cell's own")
    assert run(turn) == ["blue", "cell's own"]


def test_the_end_of_the_turn_wakes_the_cell_at_once(run: Callable[..., Any], monkeypatch: Any) -> None:
    monkeypatch.setattr("claude_nb.kernel.pump.TICK", 30.0)

    async def turn(pump: Pump) -> str:
        await pump.call(lambda: None)
        return "ended"

    started = time.monotonic()
    assert run(turn) == "ended"
    assert time.monotonic() - started < 5


def test_the_first_interrupt_asks_the_turn_to_end_and_keeps_its_result(portal: BlockingPortal) -> None:
    pump, asked = Pump(), threading.Event()

    async def turn() -> str:
        await press_stop_while_waiting(pump)
        assert await asyncio.to_thread(asked.wait, 10)
        return await pump.call(lambda: "partial answer")  # calls are still done after the interrupt

    assert pump.run_until(portal.start_task_soon(turn), on_interrupt=asked.set) == "partial answer"


def endless_turn(pump: Pump, ended: threading.Event) -> Callable[[], Awaitable[None]]:
    async def turn() -> None:
        try:
            await press_stop_while_waiting(pump)
            await asyncio.sleep(60)
        finally:
            ended.set()

    return turn


def test_the_second_interrupt_cancels_the_turn(portal: BlockingPortal) -> None:
    pump, ended = Pump(), threading.Event()
    future = portal.start_task_soon(endless_turn(pump, ended))
    with pytest.raises(KeyboardInterrupt):
        pump.run_until(future, on_interrupt=press_stop)
    assert future.cancelled()
    assert ended.wait(10)


def test_a_turn_that_does_not_end_in_time_after_an_interrupt_is_cancelled(portal: BlockingPortal) -> None:
    pump, ended = Pump(), threading.Event()
    future = portal.start_task_soon(endless_turn(pump, ended))
    with pytest.raises(KeyboardInterrupt, match="did not end in time"):
        pump.run_until(future, on_interrupt=lambda: None, grace=0.05)
    assert future.cancelled()
    assert ended.wait(10)


def test_without_a_way_to_stop_softly_the_first_interrupt_cancels(portal: BlockingPortal) -> None:
    pump, ended = Pump(), threading.Event()
    future = portal.start_task_soon(endless_turn(pump, ended))
    with pytest.raises(KeyboardInterrupt):
        pump.run_until(future)
    assert future.cancelled()
    assert ended.wait(10)


def test_an_interrupt_inside_a_call_fails_the_call_and_stops_the_turn(portal: BlockingPortal) -> None:
    pump, asked = Pump(), threading.Event()

    async def turn() -> str:
        with pytest.raises(CallInterrupted):
            await pump.call(press_stop)
        assert await asyncio.to_thread(asked.wait, 10)
        return "stopped"

    assert pump.run_until(portal.start_task_soon(turn), on_interrupt=asked.set) == "stopped"


def test_a_call_cancelled_before_it_began_never_runs(portal: BlockingPortal) -> None:
    pump, ran = Pump(), []
    pump.submit(ran.append, "cancelled").cancel()
    kept = pump.submit(ran.append, "kept")
    pump.run_until(kept)
    assert ran == ["kept"]


def test_a_call_may_itself_wait_for_a_turn(portal: BlockingPortal) -> None:
    pump = Pump()

    async def inner() -> str:
        return await pump.call(lambda: "inner " + threading.current_thread().name)

    def tool() -> str:
        return pump.run_until(portal.start_task_soon(inner)) + "!"

    async def outer() -> str:
        return await pump.call(tool)

    assert pump.run_until(portal.start_task_soon(outer)) == "inner MainThread!"


def test_in_another_thread_it_waits_and_leaves_the_calls_to_the_main_thread(portal: BlockingPortal) -> None:
    pump = Pump()

    async def turn() -> str:
        return await pump.call(lambda: threading.current_thread().name)

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        elsewhere = pool.submit(lambda: pump.run_until(portal.start_task_soon(turn)))
        pump.run_until(elsewhere)
    assert elsewhere.result() == "MainThread"


def test_a_question_that_nobody_waits_for_any_more_is_broken_off(run: Callable[..., Any]) -> None:
    asked, left, ended = threading.Event(), threading.Event(), []

    def question() -> None:
        asked.set()
        try:
            left.wait(20)
        except BaseException as error:
            ended.append(type(error))
            raise

    async def turn(pump: Pump) -> str:
        task = asyncio.create_task(pump.call(question))
        await asyncio.to_thread(asked.wait)
        task.cancel()
        await pump.call(int)  # the main thread is free again
        return "went on"

    before = signal.getsignal(signal.SIGINT)
    assert run(turn) == "went on"
    assert (ended, left.is_set()) == ([Stopped], False)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_signal_that_is_not_heard_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    stopper, sent, begun = Stopper(), [], threading.Event()

    def lost_at_first() -> None:
        sent.append(1)
        if len(sent) > 1:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    def question() -> None:
        begun.set()
        threading.Event().wait(60)

    monkeypatch.setattr("claude_nb.kernel.stop._interrupt_main", lost_at_first)
    threading.Thread(target=lambda: (begun.wait(), stopper.stop())).start()
    with pytest.raises(Stopped):
        stopper.run(question)
    assert len(sent) >= 2


def test_an_interrupt_of_a_question_is_the_persons(run: Callable[..., Any]) -> None:
    interrupted = threading.Event()

    async def turn(pump: Pump) -> str:
        with pytest.raises(CallInterrupted):
            await pump.call(press_stop)
        return "went on"

    assert run(turn, on_interrupt=interrupted.set) == "went on"
    assert interrupted.is_set()


def test_a_question_stopped_before_it_began_is_never_asked() -> None:
    stopper, asked = Stopper(), []
    stopper.stop()
    with pytest.raises(Stopped):
        stopper.run(lambda: asked.append(1))
    assert asked == []


def test_a_stop_at_the_very_end_of_a_question_hits_nothing_else() -> None:
    for _ in range(200):
        stopper = Stopper()
        with concurrent.futures.ThreadPoolExecutor(1) as pool, contextlib.suppress(Stopped):
            stopper.run(lambda stopper=stopper, pool=pool: pool.submit(stopper.stop) and None)


class IdleLoop:
    """Stands for a kernel's loop: keeps what it was asked to call."""

    def __init__(self) -> None:
        self.asked = concurrent.futures.Future[Callable[[], None]]()
        self.times = 0

    def wake(self, drain: Callable[[], None]) -> None:
        self.times += 1
        if not self.asked.done():
            self.asked.set_result(drain)

    def close(self) -> None:
        raise AssertionError("not closed here")


def test_while_no_cell_waits_the_main_loop_is_asked_to_do_the_calls(portal: BlockingPortal) -> None:
    idle = IdleLoop()
    pump = Pump(idle=idle)
    turn = portal.start_task_soon(lambda: pump.call(threading.current_thread))
    idle.asked.result(10)()
    assert turn.result(10) is threading.main_thread()


def test_while_a_cell_waits_nobody_else_is_asked(portal: BlockingPortal) -> None:
    idle = IdleLoop()
    pump = Pump(idle=idle)

    async def turn() -> int:
        await pump.call(int)  # from here on the cell waits
        before = idle.times
        await pump.call(int)
        return idle.times - before

    assert pump.run_until(portal.start_task_soon(turn)) == 0


def test_an_interrupt_of_an_idle_call_fails_it_and_stops_its_turn(portal: BlockingPortal) -> None:
    idle, stopped = IdleLoop(), threading.Event()
    pump = Pump(idle=idle)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in an idle kernel
    try:
        turn = portal.start_task_soon(lambda: pump.call(press_stop, on_interrupt=stopped.set))
        idle.asked.result(10)()
        with pytest.raises(CallInterrupted):
            turn.result(10)
        assert stopped.is_set()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_interrupt_of_an_idle_call_reaches_the_cell_that_awaits(portal: BlockingPortal) -> None:
    idle, told = IdleLoop(), []
    pump = Pump(idle=idle)
    before = signal.signal(signal.SIGINT, lambda *signal: told.append(signal[0]))
    try:
        turn = portal.start_task_soon(lambda: pump.call(press_stop))
        idle.asked.result(10)()
        with pytest.raises(CallInterrupted):
            turn.result(10)
        assert told == [signal.SIGINT]
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_kernel_embedded_in_another_thread_does_its_calls_there() -> None:
    pump, ran = Pump(), []
    pump.submit(lambda: ran.append(threading.current_thread().name))
    thread = threading.Thread(target=pump.drain, name="kernel's own")
    thread.start()
    thread.join(10)
    assert ran == ["kernel's own"]
