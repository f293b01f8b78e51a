"""Markdown for property tests: lines that mean something, in any order, cut anywhere."""

from __future__ import annotations

from hypothesis import strategies as st

_LINES = [
    "word",
    "two words  ",
    "",
    "",
    " ",
    "\u00a0",
    "# Title",
    "===",
    "---",
    "***",
    "- item",
    "-",
    "* other",
    "1. one",
    "2) two",
    "  indented",
    "    code",
    "\tcode",
    "  - nested",
    "> quote",
    ">",
    ">> deep",
    "```",
    "```python",
    "````",
    "  ```",
    "~~~",
    "~~~ x`y",
    "``` a`b",
    "- ```",
    "> ```",
    "| a | b |",
    "|---|:-:|",
    "a | b",
    "--- | ---",
    "$$",
    "$$ x_1",
    "$$x$$",
    "$$x$$ and more",
    "x$$",
    "$$$",
    "\\[",
    "\\]",
    "\\[ a \\]",
    "$a_1$ and $5 or $6, \\(b\\)",
    "[ref]: https://a.example/x",
    "[ref]:",
    '"title"',
    "<div>",
    "</div>",
    "<!-- c",
    "- [ ] task",
    "- [x] done",
    "*open",
    "**strong** `code` ~~gone~~",
    "[text](https://a.example) <https://b.example>",
    "https://c.example/path?q=1",
    "\\",
    "&amp; &#60;",
    "\x1b[31mred\x1b[0m",
    "a\x00b",
    "\u2028",
    "def f():\r",
]

markdown = st.lists(st.sampled_from(_LINES) | st.text(max_size=12), max_size=14).map("\n".join) | st.text(max_size=60)

# A reference used before its definition is the one thing a stream shows differently (see `markdown`).
streamable = markdown.filter(lambda text: text.count("[ref]") <= 1)


@st.composite
def pieces(draw: st.DrawFn, text: str) -> list[str]:
    """`text` cut at random places."""
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=12)))
    return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
