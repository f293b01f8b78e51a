"""Help where people look for it: behind a question mark, and under the words that other commands use for it."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell

from claude_nb.magics import ClaudeMagics
from claude_nb.magics.cell import ARGUMENTS
from claude_nb.magics.commands import COMMANDS


@pytest.fixture(scope="module")
def magics() -> ClaudeMagics:
    return ClaudeMagics(InteractiveShell())


def test_a_question_mark_behind_the_cell_magic_shows_its_options() -> None:
    shown = str(ClaudeMagics.ask.__doc__)
    for flags, _ in ARGUMENTS:
        assert flags[-1] in shown
    assert "{{ name }}" in shown


@pytest.mark.parametrize("line", ["", "help", "--help", "-h"])
def test_every_way_to_ask_for_help_lists_all_words(
    magics: ClaudeMagics, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    magics.command(line)
    shown = capsys.readouterr().out
    assert "%%claude?" in shown
    for command in COMMANDS.values():
        assert command.about in shown
