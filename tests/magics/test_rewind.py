"""`%claude checkpoints` and `%claude rewind` on a real kernel with the real CLI: files, conversation, undo."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from claude_nb.testing import Text, ToolUse
from tests.kernel.frontend import Cell
from tests.magics.conftest import Page, Watched, final


@pytest.fixture
def project(page: Page, tmp_path: Path) -> Path:
    """A folder of its own for the session, where the agent may write; three prompts have been answered."""
    page.run(
        f"import os; os.chdir({str(tmp_path)!r})\nimport claude_nb\n"
        "%config ClaudeMagics.permission_policy = lambda *asked: True"
    )
    story = tmp_path / "story.txt"
    page.model.reply(ToolUse("Write", {"file_path": str(story), "content": "one\n"}))
    page.model.reply(Text("Begun."))
    page.answer("Begin a story.")
    edit = {"file_path": str(story), "old_string": "one\n", "new_string": "one\ntwo\n"}
    page.model.reply(
        ToolUse("Edit", edit), ToolUse("Write", {"file_path": str(tmp_path / "notes.txt"), "content": "n\n"})
    )
    page.model.reply(Text("Went on."))
    page.answer("Go on with it.")
    page.model.reply(Text("It is good."))
    page.answer("Is it good?")
    return tmp_path


def headless(page: Page, code: str) -> str:
    return page.run(code, allow_stdin=False)


def asked_last(page: Page) -> str:
    return json.dumps(page.model.requests[-1]["messages"])


def next_input(cell: Cell) -> str | None:
    payloads = cell.reply()["payload"]
    return next((p["text"] for p in payloads if p["source"] == "set_next_input"), None)


def test_checkpoints_lists_every_prompt_newest_last_with_what_going_back_changes(page: Page, project: Path) -> None:
    listed = headless(page, "%claude checkpoints").splitlines()
    assert [line.split()[0] for line in listed if "“" in line] == ["1", "2", "3"]
    assert "“Begin a story.”" in listed[1]
    assert "just now · notes.txt, story.txt −3" in listed[2] or "just now · story.txt, notes.txt −3" in listed[2]
    assert "−2" in listed[4]
    assert "no file changes" in listed[6]
    assert listed[7].strip() == "(current)"


def test_nothing_is_rewound_without_a_person_or_yes(page: Page, project: Path) -> None:
    reply = page.front.execute("%claude rewind 2", allow_stdin=False).reply()
    assert "--yes" in reply["evalue"]
    assert (project / "story.txt").read_text() == "one\ntwo\n"


def test_both_brings_files_back_and_the_next_prompt_goes_on_from_there(page: Page, project: Path) -> None:
    said = headless(page, "%claude rewind 2 --yes")
    assert (project / "story.txt").read_text() == "one\n"
    assert not (project / "notes.txt").exists()
    assert "kernel" in said
    assert "%%claude\nGo on with it." in said
    page.model.reply(Text("Another way."))
    page.answer("Go on in another way.")
    sent = asked_last(page)
    assert "Begin a story." in sent
    assert "Go on with it." not in sent
    assert "Is it good?" not in sent
    listed = headless(page, "%claude checkpoints")
    assert "“Go on in another way.”" in listed
    assert "“Go on with it.”" not in listed


def test_files_alone_leaves_the_conversation(page: Page, project: Path) -> None:
    headless(page, "%claude rewind 1 --files --yes")
    assert not (project / "story.txt").exists()
    page.model.reply(Text("Yes."))
    page.answer("Still there?")
    assert "Is it good?" in asked_last(page)


def test_conversation_alone_leaves_the_files_and_the_first_prompt_means_afresh(page: Page, project: Path) -> None:
    headless(page, "%claude rewind 1 --conversation --yes")
    assert (project / "story.txt").read_text() == "one\ntwo\n"
    page.model.reply(Text("Hello."))
    page.answer("Hello?")
    assert "Begin a story." not in asked_last(page)


def test_undo_brings_back_files_and_conversation(page: Page, project: Path) -> None:
    headless(page, "%claude rewind 2 --yes")
    headless(page, "%claude rewind --undo --yes")
    assert (project / "story.txt").read_text() == "one\ntwo\n"
    assert (project / "notes.txt").read_text() == "n\n"
    page.model.reply(Text("Yes."))
    page.answer("Still there?")
    assert "Is it good?" in asked_last(page)
    reply = page.front.execute("%claude rewind --undo --yes", allow_stdin=False).reply()
    assert "undone" in reply["evalue"]
