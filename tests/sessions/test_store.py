from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from claude_nb.sessions import FsspecSessionStore, InMemorySessionStore, SessionStore
from claude_nb.sessions.store import implements, session_key
from claude_nb.testing.conformance import run_session_store_conformance
from tests.sessions.transcripts import SESSION, small_talk

pytestmark = pytest.mark.anyio

KEY = session_key("project", SESSION)
AGENT = session_key("project", SESSION, "subagents/agent-1")


class Plain:
    """The least a store can be, and no subclass of ours."""

    def __init__(self) -> None:
        self.kept: dict[str, list[Any]] = {}

    async def append(self, key: Any, entries: Any) -> None:
        if entries:
            self.kept.setdefault(repr(sorted(key.items())), []).extend(entries)

    async def load(self, key: Any) -> Any:
        return self.kept.get(repr(sorted(key.items())))


STORES: dict[str, Callable[[Path], SessionStore]] = {
    "memory": lambda _: InMemorySessionStore(),
    "plain": lambda _: Plain(),  # type: ignore
    "fsspec memory": lambda _: FsspecSessionStore(f"memory://{uuid4()}/sessions/"),
    "fsspec folder": lambda folder: FsspecSessionStore(str(folder / str(uuid4()))),
    "fsspec url": lambda folder: FsspecSessionStore(f"file://{folder}/{uuid4()}"),
}


@pytest.fixture(params=STORES, ids=str)
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], SessionStore]:
    return lambda: STORES[request.param](tmp_path)


async def test_our_stores_keep_every_promise(make_store: Callable[[], SessionStore]) -> None:
    await run_session_store_conformance(make_store)


async def test_the_kit_takes_an_async_maker_and_leaves_out_what_it_is_told() -> None:
    asked: list[str] = []

    class Strict(InMemorySessionStore):
        async def delete(self, key: Any) -> None:
            asked.append("delete")

    async def make() -> SessionStore:
        return Strict()

    await run_session_store_conformance(make, skip_optional=frozenset({"delete"}))
    assert asked == []
    with pytest.raises(ValueError, match="not optional methods of a session store: append"):
        await run_session_store_conformance(make, skip_optional=frozenset({"append"}))


class Reordering(InMemorySessionStore):
    async def append(self, key: Any, entries: Any) -> None:
        await super().append(key, sorted(entries, key=str))


class EmptyForUnknown(InMemorySessionStore):
    async def load(self, key: Any) -> Any:
        return await super().load(key) or []


class OneProject(InMemorySessionStore):
    async def append(self, key: Any, entries: Any) -> None:
        await super().append({**key, "project_key": "project"}, entries)

    async def load(self, key: Any) -> Any:
        return await super().load({**key, "project_key": "project"})


class SubpathBlind(InMemorySessionStore):
    async def append(self, key: Any, entries: Any) -> None:
        await super().append(session_key(key["project_key"], key["session_id"]), entries)


class Seconds(InMemorySessionStore):
    async def list_sessions(self, project_key: str) -> Any:
        return [{**s, "mtime": s["mtime"] // 1000} for s in await super().list_sessions(project_key)]


class EntryTimes(InMemorySessionStore):
    async def list_session_summaries(self, project_key: str) -> Any:
        return [{**s, "mtime": 1704067200000} for s in await super().list_session_summaries(project_key)]


class Orphaning(InMemorySessionStore):
    async def delete(self, key: Any) -> None:
        self._entries.pop((key["project_key"], key["session_id"], key.get("subpath", "")), None)
        self._mtimes.pop((key["project_key"], key["session_id"], key.get("subpath", "")), None)


class NotListing(InMemorySessionStore):
    async def list_subkeys(self, key: Any) -> list[str]:
        return []


@pytest.mark.parametrize(
    ("store", "promise"),
    [
        (Reordering, "entries come back equal and in the order of the appends"),
        (EmptyForUnknown, "an unknown session is None"),
        (OneProject, "the same session id in another project is another session"),
        (SubpathBlind, "a sub-agent's entries are not the conversation's"),
        (Seconds, "mtime is in milliseconds"),
        (EntryTimes, "a fresh summary is not older than its session"),
        (Orphaning, "deleting a session removes it with its sub-agents"),
        (NotListing, "a session's subpaths are listed"),
    ],
)
async def test_the_kit_names_the_promise_that_a_store_breaks(store: type[SessionStore], promise: str) -> None:
    with pytest.raises(AssertionError, match=f"Broken promise of a session store: {promise}"):
        await run_session_store_conformance(store)


def test_a_method_that_is_only_inherited_is_not_there() -> None:
    class Small(SessionStore):
        pass

    assert not implements(Small(), "delete")
    assert not implements(Plain(), "list_sessions")  # type: ignore
    assert implements(InMemorySessionStore(), "list_subkeys")


async def test_an_entry_appended_again_is_kept_once(make_store: Callable[[], SessionStore]) -> None:
    store = make_store()
    if isinstance(store, Plain):
        return  # promises nothing of the kind
    entries: list[Any] = small_talk().entries
    await store.append(KEY, entries)
    await store.append(KEY, [*entries, {"type": "tag", "tag": "x"}])
    assert await store.load(KEY) == [*entries, {"type": "tag", "tag": "x"}]


async def test_what_a_store_gave_away_is_not_what_it_keeps() -> None:
    store = InMemorySessionStore()
    mine: list[Any] = [{"type": "x", "nested": {"a": 1}}]
    await store.append(KEY, mine)
    mine[0]["nested"]["a"] = 2
    (loaded,) = await store.load(KEY) or []
    loaded["nested"]["a"] = 3  # type: ignore
    assert await store.load(KEY) == [{"type": "x", "nested": {"a": 1}}]


async def test_the_memory_store_can_be_looked_into_and_emptied() -> None:
    store = InMemorySessionStore()
    await store.append(KEY, [{"type": "x"}])
    await store.append(AGENT, [{"type": "y"}])
    assert (store.size, store.get_entries(KEY), store.get_entries(AGENT)) == (1, [{"type": "x"}], [{"type": "y"}])
    store.clear()
    assert (store.size, await store.load(KEY), await store.list_session_summaries("project")) == (0, None, [])
