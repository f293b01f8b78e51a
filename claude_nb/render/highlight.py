"""Code -> HTML spans with a handful of classes, through pygments' lexers.

Above: `flavour` for fences, `html` for code in tool cards. Below: pygments (loaded late).
A dozen classes are enough to read code, keep the static look small, and every one has a measured contrast.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from .text import escape

if TYPE_CHECKING:
    from pygments.lexer import Lexer

# Lexers are regular expressions run on hostile text: beyond this size code stays plain.
LIMIT = 30_000


def highlight(code: str, language: str) -> str:
    """`code` as escaped HTML, coloured if `language` (a pygments name, any case) is known. No wrapping element."""
    lexer = _lexer(language.strip().lower()) if len(code) <= LIMIT else None
    if lexer is None:
        return escape(code)
    classes = _classes()
    parts: list[str] = []
    current = ""
    run: list[str] = []
    for kind, value in lexer.get_tokens(code):
        name = classes(kind)
        if name != current and value.strip():
            parts.append(_span("".join(run), current))
            current, run = name, []
        run.append(value)
    parts.append(_span("".join(run), current))
    return "".join(parts)


def knows(language: str) -> bool:
    """Whether code in that language gets colours."""
    return _lexer(language.strip().lower()) is not None


def _span(text: str, name: str) -> str:
    if not text:
        return ""
    return f'<span class="cnb-{name}">{escape(text)}</span>' if name else escape(text)


@lru_cache(256)  # bounded: the language is the model's word
def _lexer(language: str) -> Lexer | None:
    if not language:
        return None
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


@cache
def _classes() -> Any:
    """A cached function from a pygments token type to a class name, empty for plain text."""
    from pygments.token import Comment, Generic, Keyword, Literal, Name, Number, Operator, String

    table = [
        (Comment, "c"),
        (Keyword, "k"),
        (Operator.Word, "k"),
        (Number, "n"),
        (String, "s"),
        (Literal, "n"),
        (Name.Function, "f"),
        (Name.Class, "f"),
        (Name.Decorator, "f"),
        (Name.Tag, "k"),
        (Name.Attribute, "b"),
        (Name.Builtin, "b"),
        (Name.Exception, "b"),
        (Name.Constant, "b"),
        (Operator, "o"),
        (Generic.Deleted, "gd"),
        (Generic.Inserted, "gi"),
        (Generic.Prompt, "c"),
        (Generic.Heading, "f"),
    ]

    @cache
    def name(kind: Any) -> str:
        return next((name for parent, name in table if kind in parent), "")

    return name
