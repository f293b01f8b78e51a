"""Markdown of the model -> safe HTML, whole or as it streams.

Above: `html`, `bundle` and the live face. Below: `flavour` (one block at a time), `stream`, `style` and `mathml` (the
two looks).

While an answer streams, each top-level block is rendered once, when it is finished (see `stream`); only the open tail
is rendered again. The finished blocks together are the HTML of the whole, with one exception that looks ahead: a link
reference used before its definition. The stream shows it as written; the whole render at the end resolves it.
"""

from __future__ import annotations

from typing import Any, Literal

from .flavour import blocks
from .mathml import set_formulas
from .safe import safe_markdown
from .stream import BlockStream
from .style import Look, dress
from .text import clean

__all__ = ["MarkdownStream", "safe_markdown", "to_html"]


def to_html(text: str, look: Look) -> str:
    """Untrusted Markdown as safe HTML in one look. Never raises on any text."""
    return _finished("".join(blocks(clean(text), {})), look)


def _finished(html: str, look: Look) -> str:
    return set_formulas(html) if look.live else dress(html, look)


class MarkdownStream:
    """Markdown in pieces -> HTML of top-level blocks, each once, in order.

    >>> stream = MarkdownStream(Look(live=True))
    >>> stream.feed("# Title\\nSome *te"), stream.tail
    (['<h1 class="cnb-h1">Title</h1>\\n'], 'Some *te')
    """

    def __init__(self, look: Look):
        self._look = look
        self._env: dict[str, Any] = {}  # link reference definitions seen so far
        self._stream = BlockStream()

    @property
    def tail(self) -> str:
        """The open text: what no finished block holds yet."""
        return self._stream.tail

    @property
    def tail_kind(self) -> Literal["fence", "text"]:
        """`fence` while the open text is a code block that still grows."""
        return self._stream.tail_kind

    def tail_html(self) -> str:
        """The open text as safe HTML, as if it ended here."""
        return "".join(self._html(self.tail, dict(self._env)))

    def feed(self, text: str) -> list[str]:
        """Take more text; the HTML of the blocks that are finished now (often none)."""
        return [html for source in self._stream.feed(text) for html in self._html(source, self._env)]

    def close(self) -> list[str]:
        """The end of the text: the HTML of all that was still open."""
        return [html for source in self._stream.close() for html in self._html(source, self._env)]

    def _html(self, source: str, env: dict[str, Any]) -> list[str]:
        return [_finished(html, self._look) for html in blocks(clean(source), env)]
