"""A conversation drawn: blocks and turns as HTML, Markdown and terminal text.

Layer 2, pure. Above: `widgets` send its HTML to the page, `kernel` and `chat` show its bundles. Below:
`conversation`. Data flows `view` (what a block shows, no markup) -> `html`, `terminal`, `bundle` (markup).
All text is untrusted; every string of HTML leaves through `sanitize` and gets its clothes in `style`.

Exports resolve on first use, so that `import claude_nb` loads neither a Markdown parser nor a highlighter.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .bundle import turn_bundle, turn_markdown, turn_plain
    from .html import block_html, footer_html, status_html, turn_html
    from .markdown import MarkdownStream, safe_markdown, to_html
    from .style import Look
    from .terminal import TerminalView
    from .view import title, tool_view

_HOMES = {
    "Look": "style",
    "MarkdownStream": "markdown",
    "TerminalView": "terminal",
    "block_html": "html",
    "footer_html": "html",
    "safe_markdown": "markdown",
    "status_html": "html",
    "title": "view",
    "to_html": "markdown",
    "tool_view": "view",
    "turn_bundle": "bundle",
    "turn_html": "html",
    "turn_markdown": "bundle",
    "turn_plain": "bundle",
}

__all__ = [
    "Look",
    "MarkdownStream",
    "TerminalView",
    "block_html",
    "footer_html",
    "safe_markdown",
    "status_html",
    "title",
    "to_html",
    "tool_view",
    "turn_bundle",
    "turn_html",
    "turn_markdown",
    "turn_plain",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
