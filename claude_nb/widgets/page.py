"""What the page shows of a turn, as plain data: the fold of all operations sent so far.

Pure. Above: `patch` folds what it sends, so that it can send the whole again. Below: the standard library. The twin of
`js/src/store.ts`; both replay `tests/golden/*.json`.

An operation is a list: its name, then its arguments.

| operation | what it does |
|---|---|
| `["add", key, parent, kind, after]` | a block appears under `parent` (None: at the top level), right behind its \
sibling `after` (None: behind them all) |
| `["set", key, html]` | the block's own HTML becomes this; appended pieces and the tail are gone |
| `["app", key, html]` | a finished piece of Markdown is appended; the tail is emptied |
| `["tail", key, html]` | the open tail becomes this |
| `["txt", key, text]` | plain text goes on at the very end of the block |
| `["card", key, data]` | the block is an open question; a `set` takes its card away |
| `["status", html, seconds]` | the running line (empty: nothing runs) and how long the turn has run |
| `["end", html]` | the footer |
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

Op = list[Any]


@dataclass(slots=True)
class PageBlock:
    """One block on the page: `html` is its own and what was appended, then come the open `tail` and plain `text`."""

    parent: str | None
    kind: str
    html: str = ""
    tail: str = ""
    text: str = ""


@dataclass(slots=True)
class Page:
    """Everything on the page."""

    blocks: dict[str, PageBlock] = field(default_factory=dict)
    status: str = ""
    seconds: float = 0
    end: str = ""
    cards: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Open questions, by the key of their block."""

    def apply(self, ops: Iterable[Op]) -> None:
        """Fold operations in. One for a block that is not there raises KeyError: ours are always in order."""
        for name, *args in ops:
            match name:
                case "add":
                    key, parent, kind, after = args
                    self._insert(key, PageBlock(parent, kind), after)
                case "status":
                    self.status, self.seconds = args
                case "end":
                    (self.end,) = args
                case "card":
                    key, data = args
                    self.cards[key] = data
                case _:
                    key, content = args
                    self.cards.pop(key, None)
                    _fold(self.blocks[key], name, content)

    def _insert(self, key: str, block: PageBlock, after: str | None) -> None:
        self.blocks[key] = block
        if after is not None:
            # A dict has no place in the middle: what stands behind moves to the end, in order.
            known = list(self.blocks)
            for later in known[known.index(after) + 1 : -1]:
                self.blocks[later] = self.blocks.pop(later)

    def ops(self) -> list[Op]:
        """The operations that build this page from nothing."""
        ops: list[Op] = []
        for key, block in self.blocks.items():
            ops.append(["add", key, block.parent, block.kind, None])
            parts = (("set", block.html), ("tail", block.tail), ("txt", block.text))
            ops += [[name, key, content] for name, content in parts if content]
            if key in self.cards:
                ops.append(["card", key, self.cards[key]])
        return [*ops, ["status", self.status, self.seconds], ["end", self.end]]


def _fold(block: PageBlock, name: str, content: str) -> None:
    match name:
        case "set":
            block.html, block.tail, block.text = content, "", ""
        case "app":
            block.html, block.tail, block.text = block.html + content, "", ""
        case "tail":
            block.tail, block.text = content, ""
        case "txt":
            block.text += content
        case _:
            raise ValueError(f"unknown operation {name!r}")
