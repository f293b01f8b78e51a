"""What every session store must do, as a test to run against one's own.

Above: users' tests and ours. Below: `sessions`. The name and call shape follow the official Python SDK 0.2.186; a
store that passes its kit passes this one.

    async def test_my_store():
        await run_session_store_conformance(MyStore)
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, cast

from claude_nb.sessions.model import SessionKey, SessionStoreEntry
from claude_nb.sessions.store import OPTIONAL_METHODS, SessionStore, implements, session_key
from claude_nb.sessions.summary import fold_session_summary

_KEY = session_key("project", "session")
_AGENT = session_key("project", "session", "subagents/agent-1")
_SECOND_AGENT = session_key("project", "session", "subagents/agent-2")
_SINCE_2001_IN_MS = 1_000_000_000_000

MakeStore = Callable[[], SessionStore | Awaitable[SessionStore]]
Contract = Callable[[SessionStore], Awaitable[None]]


async def run_session_store_conformance(make_store: MakeStore, *, skip_optional: frozenset[str] = frozenset()) -> None:
    """Check that the stores `make_store` gives (sync or async, called anew for each check) keep their promises.

    Checks of optional methods (`list_sessions`, `list_session_summaries`, `delete`, `list_subkeys`) run if the
    store has the method and `skip_optional` does not name it. Raises AssertionError saying which promise was
    broken, ValueError for an unknown name in `skip_optional`, and whatever the store raises.
    """
    if unknown := skip_optional - OPTIONAL_METHODS:
        raise ValueError(f"not optional methods of a session store: {', '.join(sorted(unknown))}")
    for contract, needs in _CONTRACTS.items():
        made = make_store()
        store = await made if inspect.isawaitable(made) else made
        if all(method not in skip_optional and implements(store, method) for method in needs):
            await contract(store)


async def _keeps_entries_in_order(store: SessionStore) -> None:
    first, second = _entries("b", "a"), _entries("z", "m")
    await store.append(_KEY, first)
    await store.append(_KEY, second)
    await _holds(store, _KEY, first + second, "entries come back equal and in the order of the appends")


async def _keeps_entries_without_uuid(store: SessionStore) -> None:
    notes = [_entry(note="same"), _entry(note="same")]
    await store.append(_KEY, notes)
    await store.append(_KEY, notes)
    await _holds(store, _KEY, notes * 2, "entries without a uuid are all kept, equal ones too")


async def _keeps_values(store: SessionStore) -> None:
    entries = [_entry(uuid="u", text='"ü\u2028\n😀', number=1.5, nothing=None, nested={"a": [1, {"b": False}]})]
    await store.append(_KEY, entries)
    await _holds(store, _KEY, entries, "any JSON survives")


async def _knows_what_it_never_saw(store: SessionStore) -> None:
    await _holds(store, _KEY, None, "an unknown session is None, not an empty list")
    await store.append(_KEY, _entries("a"))
    await _holds(store, _AGENT, None, "an unknown subpath of a known session is None")


async def _takes_empty_appends(store: SessionStore) -> None:
    await store.append(_KEY, _entries("a"))
    await store.append(_KEY, [])
    await _holds(store, _KEY, _entries("a"), "an empty append changes nothing")


async def _separates_subpaths(store: SessionStore) -> None:
    await store.append(_KEY, _entries("main"))
    await store.append(_AGENT, _entries("agent"))
    await _holds(store, _KEY, _entries("main"), "a sub-agent's entries are not the conversation's")
    await _holds(store, _AGENT, _entries("agent"), "the conversation's entries are not a sub-agent's")


async def _separates_projects(store: SessionStore) -> None:
    here, there = session_key("here", "session"), session_key("there", "session")
    await store.append(here, _entries("a"))
    await store.append(there, _entries("b"))
    await _holds(store, here, _entries("a"), "the same session id in another project is another session")
    await _holds(store, there, _entries("b"), "the same session id in another project is another session")


async def _lists_sessions(store: SessionStore) -> None:
    for key in (session_key("project", "a"), session_key("project", "b"), session_key("other", "c")):
        await store.append(key, _entries("x"))
    listed = await store.list_sessions("project")
    _check(sorted(s["session_id"] for s in listed) == ["a", "b"], "a project's sessions are listed, no others")
    _check(all(s["mtime"] > _SINCE_2001_IN_MS for s in listed), "mtime is in milliseconds since the epoch")
    _check(await store.list_sessions("unknown") == [], "an unknown project has no sessions")


async def _lists_no_subagents_as_sessions(store: SessionStore) -> None:
    await store.append(_KEY, _entries("x"))
    await store.append(_AGENT, _entries("y"))
    listed = [s["session_id"] for s in await store.list_sessions("project")]
    _check(listed == ["session"], "sub-agents are not listed as sessions")


async def _summarises(store: SessionStore) -> None:
    await store.append(_KEY, [_entry(timestamp="2024-01-01T00:00:00.000Z", customTitle="first")])
    await store.append(_KEY, [_entry(timestamp="2024-01-01T00:00:01.000Z", customTitle="second")])
    await store.append(session_key("other", "elsewhere"), _entries("x"))
    summaries = await store.list_session_summaries("project")
    _check([s["session_id"] for s in summaries] == ["session"], "a project's summaries are listed, no others")
    summary = summaries[0]
    _check(summary["mtime"] > _SINCE_2001_IN_MS, "mtime is in milliseconds since the epoch")
    expected = fold_session_summary(
        None,
        _KEY,
        [
            _entry(timestamp="2024-01-01T00:00:00.000Z", customTitle="first"),
            _entry(timestamp="2024-01-01T00:00:01.000Z", customTitle="second"),
        ],
    )
    _check(summary["data"] == expected["data"], "a summary is what fold_session_summary made of all appends")
    await store.append(_AGENT, [_entry(timestamp="2024-01-01T00:00:02.000Z", customTitle="an agent's")])
    again = await store.list_session_summaries("project")
    _check([s["data"] for s in again] == [summary["data"]], "a sub-agent's entries are not folded in")
    _check(await store.list_session_summaries("unknown") == [], "an unknown project has no summaries")


async def _dates_summaries_like_sessions(store: SessionStore) -> None:
    await store.append(_KEY, [_entry(timestamp="2024-01-01T00:00:00.000Z")])
    (listed,), (summary,) = await store.list_sessions("project"), await store.list_session_summaries("project")
    _check(summary["mtime"] >= listed["mtime"], "a fresh summary is not older than its session, on one clock")


async def _deletes_with_all_subpaths(store: SessionStore) -> None:
    others = [session_key("project", "other"), session_key("other", "session")]
    await store.delete(session_key("project", "never written"))
    for key in (_KEY, _AGENT, _SECOND_AGENT, *others):
        await store.append(key, _entries("x"))
    await store.delete(_KEY)
    for key in (_KEY, _AGENT, _SECOND_AGENT):
        await _holds(store, key, None, "deleting a session removes it with its sub-agents")
    for key in others:
        await _holds(store, key, _entries("x"), "deleting a session leaves the others")


async def _forgets_deleted_sessions(store: SessionStore) -> None:
    await store.append(_KEY, _entries("x"))
    await store.delete(_KEY)
    if implements(store, "list_sessions"):
        _check(await store.list_sessions("project") == [], "a deleted session is not listed")
    if implements(store, "list_session_summaries"):
        _check(await store.list_session_summaries("project") == [], "a deleted session has no summary")
    if implements(store, "list_subkeys"):
        _check(await _subkeys(store) == [], "a deleted session has no subpaths")


async def _deletes_one_subpath(store: SessionStore) -> None:
    for key in (_KEY, _AGENT, _SECOND_AGENT):
        await store.append(key, _entries("x"))
    await store.delete(_AGENT)
    await _holds(store, _AGENT, None, "deleting a subpath removes it")
    for key in (_KEY, _SECOND_AGENT):
        await _holds(store, key, _entries("x"), "deleting a subpath removes nothing else")


async def _lists_subkeys(store: SessionStore) -> None:
    await store.append(_KEY, _entries("x"))
    _check(await _subkeys(store) == [], "the conversation itself is not among the subpaths")
    for key in (_AGENT, _SECOND_AGENT, session_key("project", "other", "subagents/agent-3")):
        await store.append(key, _entries("x"))
    found = sorted(await _subkeys(store))
    _check(found == ["subagents/agent-1", "subagents/agent-2"], "a session's subpaths are listed, no others")


_CONTRACTS: dict[Contract, tuple[str, ...]] = {
    _keeps_entries_in_order: (),
    _keeps_entries_without_uuid: (),
    _keeps_values: (),
    _knows_what_it_never_saw: (),
    _takes_empty_appends: (),
    _separates_subpaths: (),
    _separates_projects: (),
    _lists_sessions: ("list_sessions",),
    _lists_no_subagents_as_sessions: ("list_sessions",),
    _summarises: ("list_session_summaries",),
    _dates_summaries_like_sessions: ("list_session_summaries", "list_sessions"),
    _deletes_with_all_subpaths: ("delete",),
    _forgets_deleted_sessions: ("delete",),
    _deletes_one_subpath: ("delete",),
    _lists_subkeys: ("list_subkeys",),
}
"""Each promise and the optional methods it is about."""


async def _holds(store: SessionStore, key: SessionKey, expected: list[SessionStoreEntry] | None, promise: str) -> None:
    found = await store.load(key)
    _check(found == expected, f"{promise} (load({key!r}) gave {found!r})")


async def _subkeys(store: SessionStore) -> list[str]:
    return await store.list_subkeys({"project_key": "project", "session_id": "session"})


def _check(kept: bool, promise: str) -> None:
    if not kept:
        raise AssertionError(f"Broken promise of a session store: {promise}")


def _entries(*uuids: str) -> list[SessionStoreEntry]:
    return [_entry(uuid=uuid) for uuid in uuids]


def _entry(**fields: Any) -> SessionStoreEntry:
    return cast(SessionStoreEntry, {"type": "x", **fields})
