"""The CLI as a byte stream: started, fed, read and ended within bounds.

Layer 2. Above: `session` moves the bytes. Below: anyio, `locate`, `protocol.launch`, and `conversation.redact` for the
last words. The CLI gets a process session of its own, so that the kernel's interrupt (sent to the whole group) does not
hit it. Its error output is always read; the last of it explains what went wrong. When this process dies without a word,
the `guardian` ends the CLI.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import logging
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import AsyncIterator, Mapping
from itertools import pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
from anyio.abc import ByteReceiveStream, ByteStream, Process

from claude_nb.errors import CLIConnectionError, CLINotFoundError
from claude_nb.protocol.launch import arguments, environment, texts_within
from claude_nb.protocol.options import ClaudeAgentOptions

from .guardian import guardian
from .locate import find_cli

logger = logging.getLogger(__name__)

# Time to write the transcript after stdin was closed, then to react to a signal; seconds each.
GRACE = 5.0
# How long a CLI that is gone may be silent before its output counts as read; seconds.
SILENCE = 0.5
STDERR_LINES = 200
# Node shows the line that failed, which in a bundle may be all of it; characters.
STDERR_LINE = 2000
_CHUNK = 256 * 1024

_living: set[int] = set()


@atexit.register
def _end_the_living() -> None:
    """Whatever still runs when Python ends is told to end; nobody is left to wait for it."""
    for pid in list(_living):
        _signal(pid, signal.SIGTERM)
    if guardian is not None:
        guardian.close()


def _signal(pid: int, number: signal.Signals) -> None:
    """To the whole process group, so that the CLI's own children (shells, MCP servers) end with it."""
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            os.kill(pid, number)
        else:
            os.killpg(pid, number)


class CLIProcess(ByteStream):
    """A running CLI. Made by `start`; `stderr_tail` and `exit_code` tell how it ended."""

    def __init__(self, process: Process, options: ClaudeAgentOptions, environ: Mapping[str, str]):
        self._process = process
        self._options, self._environ = options, environ
        self._lines: deque[str] = deque(maxlen=STDERR_LINES)
        self.silent = anyio.Event()
        """Set when the error output was read to its end."""
        self.patient = True
        """`aclose` gives the CLI time to end by itself before it sends signals."""
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin, self._stdout, self._reads = process.stdin, process.stdout, 0
        _living.add(process.pid)
        if guardian is not None:
            guardian.watch(process.pid)

    @classmethod
    async def start(cls, options: ClaudeAgentOptions) -> CLIProcess:
        """Find and start the CLI. Raises `CLINotFoundError` or `CLIConnectionError` (no such cwd, not executable)."""
        trace = _trace_context()
        cwd, command, environ = await anyio.to_thread.run_sync(_prepare, options, trace, abandon_on_cancel=True)
        try:
            process = await anyio.open_process(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=cwd,
                env=environ,
                **_apart(options),
            )
        except FileNotFoundError as error:
            raise CLINotFoundError(cli_path=command[0]) from error
        except (OSError, ValueError) as error:  # ValueError: a null character in what it is given
            why = _too_long(command, environ) if getattr(error, "errno", None) == errno.E2BIG else str(error)
            raise CLIConnectionError(f"The CLI {command[0]} could not be started: {why}") from error
        logger.debug("started %s as process %s", command[0], process.pid)
        return cls(process, options, environ)

    # -- bytes --------------------------------------------------------------------------------------------------

    async def receive(self, max_bytes: int = _CHUNK) -> bytes:
        """Some bytes of stdout; raises `anyio.EndOfStream` at its end."""
        data = await self._stdout.receive(max_bytes)
        self._reads += 1
        return data

    async def end_stdout(self) -> None:
        """Once the CLI is gone, end its output, which a process that it started may hold open; to be run as a task."""
        await self._process.wait()
        reads = -1
        while reads != self._reads:
            reads = self._reads
            await anyio.sleep(SILENCE)
            await anyio.lowlevel.checkpoint()  # after a pause of the whole loop the reader comes first
        await self._stdout.aclose()

    async def send(self, item: bytes) -> None:
        """Write to stdin; raises `anyio.BrokenResourceError` when nobody reads it any more."""
        await self._stdin.send(item)

    async def send_eof(self) -> None:
        """Close stdin: the CLI finishes what it does and ends."""
        with contextlib.suppress(OSError, anyio.BrokenResourceError, anyio.ClosedResourceError):
            await self._stdin.aclose()

    # -- error output -------------------------------------------------------------------------------------------

    async def read_stderr(self) -> None:
        """Read the error output to its end, line by line; to be run as a task."""
        assert self._process.stderr is not None
        rest = b""
        async for chunk in _chunks(self._process.stderr):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._note(line)
        if rest:
            self._note(rest)
        self.silent.set()

    def _note(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").rstrip()
        self._lines.append(text)
        if self._options.stderr is not None:
            try:
                self._options.stderr(text)
            except Exception:
                logger.exception("the stderr callback failed; the session goes on")

    @property
    def stderr_tail(self) -> str:
        """The last lines of the error output, for an error: without the secrets that the CLI was given."""
        from claude_nb.conversation.redact import Redactor, looks_secret

        secrets = {
            ".".join(path): text.split()[-1]  # of `Bearer ...` the latter
            for path, text in texts_within(self._options)
            if text.split() and ("headers" in path[:-1] or looks_secret(path[-1]))
        }
        tail = Redactor(self._environ, secrets).text("\n".join(self._lines))
        return "\n".join(line if len(line) <= STDERR_LINE else f"{line[:STDERR_LINE]}…" for line in tail.split("\n"))

    # -- the end ------------------------------------------------------------------------------------------------

    @property
    def exit_code(self) -> int | None:
        """The exit code once it ended, negative for a signal; None while it runs."""
        return self._process.returncode

    async def aclose(self) -> None:
        """End the CLI: close stdin, wait, SIGTERM, wait, SIGKILL. Bounded, and not cut short by cancellation."""
        with anyio.CancelScope(shield=True):
            await self.send_eof()
            for number in (None, signal.SIGTERM, _KILL):
                if number is None and not self.patient:
                    continue
                if number is not None:
                    logger.debug("process %s does not end; sending %s", self._process.pid, number)
                    _signal(self._process.pid, number)
                with anyio.move_on_after(GRACE):
                    await self._process.wait()
                    break
            # Children of the CLI that outlived it would hold on to the user's files.
            _signal(self._process.pid, _KILL)
            _living.discard(self._process.pid)
            if guardian is not None:
                guardian.release(self._process.pid)
            for stream in (self._stdout, self._process.stderr):
                if stream is not None:
                    await _drain(stream)


async def _drain(stream: ByteReceiveStream) -> None:
    """Read to the end, which comes when the last holder of the pipe is gone, so that the loop lets go of it."""
    with anyio.move_on_after(1), contextlib.suppress(OSError):
        async for _ in _chunks(stream):
            pass
    with contextlib.suppress(OSError):
        await stream.aclose()


def _prepare(options: ClaudeAgentOptions, trace: Mapping[str, str]) -> tuple[str, list[str], dict[str, str]]:
    """Working directory, command and environment; looks at the disk, so it runs in a thread."""
    cwd = os.path.abspath(options.cwd or os.getcwd())
    if not os.path.isdir(cwd):
        raise CLIConnectionError(f"The working directory does not exist: {cwd}")
    cli = find_cli(options.cli_path, {**os.environ, **options.env})
    command = [cli, *arguments(options, lambda path: Path(cwd, path).read_text(encoding="utf-8-sig"))]
    return cwd, command, environment(options, os.environ, cwd, trace)


def _too_long(command: list[str], environ: Mapping[str, str]) -> str:
    """What a system says by E2BIG, with the name of what is longest."""
    given = {f"the variable {name}": len(value) for name, value in environ.items()}
    for flag, value in pairwise([*command[1:], ""]):
        if flag.startswith("--"):
            given[flag.partition("=")[0]] = max(len(flag), len(value))
    name, size = max(given.items(), key=itemgetter(1))
    return (
        f"it is given more than this system takes; the longest is {name} with {size:,} characters. Options that may be "
        "a path (settings, mcp_servers) can be in a file of any length."
    )


_KILL = signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL


def _apart(options: ClaudeAgentOptions) -> dict[str, Any]:
    """A process session of its own; another user only when one was asked for (Windows cannot)."""
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return apart | ({"user": options.user} if options.user else {})


async def _chunks(stream: ByteReceiveStream) -> AsyncIterator[bytes]:
    with contextlib.suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
        async for chunk in stream:
            yield chunk


def _trace_context() -> Mapping[str, str]:
    """TRACEPARENT and TRACESTATE of the running span, if the program uses OpenTelemetry."""
    if "opentelemetry.trace" not in sys.modules:
        return {}
    try:
        from opentelemetry.propagate import inject
    except ImportError:
        return {}
    carrier: dict[str, str] = {}
    inject(carrier)
    return {name.upper(): value for name, value in carrier.items() if name in ("traceparent", "tracestate")}
