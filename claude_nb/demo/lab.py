"""`claude-nb demo`: JupyterLab on the tour, with the scripted model behind it.

Below: `place.py`, `model.py`, `scripts.py`. Above: the command line. Standard library only; JupyterLab runs as
its own process, so that Ctrl-C reaches us first and everything is stopped in order.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .model import ScriptedModel
from .place import Place
from .scripts import tour

# The server logs its address when it listens; loading JupyterLab's extensions can take long on a cold disk.
_ADDRESS: Final = re.compile(r"http://127\.0\.0\.1:(\d+)/")
START_SECONDS: Final = 90.0
STOP_SECONDS: Final = 15.0


class DemoError(Exception):
    """The demo can't run; the message says why and what to do."""


def run(*, real: bool = False, browser: bool = True, port: int = 8888, folder: Path | None = None) -> None:
    """Show the tour in JupyterLab until Ctrl-C or the server's own end.

    `folder` keeps the demo's files (default: a new temporary folder); `port` is the first one tried. Raises
    DemoError when JupyterLab is missing or does not start.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise DemoError("JupyterLab is not installed here. Install it with: pip install 'claude-nb[demo]'")
    place = Place(folder.resolve() if folder else Path(tempfile.mkdtemp(prefix="claude-nb-demo-")))
    place.prepare()
    with answering(real=real) as model, _Lab(place, place.environment(model), port) as lab:
        url = lab.wait_until_listening()
        said = "Your own account answers." if real else "A scripted model answers in this demo: no account, no key."
        print(f"{said}\n\n  {url}\n\nFiles: {place.work}\nStop with Ctrl-C.", flush=True)
        if browser:
            webbrowser.open(url)
        lab.wait_until_ended()


@contextlib.contextmanager
def answering(*, real: bool, pace: float = 0.02) -> Iterator[ScriptedModel | None]:
    """The scripted model with the tour's script, or None if the real service is to answer."""
    if real:
        yield None
    else:
        with ScriptedModel(tour(pace), name="scripted-model") as model:
            yield model


class _Lab:
    """JupyterLab as a child process. A thread copies its log to a file and looks for its address."""

    def __init__(self, place: Place, env: dict[str, str], port: int):
        self._token = secrets.token_urlsafe(24)
        self._log = place.state / "jupyterlab.log"
        self._news = threading.Event()
        self._ended = threading.Event()
        self._port: int | None = None
        command = [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
            *("--ip=127.0.0.1", f"--port={port}", f"--ServerApp.root_dir={place.work}"),
        ]
        self._process = subprocess.Popen(
            command,
            env={**env, "JUPYTER_TOKEN": self._token},  # not on the command line, where others could read it
            cwd=place.work,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=os.name != "nt",  # Ctrl-C in the terminal is ours to handle
        )
        self._reader = threading.Thread(target=self._read, name="jupyterlab-log", daemon=True)

    def __enter__(self) -> _Lab:
        self._reader.start()
        # Closing the terminal or a polite kill ends the demo the way Ctrl-C does.
        for name in ("SIGTERM", "SIGHUP"):
            if hasattr(signal, name) and threading.current_thread() is threading.main_thread():
                signal.signal(getattr(signal, name), signal.default_int_handler)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)  # it shuts its kernels down first
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(5)

    def wait_until_listening(self) -> str:
        """The address of the tour, once the server listens."""
        deadline = time.monotonic() + START_SECONDS
        self._news.wait(START_SECONDS)
        # It logs its address a moment before it listens there, and says nothing when it does.
        while self._port is not None and not self._ended.is_set() and time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), timeout=1):
                return f"http://127.0.0.1:{self._port}/lab/tree/tour.ipynb?token={self._token}"
            self._ended.wait(0.05)
        tail = self._log.read_text(encoding="utf-8", errors="replace")[-2000:] if self._log.exists() else ""
        raise DemoError(f"JupyterLab did not start. The end of its log ({self._log}):\n{tail}")

    def wait_until_ended(self) -> None:
        """Return when the server ends by itself; Ctrl-C comes out as KeyboardInterrupt."""
        # In short waits: on Windows a wait without end hears no Ctrl-C.
        while not self._ended.wait(1):
            pass

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines, self._log.open("w", encoding="utf-8") as log:
            for line in lines:
                log.write(line.replace(self._token, "<token>"))
                log.flush()
                if self._port is None and (match := _ADDRESS.search(line)):
                    self._port = int(match[1])
                    self._news.set()
        self._ended.set()
        self._news.set()
