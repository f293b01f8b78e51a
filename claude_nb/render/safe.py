r"""Markdown made harmless while it stays Markdown, for `text/markdown` in a notebook.

Above: `bundle`, through `markdown`. Below: `flavour`'s parser, for where code is.

Front ends render trusted Markdown with its raw HTML live: `<img onerror>` in an answer runs as this user (measured in
JupyterLab 4.6). Every viewer parses a little differently, so nothing here relies on agreeing with one about what is
code. In the text that leaves, `<` stands before a letter, `/`, `!` or `?` only in our own bare `<pre>`, `<code>` and
`<span>` tags; only harmless addresses follow `](` and `]:`; there is no `![`, and no TeX command that links.
Code that holds such a thing is written as `<pre><code>` or `<code>` with character references; it reads the same.
"""

from __future__ import annotations

import re

from .flavour import verbatim_regions
from .maths import INLINE, UNSAFE_TEX
from .text import clean

_TAG = re.compile(r"\\?<(?=[A-Za-z/!?])")
_AUTOLINK = re.compile(r"<((?:https?://|mailto:)[^\s<>`\\\"']*)>", re.IGNORECASE)
_IMAGE = re.compile(r"!(?=\\?\[)")
# An address that is no script: http(s), mail, or one whose first part can hold no scheme, not even an encoded one.
_HARMLESS = r"\s*+(?:https?://|mailto:|[)#/?]|[\w.~%+-]+[)#/?\s])"
_LINK = re.compile(rf"\]\((?!{_HARMLESS})", re.IGNORECASE)
_DEFINITION = re.compile(rf"\]:(?!{_HARMLESS})", re.IGNORECASE)
_RULES = [(_TAG, "&lt;"), (_IMAGE, "&#33;"), (_LINK, "]&#40;"), (_DEFINITION, "]&#58;")]
_CODE_SPAN = re.compile(r"(?<![\\`])(`+)(?!`)((?:(?!\n[ \t]*\n).){1,2000}?)(?<!`)\1(?!`)", re.DOTALL)
_MARKS = re.compile(r"[>\s*+\-\d.)]*")
_DOLLAR = re.compile(r"(?<!\\)((?:\\\\)*)\\?\$")
_NOT_PLAIN = re.compile(r"[^\w ]|_")


def safe_markdown(text: str) -> str:
    """Untrusted Markdown -> Markdown that no viewer turns into tags, scripts, unsafe links or loaded images.

    Text and harmless code are left as they are.
    """
    text = clean(text)
    lines = text.split("\n")
    out: list[str] = []
    done = 0
    for start, end, token in verbatim_regions(text):
        if start > done:
            out.append(_prose("\n".join(lines[done:start])))
        region = "\n".join(lines[start:end])
        if token.type == "maths_block":
            out.append(_plain(region) if token.markup else _prose(region))
        else:
            fenced = token.type == "fence"
            out.append(_as_pre(lines[start], token.content, fenced) if _unsafe(region) else region)
        done = end
    if done < len(lines):
        out.append(_prose("\n".join(lines[done:])))
    return "\n".join(out)


def _unsafe(text: str) -> bool:
    return any(rule.search(text) for rule, _ in _RULES) or UNSAFE_TEX.search(text) is not None


def _prose(text: str) -> str:
    parts: list[str] = []
    done = 0
    for span in _CODE_SPAN.finditer(text):
        parts.append(_text(text[done : span.start()]))
        parts.append(f"<code>{_references(span[2].strip())}</code>" if _unsafe(span[2]) else span[0])
        done = span.end()
    parts.append(_text(text[done:]))
    return "".join(parts)


def _text(text: str) -> str:
    """Prose without code; a `$` that opens no formula is set apart, or MathJax would pair it with the next."""
    parts: list[str] = []
    done = 0
    for formula in INLINE.finditer(text):
        if "\n\n" in formula[0]:
            continue
        parts += [_dollars(_plain(text[done : formula.start()])), _plain(formula[0])]
        done = formula.end()
    parts.append(_dollars(_plain(text[done:])))
    return "".join(parts)


def _dollars(text: str) -> str:
    # As a reference: JupyterLab takes formulas out before it parses, MathJax looks for them again in what it shows.
    return _DOLLAR.sub(r"\1<span>&#36;</span>", text)


def _plain(text: str) -> str:
    text = _AUTOLINK.sub(r"\1", text)
    for rule, replacement in _RULES:
        text = rule.sub(replacement, text)
    return UNSAFE_TEX.sub(lambda m: "&#92;" + m[0][1:], text)


def _as_pre(first_line: str, content: str, fenced: bool) -> str:
    """One line that every viewer shows as a code block, in the list or quote it stood in."""
    match = _MARKS.match(first_line)
    prefix = match[0] if match else ""
    if not fenced:
        prefix = prefix.removesuffix("    ")
    return f"{prefix}<pre><code>{_references(content.rstrip())}</code></pre>"


def _references(text: str) -> str:
    return _NOT_PLAIN.sub(lambda m: f"&#{ord(m[0])};", text)
