"""Reads HTML as a browser would, and says what in it could act."""

from __future__ import annotations

from html.parser import HTMLParser

from claude_nb.render.sanitize import TAGS

_VOID = {"br", "hr", "img"}
_ATTRIBUTES = {"class", "style", "title", "href", "src", "alt", "open", "rel", "target", "role", "start"}
_FORMULAS = """
    math mrow mi mn mo ms mtext mspace mfrac msqrt mroot msub msup msubsup munder mover munderover mmultiscripts
    mprescripts none mtable mtr mtd mstyle
"""
MATHML = frozenset(_FORMULAS.split())
_IN_FORMULAS = """
    accent accentunder columnalign display displaystyle fence form largeop linebreak linethickness mathvariant maxsize
    minsize movablelimits scriptlevel separator stretchy symmetric width
"""
_OF_MATHML = frozenset(_IN_FORMULAS.split())


class Page(HTMLParser):
    """Tags, attributes and text of a piece of HTML; `problems` holds what must not be there."""

    def __init__(self, html: str):
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self.problems: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        self.problems += [f"unclosed {tag}" for tag in self._open]

    @property
    def text(self) -> str:
        return "".join(self.words)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in TAGS and not (tag == "math" or (tag in MATHML and "math" in self._open)):
            self.problems.append(f"tag {tag}")
        if tag not in _VOID:
            self._open.append(tag)
        for name, value in attrs:
            self.attributes.append((tag, name, value or ""))
            self._attribute(tag, name, value or "")

    def _attribute(self, tag: str, name: str, value: str) -> None:
        if tag in MATHML:
            allowed = name in _OF_MATHML and value.replace(".", "").replace("-", "").isalnum()
        else:
            allowed = name in _ATTRIBUTES or name.startswith("aria-") or name in ("data-status", "data-level")
        if not allowed:
            self.problems.append(f"attribute {name} on {tag}")
        if name == "href" and not value.lower().startswith(("http://", "https://", "mailto:")):
            self.problems.append(f"link to {value}")
        if name == "src" and not value.startswith("data:image/"):
            self.problems.append(f"image from {value}")
        if name == "style" and any(word in value.lower() for word in ("url(", "var(", "position", "expression")):
            self.problems.append(f"style {value}")

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1] == tag:
            self._open.pop()
        elif tag not in _VOID:
            self.problems.append(f"stray end of {tag}")

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_comment(self, data: str) -> None:
        self.problems.append(f"comment {data}")
