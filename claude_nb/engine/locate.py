"""Find the Claude Code CLI.

Layer 2. Above: `process` starts what is found, the `doctor` shows where was looked. Below: stdlib. Nothing is
imported or started by the search: the wheel that bundles a CLI is asked for its place only.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from claude_nb.errors import INSTALL_HINT, CLIConnectionError, CLINotFoundError

_NAME = "claude.exe" if sys.platform == "win32" else "claude"

# Where npm and the CLI's own installer put it, below the home folder unless absolute.
_USUAL_PLACES = (
    ".npm-global/bin",
    "/usr/local/bin",
    ".local/bin",
    "node_modules/.bin",
    ".yarn/bin",
    ".claude/local",
)


@dataclass(frozen=True, slots=True)
class Place:
    """A place that was looked at: `source` says why, `path` is None when the source names none."""

    source: str
    path: str | None
    exists: bool


@dataclass(frozen=True, slots=True)
class Search:
    """The outcome of a search: the first place that exists, and all that were looked at, in order."""

    found: Place | None
    looked: tuple[Place, ...]


def look_for_cli(cli_path: str | os.PathLike[str] | None = None, environ: Mapping[str, str] = os.environ) -> Search:
    """Look everywhere; an explicit `cli_path` or CLAUDE_CLI_PATH is the only place looked at when it is given."""
    looked = []
    for source, path in _candidates(cli_path, environ):
        place = Place(source, path, path is not None and os.path.isfile(path))
        looked.append(place)
        if source in ("cli_path", "CLAUDE_CLI_PATH"):
            break
    return Search(next((place for place in looked if place.exists), None), tuple(looked))


def find_cli(cli_path: str | os.PathLike[str] | None = None, environ: Mapping[str, str] = os.environ) -> str:
    """The path of the CLI. Raises `CLINotFoundError`, and `CLIConnectionError` for a batch file on Windows."""
    search = look_for_cli(cli_path, environ)
    if search.found is None or search.found.path is None:
        asked = search.looked[0]
        if asked.source in ("cli_path", "CLAUDE_CLI_PATH"):
            raise CLINotFoundError(
                f"There is no Claude Code CLI where {asked.source} says. " + INSTALL_HINT, asked.path
            )
        raise CLINotFoundError()
    path = search.found.path
    if any(part.lower().endswith((".bat", ".cmd")) for part in Path(path).parts):
        # cmd.exe would read the arguments, prompts included, as commands.
        raise CLIConnectionError(f"{path} is a batch file, which cannot be given arguments safely. {INSTALL_HINT}")
    return path


def _candidates(
    cli_path: str | os.PathLike[str] | None, environ: Mapping[str, str]
) -> Iterator[tuple[str, str | None]]:
    if cli_path is not None:
        yield "cli_path", os.path.expanduser(os.fspath(cli_path))
    if named := environ.get("CLAUDE_CLI_PATH"):
        yield "CLAUDE_CLI_PATH", os.path.expanduser(named)
    yield "PATH", shutil.which(_NAME, path=environ.get("PATH"))
    yield "the claude-agent-sdk wheel", _bundled()
    home = Path(environ.get("HOME") or Path.home())
    for place in _USUAL_PLACES:
        yield "usual places", str(home / place / _NAME)


def _bundled() -> str | None:
    try:
        spec = importlib.util.find_spec("claude_agent_sdk")
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None:
        return None
    return str(Path(spec.origin).parent / "_bundled" / _NAME)


def cli_version(path: str, timeout: float = 20.0) -> str | None:
    """The version a CLI says it has, for instance `2.1.329`; None if it says nothing within `timeout` seconds."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, timeout=timeout, check=False, text=True)
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"\d+\.\d+\.\d+\S*", done.stdout)
    return match.group() if match else None
