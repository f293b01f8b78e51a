"""A turn in a terminal."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from rich.console import Console

from claude_nb.conversation.model import Change, ChangeKind, Text, Turn
from claude_nb.render.style import Look
from claude_nb.render.terminal import TerminalView

from . import samples

LOOK = Look(live=True, root=samples.ROOT)


class Screen:
    """A view on a console in memory, and what was written to it since the last look."""

    def __init__(self, *, terminal: bool = False):
        self.file = io.StringIO()
        console = Console(file=self.file, force_terminal=terminal, width=100, color_system=None, _environ={})
        self.view = TerminalView(console, LOOK)

    def new(self) -> str:
        text = self.file.getvalue()
        self.file.seek(0)
        self.file.truncate()
        return text


def grow(turn: Turn, block: Text, text: str) -> list[Change]:
    block.text += text
    return [Change(ChangeKind.GREW, turn, block, text)]


def whole(turn: Turn) -> list[Change]:
    changes = [Change(ChangeKind.OPENED, turn)]
    changes += [Change(kind, turn, b) for b in turn.blocks for kind in (ChangeKind.ADDED, ChangeKind.CLOSED)]
    return [*changes, Change(ChangeKind.ENDED, turn)]


def test_blocks_of_markdown_appear_as_soon_as_they_are_finished():
    screen = Screen()
    turn, block = Turn(id="t", status="running"), Text(key="a")
    screen.view.apply(grow(turn, block, "# Title\nSome *wor"))
    assert "Title" in screen.new()
    screen.view.apply(grow(turn, block, "ds*\n\n- a\n"))
    assert screen.new().strip() == "Some words"
    screen.view.apply([Change(ChangeKind.CLOSED, turn, block)])
    assert screen.new().strip() == "• a"


def test_nothing_is_said_twice():
    screen = Screen()
    turn = samples.rich_turn()
    screen.view.apply(whole(turn))
    text = screen.new()
    for words in ("I'll look at the loader first.", "git ls-files", "Thought for", "What I found", "Allowed once"):
        assert text.count(words) == 1


def test_changes_in_one_batch_or_one_by_one_give_the_same_text():
    one, batch = Screen(), Screen()
    changes = whole(samples.rich_turn())
    batch.view.apply(changes)
    for change in changes:
        one.view.apply([change])
    assert one.new() == batch.new()


def test_an_interrupted_turn_shows_what_there_is_and_says_so():
    screen = Screen()
    turn = samples.interrupted_turn()
    turn.blocks[1].ended = None
    screen.view.apply([Change(ChangeKind.GREW, turn, turn.blocks[1]), Change(ChangeKind.ENDED, turn)])
    assert re.search(
        r"Waiting for the\s+.*sleep 100 \(cancelled\)|sleep 100 \(cancelled\)[\s\S]*Waiting for the", screen.new()
    )


def test_raw_html_of_a_model_is_shown_and_markup_of_rich_is_not_read():
    screen = Screen()
    turn = Turn(id="t", blocks=[Text(key="a", text="<div>inside</div>\n\n[bold]loud[/bold]", ended=1.0)])
    screen.view.apply(whole(turn))
    text = screen.new()
    assert "<div>inside</div>" in text
    assert "[bold]loud[/bold]" in text


@pytest.mark.parametrize(
    "attack", ["\x1b]0;owned\x07", "\x1b[2J", "\x9b31m", "\x1b]52;c;cm0=\x1b\\", "a\rb", "\x08\x08", "\x1bc"]
)
def test_nothing_said_can_steer_the_terminal(attack: str):
    screen = Screen()
    screen.view.apply(whole(samples.hostile_turn(attack)))
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", screen.new())


def test_on_a_terminal_the_open_text_stands_below_until_it_is_finished():
    screen = Screen(terminal=True)
    turn, block = Turn(id="t", status="running", activity="Writing"), Text(key="a")
    screen.view.apply(grow(turn, block, "half a sen"))
    screen.view.pause()
    shown = screen.new()
    assert "half a sen" in shown
    assert "… Writing" in shown
    block.ended = 1.0
    screen.view.apply([Change(ChangeKind.CLOSED, turn, block), Change(ChangeKind.ENDED, turn)])
    assert "half a sen" in screen.new()
    screen.view.pause()


def test_without_a_terminal_no_line_is_ever_redrawn():
    screen = Screen()
    turn, block = Turn(id="t", status="running"), Text(key="a")
    for word in ["some", "words", "that", "stream"]:
        screen.view.apply(grow(turn, block, word + " "))
    assert screen.new() == ""


def test_costs_can_be_left_out():
    screen = Screen()
    screen.view = TerminalView(Console(file=screen.file, width=100, _environ={}), Look(live=True, show_cost=False))
    screen.view.apply(whole(samples.rich_turn()))
    assert "$0.08" not in screen.new()


def test_text_that_grows_while_it_is_drawn_is_not_lost() -> None:
    class Growing(Text):
        """The engine's thread writes between two looks of the drawing one."""

        def __getattribute__(self, name: str) -> Any:
            value = super().__getattribute__(name)
            if name == "text" and value == "the first half":
                self.text = "the first half, the second half"
            return value

    out = io.StringIO()
    view = TerminalView(Console(file=out, width=80))
    turn = Turn(id="t", status="running")
    block = Growing(key="b1", text="the first half")
    turn.blocks.append(block)
    view.apply([Change(ChangeKind.GREW, turn, block, "the first half")])
    block.ended = 1.0
    view.apply([Change(ChangeKind.CLOSED, turn, block)])
    assert "the first half, the second half" in out.getvalue()
