"""Files as they were before a rewind, so that it can be undone.

Above: `rewinder`. Below: `paths` and the standard library. The copies lie outside of every project, in
`<config>/claude-nb/undo/<time>-<id>/`, with a `manifest.json` that says which is which for a person who looks there.
The newest are kept, bounded in number and bytes. All calls block on the disk.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from .paths import config_home

MOST_BACKUPS = 20
MOST_BYTES = 256 * 1024 * 1024
# Larger files are told apart by size and time: reading them would hold up what waits.
_HASHED_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Backup:
    """Copies of files in `folder`; `files` maps each path to its copy's name, None when there was no such file."""

    folder: Path
    files: Mapping[str, str | None]

    def restore(self, paths: Iterable[str] | None = None) -> list[str]:
        """Bring files (default: all) back to how they were; returns those that could not be. Raises nothing."""
        failed = []
        for path in self.files if paths is None else paths:
            try:
                self._restore(Path(path), self.files[path])
            except OSError:
                failed.append(path)
        return failed

    def _restore(self, path: Path, name: str | None) -> None:
        if name is None:
            path.unlink(missing_ok=True)
            return
        source = self.folder / name
        content = source.read_bytes()
        if path.is_file() and path.read_bytes() == content:
            return
        new = not path.exists()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)  # in place: mode, links and whoever watches the file stay
        if new:
            shutil.copymode(source, path)


def back_up(paths: Iterable[str], about: Mapping[str, object], config_dir: str | Path | None = None) -> Backup:
    """Copy files as they are now. `about` goes into the manifest. Raises OSError if a file cannot be read."""
    home = config_home(config_dir) / "claude-nb" / "undo"
    folder = home / f"{time.time_ns():020d}-{uuid4().hex[:8]}"
    folder.mkdir(parents=True, mode=0o700)
    files: dict[str, str | None] = {}
    for number, path in enumerate(paths):
        files[path] = None
        if os.path.exists(path):
            files[path] = f"{number}-{Path(path).name}"
            shutil.copy2(path, folder / f"{number}-{Path(path).name}")
    manifest = {**about, "files": files}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2, ensure_ascii=False), encoding="utf-8")
    _prune(home)
    return Backup(folder, files)


def digest(path: str | Path) -> str | None:
    """A word that changes with the content of a file; None if there is no such file, or it cannot be read."""
    try:
        status = os.stat(path)
        if status.st_size > _HASHED_BYTES:
            return f"{status.st_size}:{status.st_mtime_ns}"
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return None


def _prune(home: Path) -> None:
    """Remove the oldest backups beyond the bounds; the newest always stays."""
    left = MOST_BYTES
    for count, folder in enumerate(sorted(home.iterdir(), reverse=True)):
        left -= sum(file.stat().st_size for file in folder.iterdir())
        if count and (count >= MOST_BACKUPS or left < 0):
            shutil.rmtree(folder, ignore_errors=True)
