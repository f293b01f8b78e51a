"""A card answered by typing: in a terminal, or where a front end shows no buttons.

Layer 5, below `asking`. Main thread; blocks on `input()`. The same card as on the page, and the same checks: what is
typed becomes a reply only through `widgets.card.fill`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from claude_nb.kernel.stop import Stopped
from claude_nb.render.card import body_lines
from claude_nb.render.text import visible
from claude_nb.widgets.card import Button, Card, Field, Reply, Row, accepts, fields_of, fill

#: How often something that was not understood is asked for again.
TRIES = 3
END_OF_TEXT = "."


def refusal(card: Card) -> Reply:
    """The answer that allows nothing: the button typed as `n`, else the last one."""
    buttons = [button for button, _ in card.buttons()]
    return Reply(next((b.value for b in buttons if b.key == "n"), buttons[-1].value))


def ask_by_typing(card: Card, said: str = "") -> Reply:
    """Print the card and read an answer; the refusal if there is nothing to read from, or nothing to understand.

    `said` is printed before it. An interrupt raises KeyboardInterrupt, so that it also stops the turn; the end of the
    time for it raises Stopped.
    """
    print("\n".join(_lines(card, said)), flush=True)
    try:
        tries = TRIES
        while tries:
            found = _button(card)
            reply = None if found is None else (_edited if found[0].opens else _filled)(card, *found)
            if reply is not None:
                return reply
            # Whoever thinks better of an edit may do so as often as they like.
            tries -= found is None or not found[0].opens
    except (EOFError, RuntimeError):  # RuntimeError: a front end without stdin (IPython's StdinNotImplementedError)
        pass
    except Stopped:
        print("\nThis is not asked any more.", flush=True)
        raise
    return refusal(card)


def _lines(card: Card, said: str) -> Iterator[str]:
    yield from filter(None, [said, f"▌ {card.title}"])
    yield from (f"▌ {line}" for line in filter(None, [*card.facts, card.said]))
    yield from (f"    {line}" for line in body_lines(card.body))
    if card.warning:
        yield f"▌ Careful: {card.warning}"
    for button, row in card.buttons():
        where = [item for item in row if isinstance(item, Field) and item.type == "select"]
        to = f" ({where[0].label} {_label(where[0])})" if where else ""
        yield f"  [{button.key}] {button.label}{to}"


def _label(field: Field) -> str:
    return next((option.label for option in field.options if option.value == field.value), "")


def _button(card: Card) -> tuple[Button, Row] | None:
    keys = {button.key.casefold(): (button, row) for button, row in card.buttons()}
    typed = input(f"Your answer ({'/'.join(keys)}): ").strip().casefold()
    found = keys.get(typed)
    if found is None:
        print(f"Please type one of: {', '.join(keys)}", flush=True)
        return None
    button = found[0]
    if button.confirm:
        print(button.confirm, flush=True)
        if input(f"Type 'yes' for “{button.label}”: ").strip().casefold() != "yes":
            print("Nothing was allowed.", flush=True)
            return None
    return found


def _filled(card: Card, button: Button, row: Row) -> Reply | None:
    given = {field.name: _value(field) for field in fields_of(card, button, row)}
    reply = fill(card, button, row, given)
    if reply is None:
        print("That is not a complete answer.", flush=True)
    return reply


def _edited(card: Card, button: Button, row: Row) -> Reply | None:
    """The reply with what was typed, once it was read and agreed to; None leads back to the buttons."""
    reply = _filled(card, button, row)
    if reply is None:
        return None
    if all(reply.fields.get(field.name) == field.value for field in button.opens):
        print("Nothing was changed, and nothing is decided yet.", flush=True)
        return None
    for field in button.opens:
        print(f"{field.label or field.about}:", flush=True)
        print("\n".join(f"    {line}" for line in visible(str(reply.fields.get(field.name))).split("\n")), flush=True)
    return reply if input(f"Type 'y' for “{button.then}”, anything else to go back: ").strip() == "y" else None


def _value(field: Field) -> Any:
    """What is typed for a field, asked again while it does not fit; what it held before if nothing is typed."""
    for _ in range(TRIES):
        try:
            value = _READERS.get(field.type, _line)(field)
        except _NoOption as error:
            print(error, flush=True)
            continue
        if accepts(field, value):
            return value
        print("That does not fit here.", flush=True)
    return field.value


class _NoOption(ValueError):
    """A number was typed that no option has."""


def _line(field: Field) -> Any:
    shown = f" [{visible(str(field.value))}]" if field.value not in ("", None) else ""
    return input(f"{field.label or field.about}{shown}: ") or field.value


def _text(field: Field) -> Any:
    """Several lines, up to one with a single dot; none: what was there."""
    print(
        f"{field.label or field.about} (end with a line that holds only {END_OF_TEXT!r}; an empty one changes nothing)",
        flush=True,
    )
    lines: list[str] = []
    while (line := input()) != END_OF_TEXT:
        if not line and not lines:
            return field.value
        lines.append(line)
    return "\n".join(lines)


def _number(field: Field) -> Any:
    typed = input(f"{field.label or field.about}: ").strip()
    try:
        return (int if field.type == "integer" else float)(typed) if typed else field.value
    except ValueError:
        return typed


def _switch(field: Field) -> Any:
    typed = input(f"{field.label or field.about} (y/n): ").strip().casefold()
    return {"y": True, "yes": True, "n": False, "no": False}.get(typed, field.value)


def _choice(field: Field) -> Any:
    """The number of an option, or several; with `other`, any text of one's own (a number in quotes).

    Raises _NoOption.
    """
    if field.label:
        print(field.label, flush=True)
    for number, option in enumerate(field.options, 1):
        about = f": {option.about}" if option.about else ""
        print(f"  {number}. {option.label}{about}", flush=True)
    many = field.type == "checks"
    own = ", or an answer of your own" if field.other else ""
    standing = f" [{_label(field)}]" if not many and _label(field) else ""
    typed = input(f"Number{'s' if many else ''}{own}{standing}: ").strip()
    if not typed:
        return field.value
    parts = [part.strip() for part in typed.split(",")] if many else [typed]
    if all(part.isdecimal() for part in parts):
        if wrong := [part for part in parts if not 0 < int(part) <= len(field.options)]:
            own = " A number of your own goes in quotes." if field.other else ""
            raise _NoOption(f"There is no option {', '.join(wrong)}.{own}")
        values = [field.options[int(part) - 1].value for part in parts]
        return values if many else values[0]
    own = typed.strip('"') if field.other else typed
    return [own] if many else own


_READERS: dict[str, Callable[[Field], Any]] = {
    "area": _text,
    "json": _text,
    "number": _number,
    "integer": _number,
    "switch": _switch,
    "select": _choice,
    "radio": _choice,
    "checks": _choice,
}
