from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from claude_nb.errors import SessionInUseError
from claude_nb.sessions import SessionLock
from tests.sessions.transcripts import OTHER, SESSION

HOLD = """
import sys
from claude_nb.sessions import SessionLock
with SessionLock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder() -> subprocess.Popen[str]:
    """A process that holds the lock of SESSION until its stdin is closed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, SESSION],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.communicate(timeout=20)


def test_a_session_has_one_owner_at_a_time(config: Path) -> None:
    first, second = SessionLock(SESSION), SessionLock(SESSION.upper())
    first.acquire()
    with pytest.raises(SessionInUseError, match="in use by this process") as caught:
        second.acquire()
    assert caught.value.session_id == SESSION
    assert (first.held, second.held) == (True, False)
    first.release()
    second.acquire()
    second.release()


def test_another_session_is_another_lock() -> None:
    with SessionLock(SESSION), SessionLock(OTHER):
        pass


def test_taking_and_giving_back_twice_does_no_harm() -> None:
    lock = SessionLock(SESSION)
    lock.release()
    lock.acquire()
    lock.acquire()
    lock.release()
    lock.release()
    with SessionLock(SESSION):
        pass


def test_another_process_that_holds_the_session_is_named() -> None:
    process = holder()
    try:
        with pytest.raises(SessionInUseError, match=f"process {process.pid}"):
            SessionLock(SESSION).acquire()
    finally:
        end(process)
    with SessionLock(SESSION):
        pass


def test_the_lock_of_a_killed_process_is_free() -> None:
    process = holder()
    process.kill()
    end(process)
    lock = SessionLock(SESSION)
    lock.acquire()
    assert lock.held
    lock.release()


def test_a_file_left_behind_is_no_lock() -> None:
    lock = SessionLock(SESSION)
    lock.path.parent.mkdir(parents=True)
    lock.path.write_text("garbage of an older version")
    with lock:
        pass


def test_locks_lie_beside_the_transcripts_and_leave_nothing(config: Path) -> None:
    with SessionLock(SESSION) as lock:
        assert lock.path.is_relative_to(config)
        assert not lock.path.is_relative_to(config / "projects")
        assert lock.path.exists()
    assert not lock.path.exists()


def test_only_one_of_many_threads_gets_the_session() -> None:
    owners: list[SessionLock] = []
    refused: list[SessionInUseError] = []
    start = threading.Barrier(12)

    def compete() -> None:
        lock = SessionLock(SESSION)
        start.wait(20)
        try:
            lock.acquire()
        except SessionInUseError as error:
            refused.append(error)
        else:
            owners.append(lock)

    threads = [threading.Thread(target=compete) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (len(owners), len(refused)) == (1, 11)
    owners[0].release()


def take_turns(config: str, log: str) -> None:
    """Take the lock fifty times and write down when it was had."""
    taken = 0
    while taken < 50:
        lock = SessionLock(SESSION, config_dir=config)
        try:
            lock.acquire()
        except SessionInUseError:
            continue
        handle = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(handle, b"(")
        os.write(handle, b")")
        os.close(handle)
        lock.release()
        taken += 1


def test_processes_that_take_turns_never_hold_it_together(config: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=take_turns, args=(str(config), str(log))) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert log.read_bytes() == b"()" * 150


def test_what_is_not_a_session_id_cannot_be_locked() -> None:
    with pytest.raises(ValueError, match="must be a UUID"):
        SessionLock("../x")


@pytest.mark.skipif(sys.platform == "win32", reason="flock is a matter of POSIX")
def test_a_file_system_without_locks_only_warns(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import errno
    import fcntl

    def unsupported(*args: object) -> None:
        raise OSError(errno.ENOTSUP, "not supported")

    monkeypatch.setattr(fcntl, "flock", lambda handle, how: unsupported() if how & fcntl.LOCK_EX else None)
    with SessionLock(SESSION) as lock:
        assert lock.held
    assert "without locks" in caplog.text
