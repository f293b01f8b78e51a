"""The card of a permission question, and what an answer to it means to the CLI.

Pure. Above: `question`, which knows all kinds of cards. Below: `card`, `render` (how inputs look), `protocol`.
The question's `ask` holds what the CLI asked (protocol page 2.7) and, from the engine's side, `file`: the file that an
edit would change, as it is: `{"text": ...}`, `{"missing": True}` or `{"unreadable": why}`; `inside`: True where the
blocked path lies in the session's folder; and `redacted`: True where the input is shown without its secrets, so that
it must not be sent back from here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from claude_nb.protocol.permission import (
    PermissionResult,
    PermissionResultAllow,
    PermissionResultDeny,
    PermissionUpdate,
)
from claude_nb.protocol.rule import breadth_of_update
from claude_nb.render.card import Body, Link, is_whole, json_part, shown
from claude_nb.render.diff import edits_diff, file_diff, write_diff
from claude_nb.render.text import one_line, visible, visible_path
from claude_nb.render.view import Code, Fields, Prose

from .card import Button, Card, Field, Option, Reply, Row

Ask = dict[str, Any]

WHERE = (
    Option("session", "this session"),
    Option("localSettings", "this project, only for me"),
    Option("projectSettings", "this project, for everyone"),
    Option("userSettings", "all my projects"),
)
# Kept in the folder's own settings, which load only where the folder is trusted.
_LATER = {"localSettings", "projectSettings"}
DENIED = "The user denied this tool call."
STOPPED = "The user denied this tool call and stopped the turn."
REASON = Field("reason", "line", about="Tell the agent why, or what to do instead (optional)")
_CONTROL = (
    "This lets the agent run any command without asking again: full control of everything you can do on this "
    "computer. It ends with the session."
)
_TOOL = "This lets the agent use {name} for anything without asking again. It ends with the session."


def permission_card(ask: Ask) -> Card:
    """The card of one permission question."""
    name, input = str(ask.get("tool_name")), _input(ask)
    body = input_body(name, input, ask.get("file"))
    whole = is_whole(body)
    first: list[Button | Field] = [Button("allow", "Allow once", "y", "primary")]
    if whole and (edit := _edit(name, input, ask)) is not None:
        first.append(edit)
    always = _always(ask) if whole else []
    last: Row = (Button("deny", "Deny", "n"), Button("stop", "Deny and stop", "s"), REASON)
    warning = (
        "" if whole else "This is too large to be shown whole, so it can only be allowed once, unread parts included."
    )
    return Card(
        title=_title(ask, name, input),
        facts=tuple(_facts(ask)),
        said=_said(input),
        body=body,
        warning=warning,
        rows=(tuple(first), *always, last),
    )


def permission_result(reply: Reply, ask: Ask) -> PermissionResult:
    """What an answer means. Raises ValueError for an edited input that is no JSON object."""
    match reply.button:
        case "allow":
            return PermissionResultAllow()
        case "edit":
            return PermissionResultAllow(updated_input=_edited(ask, reply.fields.get("input", "")))
        case "deny" | "stop":
            stop = reply.button == "stop"
            reason = reply.fields.get("reason")
            said = f"{DENIED} The user says: {reason}" if reason else STOPPED if stop else DENIED
            return PermissionResultDeny(message=said, interrupt=stop)
        case always:
            update = PermissionUpdate.from_dict(_suggestions(ask)[int(always.removeprefix("always"))])
            update.destination = reply.fields.get(f"where{always.removeprefix('always')}") or "session"
            return PermissionResultAllow(updated_permissions=[update])


# -- what is asked ------------------------------------------------------------------------------------------------

_TITLES = {
    "Bash": "Run this command?",
    "PowerShell": "Run this command?",
    "Edit": "Change {path}?",
    "MultiEdit": "Change {path}?",
    "Write": "Write {path}?",
    "NotebookEdit": "Change the notebook {path}?",
    "Read": "Read {path}?",
    "WebFetch": "Fetch this page?",
    "WebSearch": "Search the web?",
}


def _title(ask: Ask, name: str, input: Ask) -> str:
    if ask.get("title"):
        return one_line(shown(str(ask["title"])), 200)
    path = visible_path(str(input.get("file_path") or input.get("notebook_path") or ""))
    known = _TITLES.get(name)
    if known is not None and ("{path}" not in known or path):
        return known.format(path=path)
    if name.startswith("mcp__"):
        server, _, tool = name.removeprefix("mcp__").partition("__")
        return f"Use {shown(tool)} of {shown(server)}?"
    return f"Use {shown(name)}?"


def _facts(ask: Ask) -> list[str]:
    """What else the CLI says about the question, one line each."""
    facts = []
    if ask.get("agent"):
        facts.append(f"Asked by the sub-agent {shown(str(ask['agent']))}")
    # For a file the CLI's description is the end of its path, which the title says whole; for a command it is the
    # agent's own, which is no fact, or the command.
    about, input = str(ask.get("description") or ""), _input(ask)
    known = [str(value) for key, value in input.items() if key.endswith("_path") or key in ("description", "command")]
    if about and not any(value.endswith(about) for value in known):
        facts.append(shown(about))
    if ask.get("decision_reason"):
        facts.append(shown(str(ask["decision_reason"])))
    if ask.get("blocked_path") and not ask.get("inside"):
        facts.append(f"Outside of the session's folder: {visible_path(str(ask['blocked_path']))}")
    return facts


def _said(input: Ask) -> str:
    about = input.get("description")
    return f"The agent says: “{shown(about)}”" if isinstance(about, str) and about.strip() else ""


def _input(ask: Ask) -> Ask:
    input = ask.get("input")
    return input if isinstance(input, dict) else {}


def input_body(name: str, input: Ask, file: Any = None) -> Body:
    """The whole input of a tool call, by kind; what has no form of its own is listed by name."""
    draw = _BODIES.get(name)
    if draw is None:
        return (json_part(input),) if input else ()
    body, known = draw(input, file if isinstance(file, dict) else {})
    rest = {key: value for key, value in input.items() if key not in known and value not in (None, "", False)}
    rows = tuple(
        (shown(key), visible(v if isinstance(v, str) else json.dumps(v, default=str))) for key, v in rest.items()
    )
    return (*body, Fields(rows)) if rows else body


_Drawn = tuple[Body, set[str]]


def _command(input: Ask, file: Ask) -> _Drawn:
    return (Code(visible(str(input.get("command", ""))), "bash", "in"),), {"command", "description"}


def _change(input: Ask, file: Ask) -> _Drawn:
    edits = input.get("edits")
    pairs = [e for e in edits if isinstance(e, dict)] if isinstance(edits, list) else [input]
    known = (
        {"file_path", "edits"} if isinstance(edits, list) else {"file_path", "old_string", "new_string", "replace_all"}
    )
    after = _applied(file.get("text"), pairs)
    if after is not None:
        return (file_diff(file["text"], after),), known
    notes = (Fields((("Note", _missing(file)),)),)
    return (edits_diff(pairs), *notes), known


def _applied(text: Any, edits: list[Ask]) -> str | None:
    """The file after the edits; None where they do not fit it."""
    if not isinstance(text, str):
        return None
    for edit in edits:
        old, new = edit.get("old_string"), edit.get("new_string")
        if not isinstance(old, str) or not isinstance(new, str) or not old or old not in text:
            return None
        count = -1 if edit.get("replace_all") is True else 1
        text = text.replace(old, new, count)
    return str(text)


def _missing(file: Ask) -> str:
    if file.get("missing"):
        return "The file does not exist."
    if "text" in file:
        return "The text to replace is not in the file as it is now."
    return f"The file could not be read to compare ({shown(str(file.get('unreadable') or 'unknown'))})."


def _write(input: Ask, file: Ask) -> _Drawn:
    content, known = str(input.get("content", "")), {"file_path", "content"}
    if isinstance(file.get("text"), str):
        return (file_diff(file["text"], content),), known
    note = "A new file." if file.get("missing") else _missing(file)
    return (Fields((("Note", note),)), write_diff(content)), known


def _cell(input: Ask, file: Ask) -> _Drawn:
    new, known = str(input.get("new_source", "")), {"notebook_path", "new_source"}
    mode = input.get("edit_mode") or "replace"
    if mode == "insert":
        return (write_diff(new),), known
    before = _source(file.get("text"), input.get("cell_id"))
    if before is None:
        note = _missing(file) if "text" not in file else "The cell was not found in the file as it is now."
        return (Fields((("Note", note),)), *(() if mode == "delete" else (write_diff(new),))), known
    return (write_diff(before, removed=True) if mode == "delete" else file_diff(before, new),), known


def _source(text: Any, cell_id: Any) -> str | None:
    """The source of a notebook's cell, by its id or as the CLI counts those without one (`cell-0`)."""
    try:
        cells = json.loads(text)["cells"]
        cell = next(
            cell for number, cell in enumerate(cells) if cell_id in (cell.get("id"), f"cell-{number}") and cell_id
        )
        source = cell["source"]
        return source if isinstance(source, str) else "".join(source)
    except (ValueError, TypeError, KeyError, AttributeError, StopIteration):
        return None


def _page(input: Ask, file: Ask) -> _Drawn:
    return (Link(str(input.get("url", ""))),), {"url"}


def _plan(input: Ask, file: Ask) -> _Drawn:
    return (Prose(visible(str(input.get("plan", "")))),), {"plan"}


_BODIES: dict[str, Callable[[Ask, Ask], _Drawn]] = {
    "Bash": _command,
    "PowerShell": _command,
    "Edit": _change,
    "MultiEdit": _change,
    "Write": _write,
    "NotebookEdit": _cell,
    "WebFetch": _page,
    "ExitPlanMode": _plan,
}

# -- always -------------------------------------------------------------------------------------------------------


def _suggestions(ask: Ask) -> list[Ask]:
    found = ask.get("suggestions")
    return [s for s in found if isinstance(s, dict)] if isinstance(found, list) else []


def _always(ask: Ask) -> list[Row]:
    if ask.get("no_always"):
        return []
    rows: list[Row] = []
    for number, update in enumerate(_suggestions(ask)):
        label, what = always_label(update), breadth_of_update(update)
        if label is None:
            continue
        # Two buttons cannot have one key; the second "always" is typed as a2.
        key = "a" if not rows else f"a{len(rows) + 1}"
        if what == "narrow":
            where = Field(f"where{number}", "select", "for", _kept(update, ask), _places(ask), required=True)
            button = Button(f"always{number}", label, key, about="Allow, and do not ask again")
            # A mode belongs to the session; no settings file keeps it.
            rows.append((button,) if update.get("type") == "setMode" else (button, where))
        else:
            warning = _CONTROL if what == "control" else _TOOL.format(name=_names(update))
            label = f"{label} for this session"
            rows.append((Button(f"always{number}", label, key, "danger", confirm=warning),))
    return rows


def _places(ask: Ask) -> tuple[Option, ...]:
    """Where a rule may be kept; any of them holds in this session too."""
    if ask.get("trusted", True):
        return WHERE
    return tuple(
        Option(place.value, f"{place.label} (once its settings are trusted)") if place.value in _LATER else place
        for place in WHERE
    )


def _kept(update: Ask, ask: Ask) -> str:
    """The place to begin with: the CLI's proposal, where it takes effect."""
    place = str(update.get("destination"))
    works = ask.get("trusted", True) or place not in _LATER
    return place if works and any(option.value == place for option in WHERE) else "session"


# Modes that a card may switch to. The one that allows everything is armed elsewhere.
_MODES = {
    "acceptEdits": "Accept edits for this session",
    "default": "Ask again before edits",
    "plan": "Switch to planning",
}


def always_label(update: Ask) -> str | None:
    """What a suggestion offers, as a button says it: `Always: Bash(npm test *)`. None for one that is no permission."""
    match update.get("type"):
        case "addRules" if update.get("behavior") == "allow" and _names(update):
            return f"Always: {_names(update)}"
        case "setMode":
            return _MODES.get(str(update.get("mode")))
        case "addDirectories" if isinstance(update.get("directories"), list):
            return f"Always: work in {', '.join(visible_path(str(d)) for d in update['directories'])}"
        case _:
            return None


def _names(update: Ask) -> str:
    rules = [rule for rule in update.get("rules") or [] if isinstance(rule, dict)]
    names = (
        shown(f"{r.get('toolName')}({r['ruleContent']})" if r.get("ruleContent") else str(r.get("toolName")))
        for r in rules
    )
    return ", ".join(names) or shown(str(update.get("mode") or ", ".join(map(str, update.get("directories") or []))))


# -- editing ------------------------------------------------------------------------------------------------------

# The field of the input that a person would edit; of other tools it is the whole input as JSON.
_EDITED = {
    "Bash": "command",
    "PowerShell": "command",
    "Edit": "new_string",
    "Write": "content",
    "NotebookEdit": "new_source",
    "WebFetch": "url",
}
_EDIT_MOST = 50_000


def _edit(name: str, input: Ask, ask: Ask) -> Button | None:
    """The button to edit the input; None where the text box would hide or change something of it."""
    key = _EDITED.get(name)
    text = input.get(key) if key else json.dumps(input, indent=2, ensure_ascii=False)
    if not input or ask.get("redacted") or not isinstance(text, str) or len(text) > _EDIT_MOST or visible(text) != text:
        return None
    label = key.replace("_", " ") if key else "input"
    box = Field("input", "area" if key else "json", label.capitalize(), text, required=True)
    return Button(
        "edit", "Edit…", "e", opens=(box,), then="Allow as edited", about="The agent is told what was changed"
    )


def _edited(ask: Ask, text: str) -> Ask:
    key = _EDITED.get(str(ask.get("tool_name")))
    if key is not None:
        return {**_input(ask), key: text}
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("the edited input is not a JSON object")
    return value
