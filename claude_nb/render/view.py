"""What one tool call shows, before any markup: a small tree of parts, one function per kind of tool.

Above: `html`, `terminal` and `bundle` draw the same view in their own way. Below: `conversation`, `diff`, `text`.
Everything in a view is plain text with hidden characters made visible; whoever draws it still has to escape it.
Shapes of `tool.detail` (the CLI's structured results) are those of Claude Code 2.1; any other shape falls back to
the text of the result.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from claude_nb.conversation.model import Tool

from .diff import Diff, edits_diff, patch_diff, write_diff
from .text import one_line, plural, screen, visible, visible_path

Role = Literal["in", "out", "err"]


@dataclass(slots=True, frozen=True)
class Code:
    """Text in a fixed-width box: what goes in, what came out, or an error."""

    text: str
    language: str = ""
    role: Role = "out"


@dataclass(slots=True, frozen=True)
class Prose:
    """Markdown of a model: a plan, a sub-agent's report. The one part that is not made visible here."""

    text: str


@dataclass(slots=True, frozen=True)
class Fields:
    """Names and values, in order."""

    rows: tuple[tuple[str, str], ...]


@dataclass(slots=True, frozen=True)
class Checks:
    """A checklist: pairs of state (`done`, `doing`, `open`) and text."""

    items: tuple[tuple[str, str], ...]


@dataclass(slots=True, frozen=True)
class Picture:
    """An image: MIME type and base64 data, as the tool sent them."""

    mime: str
    data: str


Part = Code | Prose | Fields | Checks | Picture | Diff


@dataclass(slots=True, frozen=True)
class ToolView:
    """One tool call for people.

    `icon` one plain glyph; `name` and `subject` the head line ("Read", "src/app.py"); `preview` the result in a word or
    two ("42 lines"); `note` why it is done, in the model's words. `quiet`: the result is folded away even when short.
    """

    icon: str
    name: str
    subject: str = ""
    preview: str = ""
    note: str = ""
    input: tuple[Part, ...] = ()
    output: tuple[Part, ...] = ()
    quiet: bool = False


def tool_view(tool: Tool, root: str | None = None) -> ToolView:
    """The view of a tool call as it stands now: its input may be half written, its result missing.

    Paths below `root` are relative.
    """
    icon, name, draw = _KINDS.get(tool.name) or _foreign(tool.name)
    view = draw(ToolView(icon, name), _Call(tool, root))
    if tool.status == "failed":
        text = _untag(tool.error or _result_text(tool))
        exit_code = re.match(r"Exit code (\d+)\n?", text)
        preview = f"exit {exit_code[1]}" if exit_code else one_line(visible(screen(text)), 60)
        rest = text[exit_code.end() :] if exit_code else text
        shown = (Code(visible(screen(rest)), role="err"),) if rest.strip() else ()
        return replace(view, preview=preview, output=shown, quiet=False)
    if tool.result is None:
        return replace(view, preview=tool.error or view.preview, output=())
    return replace(view, output=view.output + _pictures(tool))


def title(tool: Tool, root: str | None = None) -> str:
    """One line about the call: `Read src/app.py`."""
    view = tool_view(tool, root)
    return f"{view.name} {view.subject}".rstrip()


class _Call:
    """A tool call, read safely: models and servers may send any shape."""

    def __init__(self, tool: Tool, root: str | None):
        self.tool, self.root = tool, root
        self.input = tool.input if tool.input or tool.input_done else _half_written(tool.input_json)
        self.detail: dict[str, Any] = tool.detail if isinstance(tool.detail, dict) else {}
        self.result = _untag(_result_text(tool))

    def text(self, key: str) -> str:
        """A field of the input as visible text, empty if it is missing."""
        value = self.input.get(key)
        return visible(value if isinstance(value, str) else _json(value)) if value is not None else ""

    def raw(self, key: str) -> str:
        value = self.input.get(key)
        return value if isinstance(value, str) else ""

    def path(self, *keys: str) -> str:
        found = next((self.raw(key) for key in keys if self.input.get(key)), "")
        return visible_path(short_path(found, self.root))

    def output(self, text: str | None = None, language: str = "") -> tuple[Code, ...]:
        shown = visible(screen(self.result if text is None else text))
        return (Code(shown, language),) if shown.strip() else ()

    def rest(self, *shown: str) -> tuple[Fields, ...]:
        """The input's other fields."""
        rows = tuple((visible(str(k)), self.text(k)) for k in self.input if k not in shown)
        return (Fields(rows),) if rows else ()


def short_path(path: str, root: str | None) -> str:
    """`path` relative to `root` if it lies below it; either kind of slash."""
    base = (root or "").rstrip("/\\")
    if base and path.startswith(base) and path[len(base) : len(base) + 1] in ("/", "\\"):
        return path[len(base) + 1 :] or "."
    return path


def _half_written(text: str) -> dict[str, Any]:
    """The complete string fields of a JSON object that is still being written."""
    found = re.findall(r'"(\w+)"\s*:\s*("(?:[^"\\]|\\.)*")', text[:4000])
    fields: dict[str, Any] = {}
    for key, value in found:
        try:
            fields.setdefault(key, json.loads(value, strict=False))
        except ValueError:
            continue
    return fields


def _json(value: Any) -> str:
    """JSON for people: in one line if that is short, else indented."""
    line = json.dumps(value, ensure_ascii=False, default=str)
    return line if len(line) <= 80 else json.dumps(value, indent=2, ensure_ascii=False, default=str)


def _result_text(tool: Tool) -> str:
    """The text of the result, whatever a server put between."""
    if not isinstance(tool.result, list):
        return str(tool.result or "")
    parts = [p for p in tool.result if isinstance(p, dict) and p.get("type") == "text"]
    return "\n".join(str(p.get("text") or "") for p in parts)


def _untag(text: str) -> str:
    """A result without what the CLI wraps around it for the model."""
    text = re.sub(r"<system-reminder>(?:(?!</?system-reminder>).)*</system-reminder>\s*", "", text, flags=re.DOTALL)
    return re.sub(r"\A<tool_use_error>(.*)</tool_use_error>\s*\Z", r"\1", text, flags=re.DOTALL)


def _pictures(tool: Tool) -> tuple[Picture, ...]:
    parts = tool.result if isinstance(tool.result, list) else []
    sources = [p.get("source") for p in parts if isinstance(p, dict) and p.get("type") == "image"]
    return tuple(Picture(str(s.get("media_type")), str(s.get("data") or "")) for s in sources if isinstance(s, dict))


def _lines(text: str) -> str:
    return plural(len(text.rstrip("\n").split("\n")), "line") if text.strip() else "empty"


def _count(value: Any, noun: str) -> str:
    return plural(value, noun) if isinstance(value, int) else ""


# One function per kind. Each gets the bare view and the call, and fills in what that kind shows.


def _bash(view: ToolView, call: _Call) -> ToolView:
    command, why = call.text("command"), call.text("description")
    out = call.detail.get("stdout")
    err = call.detail.get("stderr")
    output = call.output() if not isinstance(out, str) else call.output(out)
    if isinstance(err, str) and err.strip() and isinstance(out, str):
        output += (Code(visible(screen(err)), role="err"),)
    if call.input.get("run_in_background") is True:
        preview = "in the background"
    else:
        preview = _lines(output[0].text) if output else "no output"
    return replace(
        view,
        # On what a person decides, the model's word for it does not count.
        subject=one_line(command if call.tool.status == "waiting" else why or command),
        preview=preview if call.tool.result is not None else "",
        input=(Code(command, "bash", "in"),) if command else (),
        output=output,
    )


def _read(view: ToolView, call: _Call) -> ToolView:
    file = call.detail.get("file")
    file = file if isinstance(file, dict) else {}
    content = file.get("content")
    text = content if isinstance(content, str) else _unnumber(call.result)
    path = call.path("file_path", "notebook_path", "path")
    first = file.get("startLine")
    span = f":{first}" if isinstance(first, int) and first > 1 else ""
    return replace(
        view,
        subject=path + span,
        preview=_lines(text) if text.strip() else "",
        output=call.output(text, path.rpartition(".")[2] if "." in path else ""),
        quiet=True,
    )


def _unnumber(text: str) -> str:
    """File content without the line numbers that the CLI puts before each line."""
    return re.sub(r"^ *\d+[→\t]", "", text, flags=re.MULTILINE)


def _edit(view: ToolView, call: _Call) -> ToolView:
    edits = call.input.get("edits")
    pairs = [e for e in edits if isinstance(e, dict)] if isinstance(edits, list) else [call.input]
    return _changed(view, call, patch_diff(call.detail) or edits_diff(pairs))


def _write(view: ToolView, call: _Call) -> ToolView:
    return _changed(view, call, patch_diff(call.detail) or write_diff(call.raw("content")))


def _notebook_edit(view: ToolView, call: _Call) -> ToolView:
    mode = call.text("edit_mode") or "replace"
    cell = call.text("cell_id")
    diff = write_diff(call.raw("new_source"), removed=mode == "delete")
    shown = _changed(view, call, diff)
    return replace(shown, note=f"{mode} cell {cell}".rstrip())


def _changed(view: ToolView, call: _Call, diff: Diff) -> ToolView:
    counts = ((diff.added, "+"), (diff.removed, "−"))
    preview = " ".join(f"{sign}{count:,}" for count, sign in counts if count)
    # The result only says "updated": the diff is the result, and it is known as soon as the input is.
    return replace(view, subject=call.path("file_path", "notebook_path"), preview=preview, input=(diff,))


def _search(view: ToolView, call: _Call) -> ToolView:
    where = call.path("path")
    subject = call.text("pattern") + (f" in {where}" if where and call.text("pattern") else where)
    files, lines = call.detail.get("numFiles"), call.detail.get("numLines")
    preview = _count(lines, "line") if lines else _count(files, "file")
    preview = preview or (_lines(call.result) if call.tool.result is not None else "")
    return replace(
        view,
        subject=one_line(subject),
        preview=preview,
        input=call.rest("pattern", "path"),
        output=call.output(),
        quiet=True,
    )


def _fetch(view: ToolView, call: _Call) -> ToolView:
    size = call.detail.get("bytes")
    code = call.detail.get("code")
    preview = " · ".join(str(x) for x in (code, f"{size / 1000:.1f} kB" if isinstance(size, int) else None) if x)
    return replace(
        view,
        subject=call.text("url") or call.text("query"),
        preview=preview,
        note=call.text("prompt"),
        input=call.rest("url", "query", "prompt"),
        output=(Prose(call.result),) if call.result.strip() else (),
        quiet=True,
    )


def _todo(view: ToolView, call: _Call) -> ToolView:
    states = {"completed": "done", "in_progress": "doing"}
    todos = call.input.get("todos")
    items = tuple(
        (states.get(str(t.get("status")), "open"), visible(str(t.get("content") or t.get("activeForm") or "")))
        for t in (todos if isinstance(todos, list) else [])
        if isinstance(t, dict)
    )
    done = sum(state == "done" for state, _ in items)
    return replace(view, preview=f"{done} of {len(items)} done", input=(Checks(items),), output=())


def _agent(view: ToolView, call: _Call) -> ToolView:
    kind = call.text("subagent_type")
    calls = call.detail.get("totalToolUseCount")
    return replace(
        view,
        name=f"{view.name} {kind}".rstrip() if kind not in ("", "general-purpose") else view.name,
        subject=one_line(call.text("description") or call.text("prompt")),
        preview=_count(calls, "tool call"),
        input=(Prose(call.raw("prompt")),) if call.raw("prompt") else (),
        output=(Prose(call.result),) if call.result.strip() else (),
        quiet=True,
    )


def _plan(view: ToolView, call: _Call) -> ToolView:
    plan = call.raw("plan")
    return replace(view, input=(Prose(plan),) if plan else (), output=())


def _ask(view: ToolView, call: _Call) -> ToolView:
    asked = call.input.get("questions")
    questions = [q for q in asked if isinstance(q, dict)] if isinstance(asked, list) else []
    rows = tuple((visible(str(q.get("header") or "")), visible(str(q.get("question") or ""))) for q in questions)
    return replace(view, subject=one_line(rows[0][1]) if rows else "", input=(Fields(rows),) if rows else ())


def _other(view: ToolView, call: _Call) -> ToolView:
    """Any tool: its arguments and its text."""
    arguments = _json(call.input)
    values = [call.text(k) for k in call.input]
    subject = one_line(values[0], 80) if len(values) == 1 else ""
    return replace(
        view,
        subject=subject,
        preview=_lines(call.result) if call.result.strip() else "",
        input=(Code(visible(arguments), _colours(arguments), "in"),) if call.input else (),
        output=call.output(*_pretty(call.result)),
    )


def _pretty(text: str) -> tuple[str, str]:
    """A result that is JSON, indented; else as it is."""
    if text[:1] in "{[" and len(text) < 20_000:
        try:
            indented = _json(json.loads(text))
        except ValueError:
            return text, ""
        return indented, _colours(indented)
    return text, ""


def _colours(text: str) -> str:
    """One line of JSON reads well without colours."""
    return "json" if "\n" in text else ""


_Draw = Callable[[ToolView, _Call], ToolView]

# The CLI's name of a tool -> glyph, name for people, function. Glyphs are plain text, not emoji: no font changes their
# colour or width.
_KINDS: dict[str, tuple[str, str, _Draw]] = {
    "Bash": ("❯", "Bash", _bash),
    "PowerShell": ("❯", "PowerShell", _bash),
    "Read": ("▤", "Read", _read),
    "NotebookRead": ("▤", "Read", _read),
    "Write": ("✎", "Write", _write),
    "Edit": ("✎", "Edit", _edit),
    "MultiEdit": ("✎", "Edit", _edit),
    "NotebookEdit": ("✎", "Edit", _notebook_edit),
    "Grep": ("⌕", "Search", _search),
    "Glob": ("⌕", "Find files", _search),
    "LS": ("⌕", "List", _search),
    "WebFetch": ("↗", "Fetch", _fetch),
    "WebSearch": ("↗", "Web search", _fetch),
    "TodoWrite": ("☑", "To do", _todo),
    "Task": ("◆", "Agent", _agent),
    "Agent": ("◆", "Agent", _agent),
    "ExitPlanMode": ("◇", "Plan", _plan),
    "AskUserQuestion": ("?", "Question", _ask),
}


def _foreign(name: str) -> tuple[str, str, _Draw]:
    """A tool not in the table; of an MCP server: `server · tool`."""
    shown = visible(name)
    if name.startswith("mcp__"):
        server, _, tool = shown.removeprefix("mcp__").partition("__")
        shown = f"{server} · {tool}" if tool else server
    return "⚙", shown, _other
