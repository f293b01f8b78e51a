"""`%%claude` in terminal IPython, through a pseudo-terminal: streaming text, typed answers, Ctrl-C."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

from claude_nb.testing import ScriptedModel, Text, ToolUse


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel() as model:
        yield model


@pytest.fixture
def terminal(model: ScriptedModel, tmp_path: Path) -> Iterator[Any]:
    (tmp_path / "work").mkdir()
    child = pexpect.spawn(
        sys.executable,
        ["-m", "IPython", "--no-banner", "--simple-prompt", "--no-confirm-exit"],
        env={**os.environ, **model.env(tmp_path), "IPYTHONDIR": str(tmp_path / "ipython"), "TERM": "xterm-256color"},
        cwd=str(tmp_path / "work"),
        dimensions=(40, 100),
        encoding="utf-8",
        timeout=60,
    )
    child.expect_exact("In [1]:")
    child.sendline("%load_ext claude_nb")
    child.expect_exact("In [2]:")
    yield child
    child.close(force=True)


def ask(terminal: Any, prompt: str) -> None:
    terminal.sendline(f"get_ipython().run_cell_magic('claude', '', {prompt!r})")


def test_text_streams_while_the_turn_runs(terminal: Any, model: ScriptedModel) -> None:
    gate = model.gate()
    model.reply(Text("The first paragraph.\n\n"), gate, Text("The **second** one."))
    ask(terminal, "Two paragraphs, please.")
    terminal.expect_exact("The first paragraph.")
    assert gate.reached.wait(60)
    gate.open()
    terminal.expect("The .*second.* one")
    terminal.expect_exact("In [3]:")


def test_what_is_worth_knowing_about_the_prompt_comes_first(terminal: Any, model: ScriptedModel) -> None:
    model.reply(Text("An answer."))
    ask(terminal, "See {{ nothing_of_that_name }}.")
    terminal.expect("Note: .*nothing_of_that_name")
    terminal.expect_exact("An answer.")


def test_a_permission_is_asked_for_and_typed(terminal: Any, model: ScriptedModel, tmp_path: Path) -> None:
    model.reply(ToolUse("Bash", {"command": "touch typed.txt"}))
    model.reply(Text("Made."))
    ask(terminal, "Make a file.")
    terminal.expect_exact("touch typed.txt")
    terminal.expect(r"\[y\]")
    terminal.sendline("y")
    terminal.expect_exact("Made.")
    terminal.expect_exact("In [3]:")
    assert (tmp_path / "work" / "typed.txt").exists()


def test_a_question_that_is_not_answered_in_time_is_denied_and_the_turn_goes_on(
    terminal: Any, model: ScriptedModel, tmp_path: Path
) -> None:
    terminal.sendline("%config ClaudeMagics.question_timeout = 1")
    terminal.expect_exact("In [3]:")
    model.reply(ToolUse("Bash", {"command": "touch late.txt"}))
    model.reply(Text("Then not."))
    ask(terminal, "Make a file.")
    terminal.expect_exact("Your answer")
    terminal.expect_exact("This is not asked any more.")
    terminal.expect_exact("Then not.")
    terminal.expect_exact("In [4]:")
    assert "Nobody answered in time" in str(model.requests[-1]["messages"])
    terminal.sendline("6 * 7")
    terminal.expect_exact("42")
    assert not (tmp_path / "work" / "late.txt").exists()


def test_ctrl_c_stops_the_turn_and_the_next_one_works(terminal: Any, model: ScriptedModel) -> None:
    gate = model.gate()
    model.reply(Text("Half an answer.\n\n"), gate, Text("never"))
    ask(terminal, "A long story.")
    terminal.expect_exact("Half an answer.")
    assert gate.reached.wait(60)
    terminal.sendintr()
    terminal.expect_exact("TurnInterrupted")
    terminal.expect_exact("In [3]:")
    gate.open()
    model.reply(Text("Still here."))
    ask(terminal, "Are you there?")
    terminal.expect_exact("Still here.")


def test_escape_sequences_of_the_model_do_not_reach_the_terminal(terminal: Any, model: ScriptedModel) -> None:
    model.reply(Text("a\x1b]0;owned\x07b \x1b[2Jc\n\nend of it"))
    ask(terminal, "Try to own me.")
    terminal.expect_exact("end of it")
    assert "\x1b]0;owned" not in terminal.before
    assert "\x1b[2J" not in terminal.before
