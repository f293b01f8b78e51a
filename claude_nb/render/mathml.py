r"""Formulas of a live page as MathML, which browsers set by themselves: no MathJax reaches a widget's output.

Above: `markdown`, for the live look only. Below: latex2mathml. A saved page keeps its TeX, for the MathJax of whatever
shows it; sanitisers there would drop MathML. Untrusted TeX goes in, so what comes out is built anew from a short list
of elements and attributes: nothing that links, loads, colours, hides or overlaps. A formula that does not fit in there,
or that the library does not know, stays as it was written.
"""

from __future__ import annotations

import html
import re
import xml.etree.ElementTree as ET
from functools import lru_cache

# What `maths` made, after the sanitiser.
_FORMULA = re.compile(r'(<(?:span|div) class="cnb-maths(?:-block)?">)([^<]*)')
_DELIMITED = re.compile(r"\A\s*(\$\$|\$|\\\(|\\\[)(.+?)(?:\$\$|\$|\\\)|\\\])\s*\Z", re.DOTALL)
_DISPLAY = ("$$", "\\[")
_LONGEST = 4000
_NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"

_LEAVES = frozenset({"mi", "mn", "mo", "ms", "mtext", "mspace"})
_CONTAINERS = """
    math mrow mfrac msqrt mroot msub msup msubsup munder mover munderover mmultiscripts mprescripts none mtable mtr mtd
    mstyle
"""
_ELEMENTS = _LEAVES | frozenset(_CONTAINERS.split())
_SIZE = re.compile(r"(?:\d|\d?\.\d{1,4})em")
_WORD = re.compile(r"[a-z-]{1,30}")
# How many children an element has to have: a formula that breaks off has fewer.
_ARITY = {
    **dict.fromkeys(("mfrac", "mroot", "msub", "msup", "munder", "mover"), 2),
    **dict.fromkeys(("msubsup", "munderover"), 3),
}
_WORDS = """
    accent accentunder columnalign displaystyle fence form largeop linebreak mathvariant movablelimits separator
    stretchy symmetric
"""
_SIZES = "linethickness maxsize minsize width"
# Attribute -> what its value looks like.
_ATTRIBUTES = {
    **dict.fromkeys(_WORDS.split(), _WORD),
    **dict.fromkeys(_SIZES.split(), _SIZE),
    "scriptlevel": re.compile(r"[01]"),
}
# Environments that the library does not know by these names, and what is close to them.
_ENVIRONMENTS = {
    "aligned": "split",
    "align": "align*",
    "gather": "matrix",
    "gather*": "matrix",
    "gathered": "matrix",
    "dcases": "cases",
}
_ENVIRONMENT = re.compile(r"\\(begin|end)\{(" + "|".join(map(re.escape, _ENVIRONMENTS)) + r")\}")
_EQUATION = re.compile(r"\\(?:begin|end)\{equation\*?\}")


class _Unfit(Exception):
    """Something that is not on the list."""


def set_formulas(markup: str) -> str:
    """Sanitised HTML whose formulas are TeX -> the same with MathML in their place. Never raises on any text."""
    return _FORMULA.sub(_set, markup)


def _set(match: re.Match[str]) -> str:
    set_as = to_mathml(html.unescape(match[2]))
    return match[0] if set_as is None else match[1] + set_as


@lru_cache(maxsize=512)  # the tail of a stream is rendered many times
def to_mathml(formula: str) -> str | None:
    r"""A formula with its delimiters (`$..$`, `\[..\]` and the like) as a `<math>` element; None for a misfit."""
    from latex2mathml.converter import convert

    found = _DELIMITED.match(formula)
    if found is None or len(formula) > _LONGEST:
        return None
    tex = _EQUATION.sub("", found[2])
    tex = _ENVIRONMENT.sub(lambda m: f"\\{m[1]}{{{_ENVIRONMENTS[m[2]]}}}", tex)
    try:
        made = ET.fromstring(convert(tex))  # noqa: S314 - the library's own output, a few kB, without a doctype
        return "".join(_written(made, "block" if found[1] in _DISPLAY else ""))
    except Exception:  # the library's many, a RecursionError, XML that is none, _Unfit
        return None


def _written(element: ET.Element, display: str = "") -> list[str]:
    tag = element.tag.removeprefix(_NAMESPACE)
    text = (element.text or "").strip("\n")
    # A command that is not known comes out as a word with its backslash.
    if tag not in _ELEMENTS or (text and tag not in _LEAVES) or text.startswith("\\") or (element.tail or "").strip():
        raise _Unfit(tag)
    if len(element) != _ARITY.get(tag, 0 if tag in _LEAVES else len(element)):
        raise _Unfit(tag)
    attributes = {name: value for name, value in element.attrib.items() if name in _ATTRIBUTES}
    if tag == "mspace" and "width" in element.attrib and not _SIZE.fullmatch(element.attrib["width"]):
        raise _Unfit("mspace")  # wide or negative: it would tear apart, or print one thing over another
    kept = "".join(f' {name}="{v}"' for name, v in attributes.items() if _ATTRIBUTES[name].fullmatch(v))
    kept += f' display="{display}"' if display else ""
    inside = [part for child in element for part in _written(child)]
    return [f"<{tag}{kept}>", html.escape(text, quote=False), *inside, f"</{tag}>"]
