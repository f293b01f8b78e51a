"""A copy of a conversation under a new id: entries in, entries out. Pure.

Above: `change` (files) and `from_store` (stores). Below: `model`, `transcript` and `summary`.
The CLI resumes such a copy like a session of its own (shown in the tests on the real one).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from .model import Entry
from .summary import facts_of, title_of
from .transcript import LINKED

_LINKS = ("parentUuid", "logicalParentUuid", "sourceToolAssistantUUID")
"""Fields that name another entry of the same transcript."""

_CHECKPOINTS = frozenset({"file-history-snapshot", "file-history-delta"})
"""Records of the files as they were at a prompt; the contents lie in `<config>/file-history/<session id>/`."""

_NOT_COPIED = ("teamName", "agentName", "slug")
"""Fields that tie an entry to the running work of the session it came from."""


@dataclass(frozen=True)
class Fork:
    """A copied conversation: the new session's id, its entries, and the new uuid of each entry by the old one."""

    session_id: str
    entries: list[Entry]
    uuids: dict[str, str]


def fork_entries(
    entries: Iterable[Entry],
    session_id: str,
    *,
    up_to: str | None = None,
    title: str | None = None,
    checkpoints: bool = False,
    new_id: Callable[[], str] = lambda: str(uuid4()),
) -> Fork:
    """Copy `entries`, the whole of session `session_id`, or those up to the one with uuid `up_to`.

    Every entry gets a new uuid (a prompt whose uuid was used before gets no answer from the CLI) and says in
    `forkedFrom` where it came from. Progress entries are left out and their children move up. `title` is the
    new session's; by default the old one's with " (fork)". `checkpoints` keeps the records of file checkpoints,
    for a caller that copies the backups as well. Raises ValueError if there is nothing to copy, or no `up_to`.
    """
    source = list(entries)
    linked = _linked(source, session_id, up_to)
    kept = [e for e in linked if e["type"] != "progress"]
    if not kept:
        raise ValueError(f"Session {session_id} has no messages to fork")

    fork_id, now = new_id(), timestamp()
    uuids = {e["uuid"]: new_id() for e in kept}
    parents = {e["uuid"]: e.get("parentUuid") for e in linked}
    copies = []
    for entry in kept:
        copy = {name: value for name, value in entry.items() if name not in _NOT_COPIED}
        for link in _LINKS:
            if link in copy:
                copy[link] = _moved(copy[link], uuids, parents)
        copy.update(
            uuid=uuids[entry["uuid"]],
            sessionId=fork_id,
            isSidechain=False,
            forkedFrom={"sessionId": session_id, "messageUuid": entry["uuid"]},
        )
        copies.append(copy)
    copies[-1]["timestamp"] = now  # what the CLI goes on from is the newest end of a branch

    if checkpoints:
        copies += filter(None, (_checkpoint(e, uuids) for e in source))
    notes = {"sessionId": fork_id, "timestamp": now}
    if replacements := _replacements(source, session_id):
        copies.append({"type": "content-replacement", "replacements": replacements, "uuid": new_id(), **notes})
    name = (title or "").strip() or f"{title_of(facts_of(source)) or 'Forked session'} (fork)"
    copies.append({"type": "custom-title", "customTitle": name, "uuid": new_id(), **notes})
    return Fork(fork_id, copies, uuids)


def _linked(entries: list[Entry], session_id: str, up_to: str | None) -> list[Entry]:
    """The tree of the main conversation, in the order of the file, up to the entry `up_to`."""
    tree = [e for e in entries if e.get("type") in LINKED and isinstance(e.get("uuid"), str)]
    tree = [e for e in tree if not e.get("isSidechain")]
    if up_to is None:
        return tree
    for index, entry in enumerate(tree):
        if entry["uuid"] == up_to:
            return tree[: index + 1]
    raise ValueError(f"Message {up_to} is not in session {session_id}")


def timestamp() -> str:
    """Now, as the CLI writes it: UTC, milliseconds, `Z`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _moved(link: str | None, uuids: dict[str, str], parents: dict[str, str | None]) -> str | None:
    """The new uuid of the entry a link named, or of its nearest ancestor that was copied."""
    seen: set[str] = set()
    while link and link not in uuids and link not in seen:
        seen.add(link)
        link = parents.get(link)
    return uuids.get(link) if link else None


def _replacements(entries: list[Entry], session_id: str) -> list[object]:
    """Long tool results that the CLI shortened, to be shortened in the copy as well."""
    return [
        item
        for e in entries
        if e.get("type") == "content-replacement" and e.get("sessionId") == session_id
        if isinstance(found := e.get("replacements"), list)
        for item in found
    ]


def _checkpoint(entry: Entry, uuids: dict[str, str]) -> Entry | None:
    """A file checkpoint's record under the copied prompt; None if it is none, or belongs to what was left out."""
    if entry.get("type") not in _CHECKPOINTS:
        return None
    copy = dict(entry)
    if isinstance(snapshot := entry.get("snapshot"), dict):
        copy["snapshot"] = dict(snapshot)
    for holder in (copy, copy.get("snapshot", {})):
        for link in ("messageId", "snapshotMessageId"):
            if link in holder:
                if holder[link] not in uuids:
                    return None
                holder[link] = uuids[holder[link]]
    return copy
