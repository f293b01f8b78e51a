"""The real CLI, asked one prompt at a time, against a scripted model."""

import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from claude_nb.testing import ScriptedModel


@dataclass
class Run:
    """What one `claude -p` came to."""

    exit_code: int
    frames: list[dict[str, Any]]
    stderr: str

    @property
    def result(self) -> dict[str, Any]:
        return self.frames[-1]

    def blocks(self, kind: str) -> list[dict[str, Any]]:
        """Content blocks of one type from the finished assistant messages."""
        return [
            b for f in self.frames if f["type"] == "assistant" for b in f["message"]["content"] if b["type"] == kind
        ]


Ask = Callable[..., Run]


def find_cli() -> str:
    if found := os.environ.get("CLAUDE_CLI_PATH") or shutil.which("claude"):
        return found
    spec = importlib.util.find_spec("claude_agent_sdk")
    assert spec is not None, "no CLI: pip install 'claude-nb[cli]'"
    name = "claude.exe" if os.name == "nt" else "claude"
    return str(Path(spec.origin or "").parent / "_bundled" / name)


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel() as model:
        yield model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The working folder of the CLI."""
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def ask(model: ScriptedModel, tmp_path: Path, folder: Path) -> Ask:
    """Ask the real CLI a prompt; more arguments go to it as they are."""

    def ask(prompt: str, *arguments: str) -> Run:
        command = [find_cli(), "-p", prompt, "--output-format", "stream-json", "--verbose", *arguments]
        done = subprocess.run(
            command,
            env={**os.environ, **model.env(tmp_path)},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        frames = [json.loads(line) for line in done.stdout.splitlines()]
        return Run(done.returncode, frames, done.stderr)

    return ask


@dataclass
class Demo:
    """A running `claude-nb demo`: its folder, what it said, and the address it gave."""

    folder: Path
    said: str
    url: str
    rest: str = ""
    exit_code: int | None = None


@contextmanager
def running_demo(folder: Path, end: int = signal.SIGINT) -> Iterator[Demo]:
    """`claude-nb demo` as a user starts it, stopped with a signal and waited for."""
    command = [sys.executable, "-m", "claude_nb", "demo", "--no-browser", "--folder", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if "Ctrl-C" in line:
                break
        found = re.search(r"http://127\.0\.0\.1:\d+/lab/tree/tour\.ipynb\?token=\S+", said)
        demo = Demo(folder, said, found[0] if found else "")
        try:
            assert demo.url, said
            yield demo
        finally:
            process.send_signal(end)
            demo.rest, _ = process.communicate(timeout=40)
            demo.exit_code = process.returncode
