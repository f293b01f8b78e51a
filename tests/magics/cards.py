"""Cards as a page gets them, and clicks on them."""

from __future__ import annotations

import html
import re
import threading
import time
from typing import Any

from claude_nb.widgets.question import TOO_EARLY
from tests.magics.conftest import Watched


class Card:
    """An open question at a widget. `seen` is when it got there (monotonic)."""

    def __init__(self, watched: Watched, key: str, data: dict[str, Any]):
        self.watched, self.key, self.data = watched, key, data
        self.seen = time.monotonic()

    @property
    def id(self) -> str:
        return str(self.data["id"])

    @property
    def title(self) -> str:
        return str(self.data["title"])

    @property
    def html(self) -> str:
        return str(self.data["html"])

    @property
    def text(self) -> str:
        """What is read in the body."""
        return html.unescape(re.sub(r"<[^>]*>", "", self.html))

    def button(self, value: str) -> dict[str, Any]:
        return next(item for row in self.data["rows"] for item in row if item.get("v") == value)

    def wait_readable(self) -> None:
        """Until a click counts: that takes time by design, so time is what is waited for."""
        threading.Event().wait(max(0.0, self.seen + TOO_EARLY + 0.05 - time.monotonic()))

    def answer(self, button: str, *, sure: bool = False, **fields: Any) -> None:
        """Click a button, as soon as a click counts."""
        self.wait_readable()
        self.watched.send({"k": "answer", "id": self.id, "a": {"v": button, "f": fields, "sure": sure}})


def asked(watched: Watched, number: int = 0) -> Card:
    """The card that came as `number`-th to the widget."""
    key, data = watched.page.front.wait(lambda: (watched.cards()[number:] or [None])[0], what="a card at the widget")
    return Card(watched, key, data)
