"""Where transcripts live: the CLI's config folder, a project's key, a session's file.

Above: `catalog`, `change`, `mirror`, `resume` and `lock`. Below: the standard library and `git`.
Layout (protocol page 4.1, measured on CLI 2.1.329): `<config>/projects/<key>/<session id>.jsonl`, sub-agents in
`<config>/projects/<key>/<session id>/subagents/**/agent-<id>.jsonl`.
"""

from __future__ import annotations

import os
import re
import subprocess
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path

_KEY_LENGTH = 200
_SESSION_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_GIT_TIMEOUT = 5.0


def is_session_id(text: str) -> bool:
    """Whether `text` has the form of a session id (a UUID). Anything else never becomes part of a path."""
    return _SESSION_ID.fullmatch(text) is not None


def check_session_id(text: str, what: str = "session_id") -> str:
    """Return `text` if it is a UUID; raise ValueError naming `what` if not."""
    if not is_session_id(text):
        raise ValueError(f"{what} must be a UUID, got {text!r}")
    return text


def config_home(config_dir: str | Path | None = None, env: Mapping[str, str] | None = None) -> Path:
    """The CLI's config folder: `config_dir`, else `CLAUDE_CONFIG_DIR` of `env` or this process, else `~/.claude`."""
    given = config_dir or (env or {}).get("CLAUDE_CONFIG_DIR") or os.environ.get("CLAUDE_CONFIG_DIR")
    return Path(unicodedata.normalize("NFC", str(given or Path.home() / ".claude")))


def projects_dir(config_dir: str | Path | None = None, env: Mapping[str, str] | None = None) -> Path:
    """The folder that holds one folder of transcripts per project."""
    return config_home(config_dir, env) / "projects"


def project_key_for_directory(directory: str | Path | None = None) -> str:
    """The name under which sessions of `directory` (default: the current one) are kept, on disk and in stores.

    The real path with everything but ASCII letters and digits as `-`, counted in UTF-16 units as the CLI does
    (an emoji is two dashes); a key longer than 200 characters is cut there and ends in a hash of the path.
    """
    return _key(os.path.realpath(directory or os.curdir))


def _key(path: str) -> str:
    units = path.encode("utf-16-le", "surrogatepass")
    codes = [units[i] | units[i + 1] << 8 for i in range(0, len(units), 2)]
    key = "".join(chr(c) if c < 128 and chr(c).isalnum() else "-" for c in codes)
    return key if len(key) <= _KEY_LENGTH else f"{key[:_KEY_LENGTH]}-{_hash(codes)}"


def _hash(codes: list[int]) -> str:
    """The CLI's 32-bit string hash, `h * 31 + code` over UTF-16 units, as its absolute value in base 36."""
    h = 0
    for code in codes:
        h = (h * 31 + code) & 0xFFFFFFFF
    h = abs(h - 0x1_0000_0000 if h & 0x8000_0000 else h)
    digits = ""
    while h:
        h, digit = divmod(h, 36)
        digits = _BASE36[digit] + digits
    return digits or "0"


def project_dirs(directory: str | Path, config_dir: str | Path | None = None) -> list[Path]:
    """The folders of transcripts that exist for `directory`, best match first.

    The CLI takes the path as the system spells it; older ones composed it (NFC), and macOS may decompose it, so
    all three are tried. Another build of the CLI may hash a long path differently: then the part before counts.
    """
    root = projects_dir(config_dir)
    real = os.path.realpath(directory)
    keys = dict.fromkeys(_key(form) for form in (real, *(unicodedata.normalize(f, real) for f in ("NFC", "NFD"))))
    found = [path for key in keys if (path := root / key).is_dir()]
    if not found:
        stems = {key[: _KEY_LENGTH + 1] for key in keys if len(key) > _KEY_LENGTH}
        found = [path for path in _folders(root) if path.name[: _KEY_LENGTH + 1] in stems]
    return found


def _folders(root: Path) -> list[Path]:
    try:
        return sorted(path for path in root.iterdir() if path.is_dir())
    except OSError:
        return []


def worktrees(directory: str | Path) -> list[str]:
    """The git worktrees of the repository that holds `directory`; empty without git or outside a repository."""
    real = Path(os.path.realpath(directory))
    if not any((parent / ".git").exists() for parent in (real, *real.parents)):
        return []  # spares a process in most folders
    try:
        done = subprocess.run(
            ["git", "worktree", "list", "--porcelain"],
            cwd=real,
            capture_output=True,
            timeout=_GIT_TIMEOUT,
            check=True,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    lines = os.fsdecode(done.stdout).split("\n")
    return [line.removeprefix("worktree ").rstrip("\r") for line in lines if line.startswith("worktree ")]


def session_folders(
    directory: str | Path | None, config_dir: str | Path | None = None, *, include_worktrees: bool = True
) -> Iterator[tuple[Path, str | None]]:
    """Folders of transcripts to look in, each with the working folder it stands for (None if not known).

    With a directory: its own, then those of its git worktrees. Without one: those of every project.
    Lazy, so that git is asked only when the directory's own folder was not enough.
    """
    if directory is None:
        for folder in _folders(projects_dir(config_dir)):
            yield folder, None
        return
    seen: set[str] = set()
    real = os.path.realpath(directory)
    for path in (real, *(worktrees(real) if include_worktrees else ())):
        for folder in project_dirs(path, config_dir):
            if (name := os.path.normcase(folder.name)) not in seen:
                seen.add(name)
                yield folder, path


def find_transcript(
    session_id: str, directory: str | Path | None = None, config_dir: str | Path | None = None
) -> Path | None:
    """The file of a session, or None. An empty file is a placeholder: the real one may lie in another worktree."""
    if not is_session_id(session_id):
        return None
    for folder, _ in session_folders(directory, config_dir):
        path = folder / f"{session_id}.jsonl"
        try:
            if path.stat().st_size > 0:
                return path
        except OSError:
            continue
    return None
