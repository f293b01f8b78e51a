from __future__ import annotations

import os
import subprocess
import unicodedata
from pathlib import Path

import pytest

from claude_nb.sessions.paths import (
    config_home,
    find_transcript,
    is_session_id,
    project_dirs,
    project_key_for_directory,
    worktrees,
)
from tests.sessions.transcripts import SESSION, small_talk

posix = os.name == "posix"


def key(path: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(os.path, "realpath", str)
    return project_key_for_directory(path)


# What CLI 2.1.329 named the folders of these working folders.
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/home/me/proj ä", "-home-me-proj--"),
        ("C:\\Users\\me\\proj", "C--Users-me-proj"),
        ("/tmp/emo-😀", "-tmp-emo---"),
        ("/tmp/nfd-o\u0308", "-tmp-nfd-o-"),
        ("/tmp/digits_2.0", "-tmp-digits-2-0"),
        ("/tmp/ascii٣", "-tmp-ascii-"),
    ],
)
def test_a_key_is_the_path_with_dashes_counted_in_utf16(
    path: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert key(path, monkeypatch) == expected


def test_a_long_key_is_cut_and_ends_in_the_hash_that_the_cli_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    path = "/tmp/long-" + "😀" * 20 + "q" * 100 + "/" + "r" * 80
    named = key(path, monkeypatch)
    assert len(named) == 207
    assert named.endswith("rrrrrrr-mwrurb")


def test_a_link_has_the_key_of_what_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert project_key_for_directory(tmp_path / "link") == project_key_for_directory(tmp_path / "real")


def test_transcripts_filed_under_the_composed_name_are_found_from_the_decomposed_one(
    config: Path, tmp_path: Path
) -> None:
    decomposed = tmp_path / unicodedata.normalize("NFD", "ö")
    composed = config / "projects" / project_key_for_directory(tmp_path / unicodedata.normalize("NFC", "ö"))
    composed.mkdir(parents=True)
    assert project_dirs(decomposed) == [composed]


def test_a_long_path_hashed_by_another_build_is_found_by_its_beginning(config: Path, tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 120) / ("y" * 120)
    named = project_key_for_directory(deep)
    other = config / "projects" / f"{named[:200]}-zzzzzz"
    other.mkdir(parents=True)
    assert project_dirs(deep) == [other]
    exact = config / "projects" / named
    exact.mkdir()
    assert project_dirs(deep) == [exact]


def test_a_short_path_never_matches_by_its_beginning(config: Path, tmp_path: Path) -> None:
    (config / "projects" / (project_key_for_directory(tmp_path / "proj") + "-foo")).mkdir(parents=True)
    assert project_dirs(tmp_path / "proj") == []


@pytest.mark.parametrize("bad", ["", "x", "../" + SESSION, SESSION + "\n", SESSION[:-1], SESSION + "/.."])
def test_only_a_uuid_is_a_session_id(bad: str) -> None:
    assert not is_session_id(bad)
    assert find_transcript(bad) is None


def test_an_id_in_capitals_is_a_session_id() -> None:
    assert is_session_id(SESSION.upper())


def test_an_empty_file_is_passed_over_for_the_real_one_in_a_worktree(config: Path, tmp_path: Path) -> None:
    main, tree = tmp_path / "repo", tmp_path / "tree"
    git = ("git", "-c", "user.email=a@b", "-c", "user.name=n")
    subprocess.run([*git, "init", "-q", str(main)], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "first"], cwd=main, check=True)
    subprocess.run([*git, "worktree", "add", "-q", str(tree)], cwd=main, check=True)
    assert {os.path.realpath(path) for path in worktrees(main)} == {os.path.realpath(p) for p in (main, tree)}

    small_talk().save(config, main).write_bytes(b"")
    real = small_talk().save(config, tree)
    assert find_transcript(SESSION, main) == real


def test_no_git_is_asked_outside_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*args: object, **kwargs: object) -> None:
        raise AssertionError("started a process")

    monkeypatch.setattr(subprocess, "run", never)
    assert worktrees(tmp_path) == []


def test_the_config_folder_is_what_was_asked_for_then_what_the_environment_says(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert config_home("/given") == Path("/given")
    assert config_home(env={"CLAUDE_CONFIG_DIR": "/in/env"}) == Path("/in/env")
    assert config_home() == config
    monkeypatch.delenv("CLAUDE_CONFIG_DIR")
    assert config_home() == tmp_path / "home" / ".claude"
