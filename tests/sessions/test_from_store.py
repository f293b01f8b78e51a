"""The twins over a store tell and do the same as those over files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from claude_nb import sessions
from claude_nb.errors import SessionNotFoundError
from claude_nb.sessions import InMemorySessionStore, SessionStore
from claude_nb.sessions.store import session_key
from tests.sessions.transcripts import OTHER, SESSION, Transcript, parallel_calls, small_talk, uuid

pytestmark = pytest.mark.anyio


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


async def put(store: SessionStore, talk: Transcript, project: Path) -> None:
    entries: Any = talk.entries
    await store.append(session_key(sessions.project_key_for_directory(project), talk.session_id), entries)


class Counting(InMemorySessionStore):
    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []

    async def load(self, key: Any) -> Any:
        self.loads.append(key["session_id"])
        return await super().load(key)


class WithoutSummaries(Counting):
    list_session_summaries = SessionStore.list_session_summaries


class OnlySummaries(Counting):
    list_sessions = SessionStore.list_sessions


class Least(Counting):
    list_session_summaries = SessionStore.list_session_summaries
    list_sessions = SessionStore.list_sessions
    list_subkeys = SessionStore.list_subkeys
    delete = SessionStore.delete


async def test_a_session_reads_the_same_from_disk_and_from_a_store(config: Path, project: Path) -> None:
    talk = parallel_calls()
    talk.note("tag", tag="exp")
    talk.save(config, project)
    agent = Transcript()
    agent.user("task", isSidechain=True)
    folder = config / "projects" / sessions.project_key_for_directory(project) / SESSION / "subagents" / "workflows"
    folder.mkdir(parents=True)
    (folder / "agent-a1.jsonl").write_bytes(agent.bytes())
    (folder / "agent-a1.meta.json").write_text('{"toolUseId": "toolu_1", "type": "stray"}')

    store = InMemorySessionStore()
    await sessions.import_session_to_store(SESSION, store, directory=project)

    on_disk = sessions.get_session_info(SESSION, project)
    in_store = await sessions.get_session_info_from_store(store, SESSION, project)
    assert on_disk is not None
    assert in_store is not None
    on_disk.file_size, on_disk.last_modified = None, in_store.last_modified
    assert in_store == on_disk
    assert in_store.last_modified == 1767225607000
    assert await sessions.get_session_messages_from_store(
        store, SESSION, project, limit=3, offset=1
    ) == sessions.get_session_messages(SESSION, project, limit=3, offset=1)
    assert await sessions.list_subagents_from_store(store, SESSION, project) == ["a1"]
    messages = await sessions.get_subagent_messages_from_store(store, SESSION, "a1", project)
    assert messages == sessions.get_subagent_messages(SESSION, "a1", project)
    assert messages[0].parent_tool_use_id == "toolu_1"
    assert await sessions.get_subagent_messages_from_store(store, SESSION, "a2", project) == []


async def test_importing_again_changes_nothing(config: Path, project: Path) -> None:
    parallel_calls().save(config, project)
    store = InMemorySessionStore()
    for size in (2, 500, -1):
        await sessions.import_session_to_store(SESSION, store, directory=project, batch_size=size)
    key = session_key(sessions.project_key_for_directory(project), SESSION)
    assert store.get_entries(key) == parallel_calls().entries


async def test_importing_goes_in_batches_and_can_leave_out_sub_agents(config: Path, project: Path) -> None:
    class Batches(InMemorySessionStore):
        sizes: list[int] = []

        async def append(self, key: Any, entries: Any) -> None:
            self.sizes.append(len(entries))

    path = parallel_calls().save(config, project)
    (path.with_suffix("") / "subagents").mkdir(parents=True)
    (path.with_suffix("") / "subagents" / "agent-x.jsonl").write_bytes(small_talk().bytes())
    await sessions.import_session_to_store(SESSION, Batches(), batch_size=3, include_subagents=False)
    assert Batches.sizes == [3, 3, 1]


async def test_what_is_not_on_disk_cannot_be_imported() -> None:
    with pytest.raises(SessionNotFoundError):
        await sessions.import_session_to_store(SESSION, InMemorySessionStore())
    with pytest.raises(ValueError, match="must be a UUID"):
        await sessions.import_session_to_store("x", InMemorySessionStore())


@pytest.mark.parametrize("make", [Counting, WithoutSummaries, OnlySummaries])
async def test_listing_tells_the_same_by_summaries_and_by_loading(make: type[Counting], project: Path) -> None:
    store = make()
    aside = small_talk(uuid(3))
    aside.entries[0]["isSidechain"] = True
    for talk in (small_talk(uuid(1), "one"), small_talk(uuid(2), "two"), aside, small_talk(uuid(4), "four")):
        await put(store, talk, project)
    await store.append(session_key("elsewhere", uuid(5)), [{"type": "x"}])
    listed = await sessions.list_sessions_from_store(store, project)
    assert [(s.session_id, s.first_prompt) for s in listed] == [
        (uuid(4), "four"), (uuid(2), "two"), (uuid(1), "one"),
    ]  # fmt: skip
    assert await sessions.list_sessions_from_store(store, project, limit=1, offset=1) == listed[1:2]


async def test_fresh_summaries_save_loading(project: Path) -> None:
    store = Counting()
    for number in range(1, 30):
        await put(store, small_talk(uuid(number)), project)
    assert len(await sessions.list_sessions_from_store(store, project)) == 29
    assert store.loads == []


async def test_a_summary_older_than_its_session_is_not_believed(project: Path) -> None:
    class Stale(Counting):
        async def list_session_summaries(self, project_key: str) -> Any:
            found = await super().list_session_summaries(project_key)
            found[0]["mtime"] -= 1
            found[0]["data"]["last_prompt"] = found[1]["data"]["last_prompt"] = "from the summary"
            return found

    store = Stale()
    for number in (1, 2):
        await put(store, small_talk(uuid(number)), project)
    listed = await sessions.list_sessions_from_store(store, project)
    assert [(s.session_id, s.summary) for s in listed] == [(uuid(2), "from the summary"), (uuid(1), "Hello")]
    assert store.loads == [uuid(1)]


async def test_a_page_loads_only_what_it_shows_and_is_full_all_the_same(project: Path) -> None:
    store = WithoutSummaries()
    for number in range(1, 101):
        talk = small_talk(uuid(number))
        if number > 80:
            talk.entries[0]["isSidechain"] = True
        await put(store, talk, project)
    listed = await sessions.list_sessions_from_store(store, project, limit=5)
    assert [s.session_id for s in listed] == [uuid(n) for n in range(80, 75, -1)]
    assert len(store.loads) <= 40


async def test_a_session_that_fails_to_load_is_listed_without_hiding_the_others(project: Path) -> None:
    class Broken(WithoutSummaries):
        async def load(self, key: Any) -> Any:
            if key["session_id"] == SESSION:
                raise ConnectionError("gone")
            return await super().load(key)

    store = Broken()
    for session_id in (SESSION, OTHER):
        await put(store, small_talk(session_id), project)
    listed = await sessions.list_sessions_from_store(store, project)
    assert [(s.session_id, s.summary) for s in listed] == [(OTHER, "Hello"), (SESSION, "")]


async def test_a_store_says_what_it_cannot_do(project: Path) -> None:
    store = Least()
    await put(store, small_talk(), project)
    with pytest.raises(ValueError, match="neither list_sessions"):
        await sessions.list_sessions_from_store(store, project)
    with pytest.raises(ValueError, match="no list_subkeys"):
        await sessions.list_subagents_from_store(store, SESSION, project)
    await sessions.delete_session_via_store(store, SESSION, project)
    assert len(await sessions.get_session_messages_from_store(store, SESSION, project)) == 2


async def test_a_sub_agent_is_found_in_a_store_that_cannot_list_them(project: Path) -> None:
    store = Least()
    key = session_key(sessions.project_key_for_directory(project), SESSION, "subagents/agent-a1")
    agent: list[Any] = small_talk().entries
    await store.append(key, [*agent, {"type": "agent_metadata", "toolUseId": "old"}])  # type: ignore
    await store.append(key, [{"type": "agent_metadata", "toolUseId": "new"}])  # type: ignore
    found = await sessions.get_subagent_messages_from_store(store, SESSION, "a1", project)
    assert [m.parent_tool_use_id for m in found] == ["new", "new"]


async def test_a_session_in_a_store_is_renamed_tagged_forked_and_deleted(project: Path) -> None:
    store = InMemorySessionStore()
    await put(store, parallel_calls(), project)
    await sessions.rename_session_via_store(store, SESSION, " Title ", project)
    await sessions.tag_session_via_store(store, SESSION, "exp", project)
    (listed,) = await sessions.list_sessions_from_store(store, project)
    assert (listed.custom_title, listed.tag) == ("Title", "exp")
    await sessions.tag_session_via_store(store, SESSION, None, project)

    fork = await sessions.fork_session_via_store(store, SESSION, project)
    cut = await sessions.fork_session_via_store(store, SESSION, project, up_to_message_id=uuid(1), title="Cut")
    listed_now = await sessions.list_sessions_from_store(store, project)
    assert [(s.session_id, s.custom_title, s.tag) for s in listed_now] == [
        (cut.session_id, "Cut", None),
        (fork.session_id, "Title (fork)", None),
        (SESSION, "Title", None),
    ]
    new = await sessions.get_session_messages_from_store(store, fork.session_id, project)
    old = await sessions.get_session_messages_from_store(store, SESSION, project)
    assert [m.message for m in new] == [m.message for m in old]
    assert len(await sessions.get_session_messages_from_store(store, cut.session_id, project)) == 1

    await sessions.delete_session_via_store(store, SESSION, project)
    assert await sessions.get_session_info_from_store(store, SESSION, project) is None


async def test_bad_ids_are_refused_or_find_nothing(project: Path) -> None:
    store = InMemorySessionStore()
    assert await sessions.get_session_info_from_store(store, "x", project) is None
    assert await sessions.get_session_messages_from_store(store, "x", project) == []
    assert await sessions.list_subagents_from_store(store, "x", project) == []
    assert await sessions.get_subagent_messages_from_store(store, SESSION, "", project) == []
    for call in (
        sessions.rename_session_via_store(store, "x", "t", project),
        sessions.tag_session_via_store(store, "x", "t", project),
        sessions.delete_session_via_store(store, "x", project),
        sessions.fork_session_via_store(store, "x", project),
        sessions.fork_session_via_store(store, SESSION, project, up_to_message_id="x"),
    ):
        with pytest.raises(ValueError, match="must be a UUID"):
            await call
    with pytest.raises(SessionNotFoundError):
        await sessions.fork_session_via_store(store, SESSION, project)
