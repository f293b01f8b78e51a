"""One owner per session: two CLI processes that resume the same id would write over each other's transcript.

Above: the engine's pool takes a lock before it starts a CLI for a session, and forks if it cannot. Below: `paths`
and the system's file locks, which end with the process: a crash leaves nothing to clean up.
Lock files lie in `<config>/claude-nb/locks/`, beside the transcripts' folder, never in it.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from socket import gethostname
from types import TracebackType

from claude_nb.errors import SessionInUseError

from .paths import check_session_id, config_home

_LOCKED_BYTE = 1 << 30
"""Windows locks bytes, and a locked one cannot be read by others: one far behind the text."""

_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})

log = logging.getLogger(__name__)

if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        os.lseek(handle, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

    def _unlock(handle: int) -> None:
        os.lseek(handle, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)


class SessionLock:
    """The right to run a session. Held by one object in one process at a time, until `release` or the process ends.

    Not waiting: `acquire` succeeds at once or raises SessionInUseError. Also a context manager. Threads need no
    more care than with any object; the lock does not pass to child processes.
    """

    def __init__(self, session_id: str, *, config_dir: str | Path | None = None, env: Mapping[str, str] | None = None):
        self.session_id = check_session_id(session_id).lower()
        self.path = config_home(config_dir, env) / "claude-nb" / "locks" / f"{self.session_id}.lock"
        self._handle: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._handle is not None

    def acquire(self) -> None:
        """Take the lock; nothing happens if this object has it. Raises SessionInUseError, OSError."""
        if self._handle is not None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                self._try(handle)
                if self._is_current(handle):
                    self._sign(handle)
                    self._handle = handle
                    return
            except (BlockingIOError, PermissionError):
                raise SessionInUseError(self.session_id, self._owner()) from None
            finally:
                if self._handle is None:
                    os.close(handle)

    def release(self) -> None:
        """Give the lock back; nothing happens if this object does not have it."""
        if self._handle is None:
            return
        handle, self._handle = self._handle, None
        try:
            if sys.platform != "win32":
                self.path.unlink(missing_ok=True)  # while locked: nobody can be in between
            _unlock(handle)
        finally:
            os.close(handle)
        if sys.platform == "win32":
            try:
                self.path.unlink(missing_ok=True)
            except OSError:  # the next owner has it open already, and it is theirs now
                return

    def _try(self, handle: int) -> None:
        try:
            _lock(handle)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            log.warning("%s is on a file system without locks: session not guarded", self.path.parent)

    def _is_current(self, handle: int) -> bool:
        """Whether the locked file is still the one at the path: its last owner may have removed it meanwhile."""
        try:
            return os.path.samestat(os.fstat(handle), os.stat(self.path))
        except FileNotFoundError:
            return False

    def _sign(self, handle: int) -> None:
        os.ftruncate(handle, 0)
        os.lseek(handle, 0, os.SEEK_SET)
        os.write(handle, json.dumps({"pid": os.getpid(), "host": gethostname()}).encode())

    def _owner(self) -> str:
        """Who holds the lock, in words."""
        try:
            owner = json.loads(self.path.read_bytes())
            pid, host = owner["pid"], owner["host"]
        except (OSError, ValueError, KeyError, TypeError):
            return "another process"
        if host != gethostname():
            return f"process {pid} on {host}"
        return "this process" if pid == os.getpid() else f"process {pid}"

    def __enter__(self) -> SessionLock:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
