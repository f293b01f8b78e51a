"""A small process that outlives this one just long enough to end its CLIs.

Layer 2. Above: `process`. Below: the system's shell. A CLI whose stdin closes ends by itself when it is idle, but one
in mid-turn works on, with all the tools it is allowed (measured on CLI 2.1.329), and a program that is killed cannot
say goodbye. The guardian reads the ids of process groups from a pipe that only this process holds: when the pipe ends,
however that came about, it ends the groups that are still listed. It lives while there are CLIs. (PR_SET_PDEATHSIG
would not do: it fires when the starting *thread* ends, and knows only Linux.) On Windows there is no guardian.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading

# TERM first, so that the CLI writes its transcript; what does not listen is killed. `-$pid` is the whole group.
_SCRIPT = """
pids=" "
while read -r sign pid; do
  case $sign in
    +) pids="$pids$pid " ;;
    -) pids="${pids%% $pid *} ${pids#* $pid }" ;;
  esac
done
[ -n "${pids# }" ] || exit 0
for pid in $pids; do kill -TERM -$pid; done
( sleep 5; for pid in $pids; do kill -KILL -$pid; done ) &
"""


class Guardian:
    """Watches over process groups. Its methods take a few milliseconds and may be called in any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._watched: set[int] = set()

    def watch(self, pid: int) -> None:
        """End this process group if this program dies."""
        with self._lock:
            if self._process is None:
                with contextlib.suppress(OSError):  # no shell, no guardian: the CLI still sees its stdin close
                    self._process = subprocess.Popen(
                        ["/bin/sh", "-c", _SCRIPT],
                        stdin=subprocess.PIPE,
                        stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL,
                        start_new_session=True,
                    )
            self._watched.add(pid)
            self._say("+", pid)

    def release(self, pid: int) -> None:
        """The process group has ended; its id may be given to somebody else."""
        with self._lock:
            self._watched.discard(pid)
            self._say("-", pid)
            if not self._watched:
                self._close()

    def _say(self, sign: str, pid: int) -> None:
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.write(f"{sign} {pid}\n".encode())
                self._process.stdin.flush()

    def close(self) -> None:
        """This program ends: what is still listed is ended now."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.communicate()  # closes the pipe, upon which it ends at once

    def forget(self) -> None:
        """In a forked child: the guardian and the CLIs are the parent's."""
        self._lock, self._watched = threading.Lock(), set()
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            process.stdin.close()
            process.returncode = 0  # not this process's child


guardian = Guardian() if sys.platform != "win32" else None

if guardian is not None:
    os.register_at_fork(after_in_child=guardian.forget)
