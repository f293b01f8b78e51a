"""A question of an MCP server (elicitation) as a form, from its JSON schema; or an address to open.

Pure. Above: `question`. Below: `card`. The schema of MCP forms is flat: an object whose properties are strings (with a
format, a length or an enumeration), numbers, integers, booleans, or arrays of enumerated strings. A property of any
other shape becomes a field for JSON. The result is what the protocol wants: `{"action": "accept", "content": {...}}`,
`{"action": "decline"}` or `{"action": "cancel"}`.
"""

from __future__ import annotations

import json
import re
from typing import Any

from claude_nb.render.card import Body, Link, shown
from claude_nb.render.text import visible
from claude_nb.render.view import Fields

from .card import Button, Card, Field, FieldType, Option, Reply

Ask = dict[str, Any]

_FORMATS = {
    "email": r"[^@\s]+@[^@\s]+",
    "uri": r"[A-Za-z][A-Za-z0-9+.-]*:\S+",
    "date": r"\d{4}-\d\d-\d\d",
    "date-time": r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d.*",
}
_EXAMPLES = {"email": "name@example.org", "uri": "https://…", "date": "2026-01-31", "date-time": "2026-01-31T12:00:00Z"}


def form_card(ask: Ask) -> Card:
    """The card of one elicitation request (`ask` is the CLI's)."""
    server = shown(str(ask.get("display_name") or ask.get("mcp_server_name") or "An MCP server"))
    facts = tuple(shown(line) for line in str(ask.get("message") or ask.get("description") or "").splitlines() if line)
    decline = (Button("decline", "Decline", "n"), Button("cancel", "Dismiss", "c"))
    if ask.get("mode") == "url":
        body: Body = (Link(str(ask.get("url") or "")),)
        opened = Button("accept", "I have opened it", "y", "primary")
        title = f"{server} asks you to open an address"
        warning = "The address comes from that server. Open it only if you know why."
        return Card(title=title, facts=facts, warning=warning, body=body, rows=((opened,), decline))
    fields = tuple(_field(name, schema, name in _required(ask)) for name, schema in _properties(ask).items())
    note: Body = () if fields else (Fields((("Form", "nothing to fill in"),)),)
    return Card(
        title=f"{server} asks",
        facts=facts,
        warning="What you fill in goes to that server. Give it no passwords or keys.",
        body=note,
        fields=fields,
        rows=((Button("accept", "Submit", "y", "primary", filled=True),), decline),
    )


def form_result(reply: Reply, ask: Ask) -> dict[str, Any]:
    """What the CLI is told. Raises ValueError where a text does not have the format that its property asks for."""
    if reply.button != "accept":
        return {"action": reply.button}
    if ask.get("mode") == "url":
        return {"action": "accept"}
    content = {}
    for name, schema in _properties(ask).items():
        if name in reply.fields:
            content[name] = _value(name, schema, reply.fields[name])
    return {"action": "accept", "content": content}


def _value(name: str, schema: Ask, value: Any) -> Any:
    pattern = _FORMATS.get(str(schema.get("format")))
    if isinstance(value, str) and pattern and not re.fullmatch(pattern, value):
        raise ValueError(f"{name} is no {schema['format']}")
    return json.loads(value) if _type(schema) == "json" else value


def _properties(ask: Ask) -> dict[str, Ask]:
    schema = ask.get("requested_schema")
    found = schema.get("properties") if isinstance(schema, dict) else None
    return {str(k): v for k, v in found.items() if isinstance(v, dict)} if isinstance(found, dict) else {}


def _required(ask: Ask) -> list[str]:
    required = (ask.get("requested_schema") or {}).get("required")
    return [str(name) for name in required] if isinstance(required, list) else []


def _field(name: str, schema: Ask, required: bool) -> Field:
    kind = _type(schema)
    default = schema.get("default", {"checks": [], "switch": False}.get(kind, ""))
    about = shown(str(schema.get("description") or _EXAMPLES.get(str(schema.get("format")), "")))
    least, most = _bounds(schema, kind)
    return Field(
        name,
        kind,
        shown(str(schema.get("title") or name)),
        visible(default) if isinstance(default, str) else default,
        tuple(_options(schema)),
        required=required,
        about=about,
        least=least,
        most=most,
    )


def _type(schema: Ask) -> FieldType:
    kind = schema.get("type")
    if kind == "string":
        return "select" if any(_options(schema)) else "line"
    if kind == "array" and any(_options(schema)):
        return "checks"
    known: dict[Any, FieldType] = {"number": "number", "integer": "integer", "boolean": "switch"}
    return known.get(kind, "json")


def _options(schema: Ask) -> list[Option]:
    """The values of an enumeration, in any of the ways to write one."""
    items = schema.get("items") if schema.get("type") == "array" else schema
    items = items if isinstance(items, dict) else {}
    if isinstance(values := items.get("enum"), list):
        names = items.get("enumNames")
        labels = names if isinstance(names, list) and len(names) == len(values) else values
        return [Option(str(v), shown(str(label))) for v, label in zip(values, labels, strict=True)]
    titled = items.get("oneOf") or items.get("anyOf")
    if isinstance(titled, list):
        consts = [o for o in titled if isinstance(o, dict) and "const" in o]
        return [Option(str(o["const"]), shown(str(o.get("title") or o["const"]))) for o in consts]
    return []


_BOUNDS: dict[str, tuple[str, str]] = {
    "line": ("minLength", "maxLength"),
    "number": ("minimum", "maximum"),
    "integer": ("minimum", "maximum"),
    "checks": ("minItems", "maxItems"),
}


def _bounds(schema: Ask, kind: str) -> tuple[float | None, float | None]:
    bounds = [schema.get(name) for name in _BOUNDS.get(kind, ())] or [None, None]
    least, most = (b if isinstance(b, (int, float)) and not isinstance(b, bool) else None for b in bounds)
    return least, most
