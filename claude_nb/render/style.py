"""The two looks of one HTML: classes for a live page that has our style sheet, literal styles for a saved one.

Above: `markdown` and `html` dress what they made. Below: nothing.

A saved page loses style sheets, variables, ids and data attributes (JupyterLab's sanitiser, GitHub), and nobody
knows whether it is opened on white or on black. So the static look follows two rules: text on the page's own ground
inherits its colour and is only ever dimmed (`opacity`) or put on a translucent grey; where colours mean something
(code, diffs, errors) ground and text are both literal. `tests/render/test_style.py` measures the contrasts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(slots=True, frozen=True)
class Look:
    """How to draw: `live` for classes and data attributes, otherwise inline styles.

    `show_cost` False leaves money out of the footer. Paths below `root` (the session's folder) are shown relative.
    """

    live: bool
    show_cost: bool = True
    root: str | None = None


_LINE = "rgba(127,127,127,.3)"
_FAINT = "rgba(127,127,127,.1)"
_SOFT = "rgba(127,127,127,.16)"
_ROW = "display:block;padding:0 .8em"
_MONO = "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace"
_BOX = f"{_MONO};font-size:.86em;line-height:1.45;white-space:pre-wrap;overflow-wrap:break-word;border-radius:6px"
_CODE = "background:#f3f5f8;color:#1f2328"
_PILL = "border-radius:9px;padding:0 .6em;font-size:.9em"

# Class name (after `cnb-`) -> literal style of the static look. A class without an entry is dropped.
STYLES: dict[str, str] = {
    # Markdown
    "h1": "font-size:1.35em;font-weight:600;margin:.9em 0 .4em",
    "h2": "font-size:1.2em;font-weight:600;margin:.9em 0 .4em",
    "h3": "font-size:1.05em;font-weight:600;margin:.8em 0 .3em",
    "h4": "font-size:1em;font-weight:600;margin:.8em 0 .3em",
    "p": "margin:.5em 0",
    "list": "margin:.5em 0;padding-left:1.8em",
    "task": "list-style-type:none;margin-left:-1.2em",
    "quote": f"margin:.6em 0;padding:.1em 0 .1em .9em;border-left:3px solid {_LINE};opacity:.85",
    "rule": f"border:0;border-top:1px solid {_LINE};margin:1em 0",
    "table": "overflow-wrap:normal;border-collapse:collapse;margin:.7em 0;font-size:.95em",
    "th": f"border-bottom:2px solid {_LINE};padding:.3em .8em;text-align:left;font-weight:600",
    "td": f"border-bottom:1px solid {_LINE};padding:.3em .8em;text-align:left",
    "center": "text-align:center",
    "right": "text-align:right",
    "code": f"{_MONO};font-size:.88em;background:{_SOFT};color:inherit;border-radius:4px;padding:.1em .35em",
    "fence": f"{_BOX};{_CODE};padding:.7em .9em;margin:.6em 0;border:1px solid #d8dee4",
    # A front end that drops `inherit` (JupyterLab does, untrusted) would colour the code of a fence for its own ground.
    "plain": "background:transparent;color:#1f2328;padding:0",
    # Colours of code, on the ground of `fence`, `lit` and `diff`
    "k": "color:#a0257c",
    "s": "color:#0a5c2b",
    "n": "color:#8a4b00",
    "c": "color:#5c6672;font-style:italic",
    "f": "color:#5b37b7",
    "b": "color:#0b5394",
    "o": "color:#4a5260",
    "gi": "color:#0a5c2b",
    "gd": "color:#8c1d18",
    # Blocks of a turn
    "turn": "line-height:1.5;max-width:60em;overflow-wrap:anywhere",
    "text": "margin:.3em 0",
    "a": "color:inherit;text-decoration:underline",
    "thinking": f"margin:.4em 0;border-left:2px solid {_LINE};padding-left:.8em;opacity:.9;font-size:.93em",
    "tool": f"margin:.4em 0;border:1px solid {_LINE};border-radius:8px;background:{_FAINT};overflow:hidden",
    "kids": f"margin:.2em 0 .5em 1em;padding-left:.8em;border-left:2px solid {_LINE}",
    "head": "padding:.3em .7em;cursor:pointer;font-size:.93em",
    "fold": "cursor:pointer;opacity:.82;font-size:.93em",
    "icon": "opacity:.82",
    "name": "font-weight:600",
    "subject": f"{_MONO};font-size:.9em;background:transparent;color:inherit;overflow-wrap:break-word;padding:0",
    "preview": "opacity:.82;font-size:.92em",
    "body": "padding:0 .7em .3em",
    "label": "opacity:.82;font-size:.85em;margin:.3em 0 .1em",
    "in": f"{_BOX};background:transparent;color:inherit;margin:.3em 0;padding:0",
    "out": f"{_BOX};background:{_FAINT};color:inherit;margin:.3em 0;padding:.5em .7em",
    "lit": f"{_CODE};padding:.5em .7em;border:1px solid #d8dee4",
    "err": f"{_BOX};background:#fff1f0;color:#8c1d18;margin:.3em 0;padding:.5em .7em;border:1px solid #f0b8b4",
    "diff": f"{_BOX};{_CODE};margin:.3em 0;padding:.4em 0;border:1px solid #d8dee4",
    "same": _ROW,
    "add": f"{_ROW};background:#dafbe1;color:#0a4a1c",
    "del": f"{_ROW};background:#ffebe9;color:#7d1a14",
    "hunk": f"{_ROW};color:#5c6672",
    "more": "margin:.1em 0",
    "fields": "margin:.3em 0;font-size:.92em",
    "field": "opacity:.82",
    "checks": "margin:.3em 0;padding:0;list-style-type:none",
    "done": "opacity:.82",
    "picture": "max-width:100%;border-radius:6px;margin:.3em 0",
    "plus": f"background:#dafbe1;color:#0a4a1c;{_PILL}",
    "minus": f"background:#ffebe9;color:#7d1a14;{_PILL}",
    "status": "opacity:.82;font-size:.92em",
    "bad": f"background:#b3261e;color:#fff;{_PILL}",
    "busy": f"background:#5c6672;color:#fff;{_PILL}",
    "note": f"margin:.4em 0;padding:.3em .8em;border-left:3px solid {_LINE};font-size:.93em",
    "note-info": "opacity:.85",
    "note-warning": "background:#fff4d6;color:#5c3d00;border-left-color:#d49a00;border-radius:4px",
    "note-error": "background:#fff1f0;color:#8c1d18;border-left-color:#b3261e;border-radius:4px",
    "foot": f"margin:.6em 0 0;padding-top:.35em;border-top:1px solid {_LINE};font-size:.85em",
    "facts": "opacity:.82",
}

_TAG = re.compile(r'<([a-z][a-z0-9]*)((?: [a-z-]+="[^"]*")+)>')
_ATTRIBUTE = re.compile(r' ([a-z-]+)="([^"]*)"')
_PREFIX = "cnb-"


def dress(html: str, look: Look) -> str:
    """Sanitised HTML with classes -> HTML for `look`. The structure stays; only attributes change.

    In the static look `class` becomes `style` and data attributes go.
    """
    return html if look.live else _TAG.sub(_static_tag, html)


def _static_tag(match: re.Match[str]) -> str:
    kept = []
    for name, value in _ATTRIBUTE.findall(match[2]):
        if name == "class":
            styles = [STYLES[c] for c in (w.removeprefix(_PREFIX) for w in value.split()) if c in STYLES]
            if styles:
                kept.append(f' style="{";".join(styles)}"')
        elif not name.startswith("data-"):
            kept.append(f' {name}="{value}"')
    return f"<{match[1]}{''.join(kept)}>"
