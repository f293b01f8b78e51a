"""Our Markdown: which constructs count and what class-only HTML they become.

Above: `markdown` (whole texts and streams) and `safe` (Markdown made harmless). Below: markdown-it-py, `maths`,
`highlight`, `sanitize`. CommonMark with tables, strikethrough, task lists, bare links and TeX; raw HTML is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from .highlight import highlight
from .maths import add_maths
from .sanitize import sanitize
from .text import escape, escape_prose, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it import MarkdownIt
    from markdown_it.renderer import RendererHTML
    from markdown_it.rules_core import StateCore
    from markdown_it.token import Token
    from markdown_it.utils import EnvType, OptionsDict

_LINK = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
_TASK = re.compile(r"\[([ xX])\](?=\s)")
# Levels of nesting (two for each list in a list), so that a hostile `>>>>>>…` costs little.
_DEEPEST = 60

# Token type -> class. Other elements need none.
_CLASSES = {
    "paragraph_open": "cnb-p",
    "blockquote_open": "cnb-quote",
    "bullet_list_open": "cnb-list",
    "ordered_list_open": "cnb-list",
    "table_open": "cnb-table",
    "th_open": "cnb-th",
    "td_open": "cnb-td",
    "hr": "cnb-rule",
    "code_inline": "cnb-code",
}


def blocks(text: str, env: dict[str, Any]) -> list[str]:
    """Markdown -> the HTML of each top-level block, sanitised, with our classes.

    `text` has gone through `text.clean`. `env` carries link reference definitions from one call to the next. From a
    block that is nested too deeply on, the text is shown as it was written.
    """
    md = parser()
    found: list[str] = []
    for group in _top_level(md.parse(text, env)):
        if any(token.level >= _DEEPEST - 1 for token in group) and group[0].map:
            # The parser has silently dropped what stands deeper, and all that follows: nothing may be hidden that way.
            rest = "\n".join(text.split("\n")[group[0].map[0] :]).rstrip("\n")
            return [*found, sanitize(f'<pre class="cnb-fence"><code class="cnb-plain">{escape(rest)}\n</code></pre>\n')]
        found.append(sanitize(md.renderer.render(group, md.options, env)))
    return found


def block_starts(text: str) -> list[tuple[int, int, Token]]:
    """First line, line after the last, and opening token of each top-level block; no inline parsing."""
    tokens: list[Token] = []
    md = parser()
    md.block.parse(text, md, {}, tokens)
    return [(t.map[0], t.map[1], t) for t in tokens if t.level == 0 and t.nesting >= 0 and t.map]


def verbatim_regions(text: str) -> list[tuple[int, int, Token]]:
    """First line, line after the last, and token of what is not prose, at any depth: code and display formulas."""
    tokens: list[Token] = []
    md = parser()
    md.block.parse(text, md, {}, tokens)
    kinds = ("fence", "code_block", "maths_block")
    return [(t.map[0], t.map[1], t) for t in tokens if t.type in kinds and t.map]


def _top_level(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    start = 0
    for index, token in enumerate(tokens):
        if token.level == 0 and token.nesting <= 0:
            yield tokens[start : index + 1]
            start = index + 1


@cache
def parser() -> MarkdownIt:
    """The one parser. It holds no state between calls."""
    from markdown_it import MarkdownIt

    md = MarkdownIt("commonmark", {"html": False, "linkify": True, "maxNesting": _DEEPEST})
    md.enable(["table", "strikethrough", "linkify"])
    assert md.linkify is not None, "markdown-it-py is installed with its linkify extra"
    md.linkify.set({"fuzzy_link": False, "fuzzy_email": False, "fuzzy_ip": False})
    md.validateLink = lambda url: True  # type: ignore[method-assign]  # decided in `_links`, which keeps the text
    md.core.ruler.push("cnb", _dress_tokens)
    add_maths(md)
    for name, rule in {
        "text": _text,
        "fence": _fence,
        "code_block": _fence,
        "image": _image,
        "softbreak": _softbreak,
    }.items():
        md.add_render_rule(name, rule)
    return md


def _dress_tokens(state: StateCore) -> None:
    """Classes on elements, alignment as a class, task boxes as glyphs, links checked."""
    for index, token in enumerate(state.tokens):
        if token.type == "heading_open":
            token.attrSet("class", f"cnb-h{min(int(token.tag[1]), 4)}")
        elif token.type in _CLASSES:
            align = str(token.attrs.pop("style", "")).removeprefix("text-align:")
            extra = f" cnb-{align}" if align in ("center", "right") else ""
            token.attrSet("class", _CLASSES[token.type] + extra)
        elif token.type == "list_item_open":
            _task(state.tokens, index)
        elif token.type == "inline":
            _inline(token.children or [])


def _task(tokens: list[Token], index: int) -> None:
    """`- [x] done` -> a glyph: inputs are dropped by most sanitisers."""
    inside = tokens[index + 1 : index + 3]
    if [t.type for t in inside] != ["paragraph_open", "inline"] or not inside[1].children:
        return
    first = inside[1].children[0]
    if first.type == "text" and (box := _TASK.match(first.content)):
        first.content = ("☐" if box[1] == " " else "☑") + first.content[box.end() :]
        tokens[index].attrSet("class", "cnb-task")


def _inline(children: list[Token]) -> None:
    close_as: list[str] = []
    for index, token in enumerate(children):
        if token.type == "code_inline":
            token.attrSet("class", "cnb-code")
        elif token.type == "link_open":
            url = str(token.attrs.get("href", ""))
            # A link to a file or with another scheme would be dead or dangerous on the page: its text stays, with
            # the address as a hint. So does the hint on a link whose text is not its address.
            token.tag = "a" if _LINK.match(url) else "span"
            token.attrs = {"href": url, "class": "cnb-a"} if token.tag == "a" else {"class": "cnb-link"}
            if children[index + 1].content != url:
                token.attrs["title"] = visible(url)
            close_as.append(token.tag)
        elif token.type == "link_close":
            token.tag = close_as.pop()


def _text(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    return escape_prose(tokens[index].content)


def _softbreak(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    return "\n"


def _fence(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    token = tokens[index]
    language = (token.info.split() or [""])[0]
    code = highlight(token.content.rstrip("\n"), language)
    return f'<pre class="cnb-fence"><code class="cnb-plain">{code}\n</code></pre>\n'


def _image(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    """A link in place of the picture: loading it would tell its server who reads this, and when."""
    token = tokens[index]
    url = str(token.attrs.get("src", ""))
    label = escape_prose("🖼 " + (self.renderInlineAsText(token.children, options, env).strip() or "image"))
    if _LINK.match(url):
        return f'<a class="cnb-a" href="{escape(url)}" title="{escape(visible(url))}">{label}</a>'
    return f'<span class="cnb-link" title="{escape(visible(url[:200]))}">{label}</span>'
