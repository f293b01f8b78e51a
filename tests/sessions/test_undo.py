"""Files as they were before a rewind, kept outside of the project."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from claude_nb.sessions import undo
from claude_nb.sessions.undo import back_up, digest


def test_a_backup_brings_back_what_changed_what_went_and_takes_away_what_came(tmp_path: Path) -> None:
    changed, gone, new = (tmp_path / name for name in ("changed", "sub/gone", "new"))
    gone.parent.mkdir()
    changed.write_bytes(b"before\r\n")
    gone.write_bytes(b"\x00\xff")
    backup = back_up(map(str, (changed, gone, new)), {}, tmp_path / "config")
    changed.write_text("after")
    gone.unlink()
    gone.parent.rmdir()
    new.write_text("came")
    assert backup.restore() == []
    assert changed.read_bytes() == b"before\r\n"
    assert gone.read_bytes() == b"\x00\xff"
    assert not new.exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no execute bit")
def test_modes_survive(tmp_path: Path) -> None:
    script = tmp_path / "run.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    backup = back_up([str(script)], {}, tmp_path / "config")
    script.unlink()
    backup.restore()
    assert script.stat().st_mode & 0o777 == 0o755


def test_what_cannot_be_restored_is_named_and_the_rest_is_restored(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("1")
    two.write_text("2")
    backup = back_up([str(one), str(two)], {}, tmp_path / "config")
    one.unlink()
    one.mkdir()
    two.write_text("changed")
    assert backup.restore() == [str(one)]
    assert two.read_text() == "2"


def test_a_person_who_looks_finds_out_which_copy_is_which(tmp_path: Path) -> None:
    file = tmp_path / "story.txt"
    file.write_text("once")
    backup = back_up([str(file)], {"prompt": "Go on."}, tmp_path / "config")
    manifest = json.loads((backup.folder / "manifest.json").read_text())
    assert manifest["prompt"] == "Go on."
    assert (backup.folder / manifest["files"][str(file)]).read_text() == "once"
    assert backup.folder.parent == tmp_path / "config" / "claude-nb" / "undo"


def test_the_newest_are_kept_within_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undo, "MOST_BACKUPS", 3)
    monkeypatch.setattr(undo, "MOST_BYTES", 10_000)
    file = tmp_path / "file"
    file.write_text("x")
    folders = [back_up([str(file)], {}, tmp_path / "config").folder for _ in range(5)]
    assert [folder.exists() for folder in folders] == [False, False, True, True, True]
    file.write_text("x" * 20_000)
    large = back_up([str(file)], {}, tmp_path / "config").folder
    assert large.exists()
    assert not any(folder.exists() for folder in folders)


def test_a_digest_tells_contents_apart_and_absence_too(tmp_path: Path) -> None:
    file = tmp_path / "file"
    assert digest(file) is None
    file.write_text("a")
    first = digest(file)
    file.write_text("b")
    assert digest(file) not in (None, first)
    file.write_text("a")
    assert digest(file) == first
