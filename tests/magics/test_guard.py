"""The guard of the open notebook: the agent's file tools, by any spelling and under any doubt."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from claude_nb.magics.guard import NotebookGuard, told_notebook
from claude_nb.testing import ScriptedModel, Text, ToolUse
from tests.kernel.frontend import Frontend
from tests.magics.conftest import Page

NOTEBOOK = json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Page]:
    """A notebook whose front end told the kernel where its file is."""
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "open.ipynb").write_text(NOTEBOOK)
    (folder / "other.ipynb").write_text("{}")
    with ScriptedModel() as model:
        env = {**model.env(tmp_path), "JPY_SESSION_NAME": str(folder / "open.ipynb")}
        with Frontend(env=env, cwd=folder) as front:
            front.run("%load_ext claude_nb\n%config ClaudeMagics.permission_policy = 'allow'")
            yield Page(front, model, folder)


@pytest.mark.parametrize("mode", ["default", "bypassPermissions"])
def test_the_open_notebook_is_not_written_in_any_mode(opened: Page, mode: str) -> None:
    if mode == "bypassPermissions":
        cell = opened.front.execute(f"%claude mode {mode}")
        opened.front.answer_input("bypass")
        opened.done(cell)
    # A cell of it first: the CLI itself refuses to write what it has not read.
    opened.model.reply(ToolUse("Read", {"file_path": str(opened.folder / "open.ipynb")}))
    opened.model.reply(ToolUse("Write", {"file_path": str(opened.folder / "open.ipynb"), "content": "overwritten"}))
    opened.model.reply(Text("refused"))
    opened.done(opened.ask("Do it.", "-o answer", allow_stdin=False))
    assert (opened.folder / "open.ipynb").read_text() == NOTEBOOK
    told = opened.run("print(answer.tools[0].status, answer.tools[1].error)")
    assert "this notebook" in told
    assert "shell commands" in told
    write(opened, opened.folder / "new.txt")
    assert (opened.folder / "new.txt").exists()


def write(page: Page, path: Path, content: str = "overwritten", first: str | None = None) -> str:
    """One turn in which the model writes a file, after a shell command; what it was told of the last call."""
    if first:
        page.model.reply(ToolUse("Bash", {"command": first}))
    if path.exists():
        page.model.reply(ToolUse("Read", {"file_path": str(path)}))
    page.model.reply(ToolUse("Write", {"file_path": str(path), "content": content}))
    page.model.reply(Text("that was it"))
    page.done(page.ask("Do it.", "-o answer", allow_stdin=False))
    return page.run("print(answer.tools[-1].error)")


def test_what_was_saved_under_another_name_is_not_written_and_the_agents_own_notebooks_are(opened: Page) -> None:
    saved_as, other, own = (opened.folder / name for name in ("saved_as.ipynb", "other.ipynb", "own.ipynb"))
    other.write_text(NOTEBOOK)
    os.utime(other, (1_000, 1_000))
    shutil.copy2(opened.folder / "open.ipynb", saved_as)  # File > Save Notebook As
    assert "may be the notebook" in write(opened, saved_as)
    assert saved_as.read_text() == NOTEBOOK
    one, two = (NOTEBOOK + blank for blank in ("\n", "\n\n"))
    for path, content in [(other, one), (other, two), (own, one), (own, two)]:
        write(opened, path, content)
        assert path.read_text() == content
    own.write_text(NOTEBOOK)  # a page has saved it
    assert "may be the notebook" in write(opened, own)


def test_where_the_file_is_not_known_a_change_of_folder_opens_no_way_around(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    (folder / "sub").mkdir(parents=True)
    book = folder / "book.ipynb"
    book.write_text(NOTEBOOK)
    os.utime(book, (1_000, 1_000))
    with ScriptedModel() as model, Frontend(env=model.env(tmp_path), cwd=folder) as front:
        front.run("%load_ext claude_nb\n%config ClaudeMagics.permission_policy = 'allow'")
        page = Page(front, model, folder)
        assert "may be the notebook" in write(page, book, first="cd sub")
        assert "may be the notebook" in write(page, book)
        assert book.read_text() == NOTEBOOK


# -- which files


def guarded(path: str, folder: Path, told: Path | None, since: float = 1e12, **how: Any) -> bool:
    return NotebookGuard(lambda: told, folder, since).why(path, folder, **how) is not None


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The open notebook, beside an older one."""
    file = tmp_path / "Open.ipynb"
    for path, when in ((file, 2_000), (tmp_path / "other.ipynb", 1_000)):
        path.write_text(NOTEBOOK)
        os.utime(path, (when, when))
    return file


def test_links_and_spellings_of_the_open_notebook_are_seen_through(tmp_path: Path, file: Path) -> None:
    (tmp_path / "link.txt").symlink_to(file)
    (tmp_path / "hard.txt").hardlink_to(file)
    (tmp_path / "x").mkdir()
    for path in ("Open.ipynb", "./x/../Open.ipynb", str(file), "link.txt", "hard.txt"):
        assert guarded(path, tmp_path, file)
    assert guarded("../Open.ipynb", tmp_path, file, cwd=tmp_path / "x")
    assert not guarded("other.ipynb", tmp_path, file)


def test_where_the_file_is_not_known_every_notebook_of_the_folders_counts(tmp_path: Path, file: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "hard.txt").hardlink_to(file)
    for path in ("sub/any.ipynb", "ANY.IPYNB", "hard.txt", str(file)):
        assert guarded(path, tmp_path, None)
    assert guarded(str(file), tmp_path / "sub", tmp_path / "gone.ipynb")
    assert NotebookGuard(lambda: None, tmp_path).why(str(file), tmp_path / "sub")
    assert not guarded("script.py", tmp_path, None)
    assert not guarded("/elsewhere/any.ipynb", tmp_path, None)


def test_a_notebook_newer_than_the_told_one_or_than_the_kernel_counts_wherever_it_is(
    tmp_path: Path, file: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "book.ipynb"
    elsewhere.write_text(NOTEBOOK)
    for when, since, expected in (
        (3_000, 9_000, True),
        (2_000, 9_000, True),
        (1_500, 1_400, True),
        (1_500, 9_000, False),
    ):
        os.utime(elsewhere, (when, when))
        assert guarded(str(elsewhere), tmp_path, file, since) is expected


def test_a_notebook_that_was_renamed_stays_guarded_under_its_new_name(tmp_path: Path, file: Path) -> None:
    assert not guarded("renamed.ipynb", tmp_path, file)
    file.rename(tmp_path / "renamed.ipynb")
    assert guarded("renamed.ipynb", tmp_path, file)


def test_only_a_whole_path_of_a_notebook_tells_which_one_is_open(tmp_path: Path) -> None:
    book = str(tmp_path / "book.ipynb")
    assert told_notebook({}, {"JPY_SESSION_NAME": book}) == Path(book)
    assert told_notebook({"__vsc_ipynb_file__": book}, {"JPY_SESSION_NAME": "/other.ipynb"}) == Path(book)
    assert told_notebook({"__vsc_ipynb_file__": 1}, {"JPY_SESSION_NAME": "book.ipynb"}) is None
