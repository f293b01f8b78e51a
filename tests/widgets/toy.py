"""A renderer so plain that golden files do not change with the real one."""

from __future__ import annotations

from html import escape

import pytest

from claude_nb.conversation.model import Block, Text, Thinking, Tool, Turn
from claude_nb.render import Look
from claude_nb.widgets import patch


class ToyStream:
    """Markdown whose blocks end at a blank line; a block that starts with ``` is a fence."""

    def __init__(self, look: Look):
        self.tail = ""

    @property
    def tail_kind(self) -> str:
        return "fence" if self.tail.startswith("```") else "text"

    def tail_html(self) -> str:
        return self._html(self.tail) if self.tail.strip() else ""

    def feed(self, text: str) -> list[str]:
        *finished, self.tail = (self.tail + text).split("\n\n")
        return [self._html(part) for part in finished]

    def close(self) -> list[str]:
        rest, self.tail = self.tail, ""
        return [self._html(rest)] if rest else []

    def _html(self, text: str) -> str:
        tag = "pre" if text.startswith("```") else "p"
        return f"<{tag}>{escape(text)}</{tag}>"


def _block(block: Block, look: Look) -> str:
    match block:
        case Text():
            return f"<div>{escape(block.text)}</div>"
        case Thinking():
            return f"<details><summary>thinking {block.ended is None}</summary><p>{escape(block.text)}</p></details>"
        case Tool():
            said = block.result_text if block.input_done else block.input_json
            return f"<details><summary>{block.name} {block.status}</summary><pre>{escape(said)}</pre></details>"
        case _:
            return f"<p>{type(block).__name__}</p>"


def _status(turn: Turn, look: Look) -> str:
    return escape(turn.activity)


def _footer(turn: Turn, look: Look) -> str:
    return f"<p>{turn.status}</p>"


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The patcher draws with the toy renderer."""
    monkeypatch.setattr(patch, "MarkdownStream", ToyStream)
    monkeypatch.setattr(patch, "block_html", _block)
    monkeypatch.setattr(patch, "status_html", _status)
    monkeypatch.setattr(patch, "footer_html", _footer)
