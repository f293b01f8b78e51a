"""The engine's private thread."""

import asyncio
import os
import subprocess
import sys
import threading

import pytest

from claude_nb.engine import portal


async def where():
    return threading.get_ident(), id(asyncio.get_running_loop())


def test_calls_run_on_one_thread_with_one_loop_that_is_not_the_callers():
    first, second = portal.call(where), portal.start(where).result(10)
    assert first == second
    assert first[0] != threading.get_ident()
    assert portal.get_portal() is portal.get_portal()


def test_it_works_while_the_caller_runs_a_loop_of_its_own():
    async def inside():
        return portal.call(where)

    assert asyncio.run(inside()) == portal.call(where)


def test_exceptions_come_back_to_the_caller():
    async def fail():
        raise ZeroDivisionError("on the other side")

    with pytest.raises(ZeroDivisionError, match="on the other side"):
        portal.call(fail)


def test_a_future_that_is_cancelled_cancels_its_task():
    cancelled = threading.Event()
    started = threading.Event()

    async def work():
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    future = portal.start(work)
    assert started.wait(10)
    future.cancel()
    assert cancelled.wait(10)


def test_a_call_from_the_engines_own_thread_is_refused_instead_of_waiting_for_itself():
    async def nested():
        portal.call(where)

    with pytest.raises(RuntimeError, match="await the function instead"):
        portal.call(nested)


def test_after_stop_a_new_thread_is_started():
    before = portal.call(where)
    portal.stop()
    assert portal.call(where)[1] != before[1]


def test_python_ends_although_work_is_under_way():
    program = """
import asyncio, threading
from claude_nb.engine import portal
started = threading.Event()
async def work():
    started.set()
    try:
        await asyncio.Event().wait()
    finally:
        print("tidied up", flush=True)
portal.start(work)
assert started.wait(10)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "tidied up\n"
    assert done.stderr == ""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_gets_a_thread_of_its_own():
    program = """
import os, threading
from claude_nb.engine import portal
async def pid():
    return os.getpid()
assert portal.call(pid) == os.getpid()
child = os.fork()
if child == 0:
    os._exit(0 if portal.call(pid) == os.getpid() else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], timeout=60, check=True)
