r"""TeX in Markdown: `$..$`, `$$..$$`, `\(..\)`, `\[..\]` kept as written, for the front end's MathJax to set.

Above: `flavour` adds these rules to its parser. Below: markdown-it's rule API. Without them Markdown would eat
backslashes and read `_` and `*` inside formulas as emphasis.

What counts: inline `$` opens before and closes after a non-space, and no letter or digit follows the closing one,
so `$5 and $6` and `$HOME/$USER` stay text. A display formula opens at the start of a line and runs to a line that
ends with its closing mark, or to the next blank line (TeX allows none inside): like a fence, its start alone
decides, which is what lets an answer be rendered while it streams. Formulas with commands that make links, styles
or load things become code, not formulas.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .text import escape, escape_prose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it import MarkdownIt
    from markdown_it.renderer import RendererHTML
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token
    from markdown_it.utils import EnvType, OptionsDict

# Bounded, so that openings without an end cost no more than their number.
INLINE = re.compile(
    r"\$\$[^$]{1,2000}?\$\$"
    r"|\$(?![\s$])(?:[^$\\]|\\.){0,2000}?(?<!\s)\$(?![\w$])"
    r"|\\\(.{1,2000}?\\\)"
    r"|\\\[.{1,2000}?\\\]",
    re.DOTALL,
)
_CLOSING = {"$$": "$$", "\\[": "\\]"}
UNSAFE_TEX = re.compile(r"\\(?:href|url|class|cssId|style|data|require|includegraphics|unicode|html\w*|mmlToken)\b")


def add_maths(md: MarkdownIt) -> None:
    """Teach `md` the rules and how to render what they find."""
    md.block.ruler.before("fence", "maths_block", _block, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    md.inline.ruler.before("escape", "maths", _inline)
    md.add_render_rule("maths", _render_inline)
    md.add_render_rule("maths_block", _render_block)


def _inline(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] not in "$\\":
        return False
    match = INLINE.match(state.src, state.pos, state.posMax)
    if match is None:
        return False
    if not silent:
        state.push("maths", "", 0).content = match[0]
    state.pos = match.end()
    return True


def _block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if state.is_code_block(start):
        return False
    first = _line(state, start)
    opening = first[:2]
    if opening not in _CLOSING or first.startswith("$$$"):
        return False
    closing = _CLOSING[opening]
    if closing in first[2:] and not first[2:].endswith(closing):
        return False  # a formula inside a sentence that starts with it
    if silent:
        return True
    closed = len(first) > 3 and first.endswith(closing)
    line = start
    while not closed and line + 1 < end and not state.isEmpty(line + 1) and state.sCount[line + 1] >= state.blkIndent:
        line += 1
        closed = _line(state, line).endswith(closing)
    token = state.push("maths_block", "", 0)
    token.content = state.getLines(start, line + 1, state.blkIndent, False)
    token.markup = closing if closed else ""
    token.map = [start, line + 1]
    state.line = line + 1
    return True


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].rstrip()


def _render_inline(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    tex = tokens[index].content
    if UNSAFE_TEX.search(tex):
        return f'<code class="cnb-code">{escape(tex)}</code>'
    return f'<span class="cnb-maths">{escape(tex)}</span>'


def _render_block(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    token = tokens[index]
    if UNSAFE_TEX.search(token.content):
        return f'<pre class="cnb-fence">{escape(token.content)}</pre>\n'
    if not token.markup:  # never closed: text, and MathJax must not pair it with something further down
        return f'<p class="cnb-p">{escape_prose(token.content)}</p>\n'
    return f'<div class="cnb-maths-block">{escape(token.content)}</div>\n'
