"""Going back in terminal IPython, through a pseudo-terminal: the list, a typed key, the undo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from claude_nb.testing import ScriptedModel, Text, ToolUse
from tests.magics import test_terminal

model, terminal = test_terminal.model, test_terminal.terminal


def test_a_typed_key_goes_back_and_another_undoes_it(terminal: Any, model: ScriptedModel, tmp_path: Path) -> None:
    file = tmp_path / "work" / "story.txt"
    terminal.sendline("%config ClaudeMagics.permission_policy = lambda *asked: True")
    terminal.expect_exact("In [3]:")
    model.reply(ToolUse("Write", {"file_path": str(file), "content": "one\n"}))
    model.reply(Text("Begun."))
    test_terminal.ask(terminal, "Begin a story.")
    terminal.expect_exact("In [4]:")
    terminal.sendline("%claude checkpoints")
    terminal.expect_exact("“Begin a story.”")
    terminal.expect_exact("story.txt −1")
    terminal.expect_exact("In [5]:")
    terminal.sendline("%claude rewind 1")
    terminal.expect_exact("never mind: ")
    terminal.sendline("b")
    terminal.expect_exact("The prompt was:")
    terminal.expect_exact("In [6]:")
    assert not file.exists()
    terminal.sendline("%claude rewind --undo")
    terminal.expect_exact("never mind: ")
    terminal.sendline("u")
    terminal.expect_exact("In [7]:")
    assert file.read_text() == "one\n"
