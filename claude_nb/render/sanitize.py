"""The last gate before a page: HTML through an allow-list.

Above: `markdown` and `html` send everything they made through here, before `style` dresses it. Below: nh3.
What they make is safe by construction; this holds even where that construction has a hole. No `style` and no
`id` passes at all: inline styles are added afterwards, from our own table.
"""

from __future__ import annotations

import re

_TAGS = """
    a b blockquote br code dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr img li ol p pre s span strong sub summary
    sup table tbody td th thead tr ul
"""
TAGS = frozenset(_TAGS.split())
_EVERYWHERE = {"class", "title", "aria-hidden", "aria-label", "role"}
ATTRIBUTES: dict[str, set[str]] = {
    "*": _EVERYWHERE,
    "a": {"href"},
    "details": {"open", "data-status"},
    "img": {"src", "alt"},
    "ol": {"start"},
    "div": {"data-level", "data-status"},
}
SCHEMES = {"http", "https", "mailto", "data"}
_CLASSES = re.compile(r"cnb-[\w-]+(?: cnb-[\w-]+)*\Z")
_LINK = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/]+=*\Z")


def sanitize(html: str) -> str:
    """`html` with nothing left but allowed tags and attributes, our own classes, http(s)/mailto links and data images.

    Links open in a new tab that cannot reach back. Contents of script and style go with their tags.
    """
    import nh3

    return nh3.clean(
        html,
        tags=set(TAGS),
        attributes=ATTRIBUTES,
        attribute_filter=_filter,
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )


def _filter(tag: str, name: str, value: str) -> str | None:
    """The value to keep, or None to drop the attribute."""
    if name == "class":
        return value if _CLASSES.match(value) else None
    if name == "href":
        return value if _LINK.match(value) else None
    if name == "src":
        return value if _PICTURE.match(value) else None
    return value
