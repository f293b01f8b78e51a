"""What `%claude` tells about the notebook's conversations, as text.

Layer 5, below `commands`. Reads the notebook, changes nothing.
"""

from __future__ import annotations

import base64
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from claude_nb.conversation import Turn
from claude_nb.conversation.redact import Redactor
from claude_nb.magics.past import Past, age, without_secrets
from claude_nb.render.pieces import parts_html
from claude_nb.render.sanitize import sanitize
from claude_nb.render.style import Look, dress
from claude_nb.render.text import one_line, visible
from claude_nb.render.view import Code, Picture
from claude_nb.sessions import list_sessions

if TYPE_CHECKING:
    from claude_nb.magics.notebook import Notebook


def status(notebook: Notebook) -> str:
    """Sessions, models, modes, folders, and what is running."""
    chats = notebook.chats
    if not chats:
        return "No session yet: the first %%claude cell starts one."
    rows = []
    for name, chat in chats.items():
        session = notebook.session(name)
        running = next((t for t in chat.conversation.turns if t.status == "running"), None)
        state = (running.activity or "running") if running else "idle" if chat.session else "parked"
        rows += [
            f"{name}: {state}",
            f"  model    {chat.conversation.model or session.model or 'not known yet'}",
            f"  mode     {session.rules.mode}",
            f"  folder   {session.cwd or '-'}",
            f"  turns    {len(chat.conversation.turns)}",
            f"  session  {chat.conversation.session_id or '-'}",
        ]
    return "\n".join([*rows, cost(notebook).splitlines()[0]])


def cost(notebook: Notebook) -> str:
    """What was spent, by session, and what is left."""
    budget = notebook.budget
    left = "no budget is set" if budget.limit_usd is None else f"${budget.left_usd:.2f} left of ${budget.limit_usd:.2f}"
    rows = []
    earlier = budget.spent_usd
    for name, chat in notebook.chats.items():
        conversation = chat.conversation
        rows.append(
            f"  {name}: ${conversation.spent_usd:.4f} in {len(conversation.turns) + len(conversation.rewound)} turns"
        )
        earlier -= conversation.spent_usd
    if round(earlier, 4) > 0:
        rows.append(f"  conversations ended with `%claude new`: ${earlier:.4f}")
    return "\n".join([f"Spent in this notebook: ${budget.spent_usd:.4f} ({left})", *rows])


def sent(turn: Turn) -> str | Sent:
    """What exactly the model got, but for secrets: text, or with pictures what shows them."""
    redactor = Redactor(os.environ)
    if isinstance(turn.sent, str):
        return redactor.text(turn.sent)
    return Sent([redactor.value(part) if part.get("type") == "text" else part for part in turn.sent])


class Sent:
    """The blocks of a prompt: as pictures where the front end draws HTML, in words elsewhere."""

    def __init__(self, blocks: list[dict[str, Any]]):
        self._blocks = blocks

    def __repr__(self) -> str:
        return "\n".join(b["text"] if b.get("type") == "text" else _picture_line(b) for b in self._blocks)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        html = []
        for block in self._blocks:
            source = block.get("source") or {}
            if "data" in source:
                html.append(parts_html([Picture(source["media_type"], source["data"])]))
            line = block["text"] if block.get("type") == "text" else _picture_line(block)
            html.append(parts_html([Code(visible(line), role="in")]))
        return {"text/html": dress(sanitize("".join(html)), Look(live=False)), "text/plain": repr(self)}


def _picture_line(block: dict[str, Any]) -> str:
    """`[image/png, 640 × 480 pixels, 12.3 kB]`."""
    source = block.get("source") or {}
    if "data" not in source:
        return f"[{block.get('type')}: {source.get('url', '?')}]"
    data = base64.b64decode(source["data"])
    # Of the formats only PNG, in which all figures go, has its size at a fixed place and in plain sight.
    size = f", {int.from_bytes(data[16:20])} × {int.from_bytes(data[20:24])} pixels" if data[1:4] == b"PNG" else ""
    return f"[{source['media_type']}{size}, {len(data) / 1000:.1f} kB]"


def model(notebook: Notebook, name: str) -> str:
    """The model of a session."""
    session = notebook.session(name)
    known = session.chat.conversation.model if session.chat else None
    return f"Model: {known or session.model or notebook.settings.model or 'the default of your account'}"


def _stored(notebook: Notebook) -> list[Past]:
    folder = notebook.session(notebook.current).cwd or Path.cwd()
    infos = list_sessions(folder, limit=20)
    return [
        Past(i.session_id, i.last_modified / 1000, without_secrets(i.summary), Path(i.cwd or folder)) for i in infos
    ]


def sessions(notebook: Notebook) -> str:
    """Stored sessions of the folder, numbered from the newest."""
    now = time.time()
    return "\n".join(
        f"{number:>3}  {age(now - p.when):<15}  {p.session_id}  {one_line(p.asked, 70)}"
        for number, p in enumerate(_stored(notebook), 1)
    )


def stored(notebook: Notebook, named: str) -> Past | None:
    """The stored session with that number in the list, or that id (its beginning will do)."""
    found = _stored(notebook)
    if named.isdecimal() and 1 <= int(named) <= len(found):
        return found[int(named) - 1]
    matches = [p for p in found if len(named) >= 4 and p.session_id.startswith(named.lower())]
    return matches[0] if len(matches) == 1 else None


def functions(notebook: Notebook) -> str:
    """The functions of the notebook that the agent has."""
    if not notebook.functions:
        return "The agent has none of your functions. Give it one with `%claude tools add NAME`."
    rows = [(name, (tool.description or "").strip().splitlines()) for name, tool in notebook.functions.items()]
    return "\n".join(f"{name}: {lines[0]}" if lines else name for name, lines in rows)
