"""A card: a question with fields and buttons, declared once for the page and for typed answers alike.

Pure. Above: `permission`, `question` and `form` declare cards; `patch` sends them; the magics ask them by typing where
no page answers. Below: `render.card` (the body). What may be answered is exactly what the card declares: `read` takes
what a page sent, which may be anything, and gives back a `Reply` only for a button and values that were offered.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from claude_nb.render.card import Body, body_html

FieldType = Literal["line", "area", "json", "number", "integer", "switch", "select", "radio", "checks"]
Tone = Literal["primary", "plain", "danger"]

#: The most that one field may bring, in characters.
LONGEST = 1_000_000


@dataclass(slots=True, frozen=True)
class Option:
    """One of the values to choose from; `about` explains it, `preview` shows it."""

    value: str
    label: str
    about: str = ""
    preview: Body = ()


@dataclass(slots=True, frozen=True)
class Field:
    """One thing to fill in.

    `value` is what it holds at first. `other` lets a choice be a text of one's own. `required` fields must hold
    something. `least` and `most` bound numbers, lengths of text and counts of checks.
    """

    name: str
    type: FieldType
    label: str = ""
    value: Any = ""
    options: tuple[Option, ...] = ()
    other: bool = False
    required: bool = False
    about: str = ""
    least: float | None = None
    most: float | None = None


@dataclass(slots=True, frozen=True)
class Button:
    """One answer.

    `key` is what to type for it. `opens` names fields that a first click brings up; a second one, on `then`, answers.
    `confirm` is what a second click has to confirm. `filled` says that the fields above must be filled in properly.
    """

    value: str
    label: str
    key: str
    tone: Tone = "plain"
    opens: tuple[Field, ...] = ()
    then: str = ""
    confirm: str = ""
    filled: bool = False
    about: str = ""


Row = tuple[Button | Field, ...]


@dataclass(slots=True, frozen=True)
class Card:
    """A question. `body` is what it is about, `fields` stand above the `rows` of buttons; a field within a row
    belongs to the buttons of that row. `facts` are lines under the title, `said` is what the agent says about it,
    `warning` is one that must not be missed."""

    title: str
    rows: tuple[Row, ...]
    body: Body = ()
    facts: tuple[str, ...] = ()
    said: str = ""
    warning: str = ""
    fields: tuple[Field, ...] = ()

    def buttons(self) -> Iterator[tuple[Button, Row]]:
        """Every button, with the row it stands in."""
        return ((item, row) for row in self.rows for item in row if isinstance(item, Button))

    def wire(self) -> dict[str, Any]:
        """The card as the page draws it; see `Card` in js/src/patch.ts."""
        return {
            "title": self.title,
            "html": body_html(self.body),
            "facts": list(self.facts),
            "said": self.said,
            "warning": self.warning,
            "fields": [_field(f) for f in self.fields],
            "rows": [[_field(i) if isinstance(i, Field) else _button(i) for i in row] for row in self.rows],
        }


@dataclass(slots=True, frozen=True)
class Reply:
    """An answer that the card offered: the button's value, and what was filled in, by field."""

    button: str
    fields: dict[str, Any] = field(default_factory=dict)


def read(card: Card, answer: Any) -> Reply | None:
    """The reply in what a page sent, `{"v": button, "f": {field: value}, "sure": bool}`; None if not offered."""
    if not isinstance(answer, dict):
        return None
    found = next((pair for pair in card.buttons() if pair[0].value == answer.get("v")), None)
    given = answer.get("f", {})
    if found is None or not isinstance(given, dict):
        return None
    button, row = found
    if button.confirm and answer.get("sure") is not True:
        return None
    return fill(card, button, row, given)


def fill(card: Card, button: Button, row: Row, given: dict[str, Any]) -> Reply | None:
    """The reply of a button with these values; None if one of them is not as its field wants it."""
    fields = fields_of(card, button, row)
    if any(not accepts(f, given.get(f.name)) for f in fields):
        return None
    return Reply(button.value, {f.name: given[f.name] for f in fields if given.get(f.name) not in (None, "")})


def fields_of(card: Card, button: Button, row: Row) -> list[Field]:
    """The fields that belong to a button's answer."""
    beside = [item for item in row if isinstance(item, Field)]
    return [*(card.fields if button.filled else ()), *beside, *button.opens]


def accepts(field: Field, value: Any) -> bool:
    """Whether a value is one that the field takes."""
    if value is None or value in ("", []):
        return not field.required
    match field.type:
        case "line" | "area" | "json":
            return isinstance(value, str) and _within(field, len(value)) and len(value) <= LONGEST
        case "number" | "integer":
            kinds = (int,) if field.type == "integer" else (int, float)
            return isinstance(value, kinds) and not isinstance(value, bool) and _within(field, value)
        case "switch":
            return isinstance(value, bool)
        case "select" | "radio":
            return _offered(field, value)
        case "checks":
            return isinstance(value, list) and all(_offered(field, v) for v in value) and _within(field, len(value))


def _offered(field: Field, value: Any) -> bool:
    if not isinstance(value, str) or len(value) > LONGEST:
        return False
    return field.other or any(option.value == value for option in field.options)


def _within(field: Field, size: float) -> bool:
    return (field.least is None or size >= field.least) and (field.most is None or size <= field.most)


def _field(it: Field) -> dict[str, Any]:
    wire = {"name": it.name, "type": it.type, "label": it.label, "value": it.value, "about": it.about}
    options = [
        {"v": o.value, "label": o.label, "about": o.about, "html": body_html(o.preview) if o.preview else ""}
        for o in it.options
    ]
    return wire | {"options": options, "other": it.other, "required": it.required, "least": it.least, "most": it.most}


def _button(it: Button) -> dict[str, Any]:
    wire = {"v": it.value, "label": it.label, "key": it.key, "tone": it.tone, "then": it.then, "confirm": it.confirm}
    return wire | {"opens": [_field(f) for f in it.opens], "filled": it.filled, "about": it.about}
