from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest

from claude_nb.sessions import InMemorySessionStore, Mirror
from claude_nb.sessions.mirror import MAX_BYTES, MAX_ENTRIES, MirrorFailure, key_of_file
from claude_nb.sessions.store import session_key
from tests.sessions.transcripts import SESSION

pytestmark = pytest.mark.anyio

KEY = session_key("proj", SESSION)
ROOT = "/config/projects"
FILE = f"{ROOT}/proj/{SESSION}.jsonl"
AGENT = f"{ROOT}/proj/{SESSION}/subagents/agent-1.jsonl"


def entries(*names: str) -> list[Any]:
    return [{"type": "x", "uuid": name} for name in names]


class Recording(InMemorySessionStore):
    """Remembers its appends; fails or waits as told."""

    def __init__(self, *failures: Exception):
        super().__init__()
        self.appends: list[tuple[str, list[str]]] = []
        self.failures = list(failures)
        self.busy = 0
        self.entered, self.gate = anyio.Event(), anyio.Event()
        self.gate.set()

    async def append(self, key: Any, new: Any) -> None:
        assert self.busy == 0, "asked twice at once"
        self.busy += 1
        try:
            self.entered.set()
            await self.gate.wait()
            self.appends.append((key.get("subpath", ""), [entry["uuid"] for entry in new]))
            if self.failures:
                raise self.failures.pop(0)
            await super().append(key, new)
        finally:
            self.busy -= 1


def mirror(store: Recording, **options: Any) -> Mirror:
    return Mirror(store, ROOT, **{"retry_delays": (0, 0), **options})


async def test_frames_wait_for_the_flush_and_go_in_one_append_per_file() -> None:
    store = Recording()
    mirrored = mirror(store)
    assert not mirrored.add(FILE, entries("a", "b"))
    assert not mirrored.add(AGENT, entries("s"))
    assert not mirrored.add(FILE, entries("c"))
    assert (store.appends, mirrored.pending) == ([], 4)
    assert await mirrored.flush() == []
    assert store.appends == [("", ["a", "b", "c"]), ("subagents/agent-1", ["s"])]
    assert mirrored.pending == 0
    assert await mirrored.flush() == []
    assert len(store.appends) == 2


async def test_many_or_long_entries_ask_for_a_flush() -> None:
    mirrored = mirror(Recording())
    assert not mirrored.add(FILE, entries(*map(str, range(MAX_ENTRIES))))
    assert mirrored.add(FILE, entries("one more"))
    await mirrored.flush()
    assert not mirrored.add(FILE, entries("a"), size=MAX_BYTES)
    assert mirrored.add(FILE, entries("b"), size=1)
    await mirrored.flush()
    assert mirrored.add(FILE, [{"type": "x", "text": "x" * MAX_BYTES}])  # type: ignore


async def test_an_eager_mirror_asks_for_a_flush_at_every_frame() -> None:
    assert mirror(Recording(), eager=True).add(FILE, entries("a"))


async def test_an_empty_frame_is_not_worth_an_append() -> None:
    store = Recording()
    mirrored = mirror(store)
    mirrored.add(FILE, [])
    assert await mirrored.flush() == []
    assert store.appends == []


async def test_flushes_at_once_keep_the_order_and_never_overlap() -> None:
    store = Recording()
    store.gate = anyio.Event()
    mirrored = mirror(store)
    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            mirrored.add(FILE, entries("a"))
            group.start_soon(mirrored.flush)
            await store.entered.wait()
            mirrored.add(FILE, entries("b"))
            group.start_soon(mirrored.flush)
            mirrored.add(FILE, entries("c"))
            group.start_soon(mirrored.flush)
            store.gate.set()
    assert [uuid for _, uuids in store.appends for uuid in uuids] == ["a", "b", "c"]


async def test_after_a_flush_everything_added_before_it_is_stored() -> None:
    store = Recording()
    store.gate = anyio.Event()
    mirrored = mirror(store)
    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            mirrored.add(FILE, entries("a"))
            group.start_soon(mirrored.flush)
            await store.entered.wait()
            store.gate.set()
            await mirrored.flush()  # finds nothing waiting, yet must not overtake the first
            assert store.appends == [("", ["a"])]


async def test_a_failed_append_is_tried_three_times() -> None:
    store = Recording(OSError("first"), TimeoutError("the store's own"))
    mirrored = mirror(store)
    mirrored.add(FILE, entries("a"))
    assert await mirrored.flush() == []
    assert len(store.appends) == 3
    assert store.get_entries(KEY) == entries("a")


async def test_what_fails_for_good_is_reported_and_stops_nothing_else() -> None:
    store = Recording(OSError(), OSError(), OSError("third"), OSError())
    mirrored = mirror(store)
    mirrored.add(FILE, entries("a"))
    mirrored.add(AGENT, entries("s"))
    assert await mirrored.flush() == [MirrorFailure(KEY, "third")]
    assert store.get_entries(session_key("proj", SESSION, "subagents/agent-1")) == entries("s")
    mirrored.add(FILE, entries("b"))
    assert await mirrored.flush() == []
    assert store.get_entries(KEY) == entries("b")


async def test_an_error_without_words_is_reported_by_its_name() -> None:
    mirrored = mirror(Recording(*[ConnectionResetError() for _ in range(3)]))
    mirrored.add(FILE, entries("a"))
    assert await mirrored.flush() == [MirrorFailure(KEY, "ConnectionResetError")]


async def test_a_store_that_does_not_answer_is_given_up_and_not_asked_again() -> None:
    store = Recording()
    store.gate = anyio.Event()
    mirrored = mirror(store, append_timeout=0.01)
    mirrored.add(FILE, entries("a"))
    with anyio.fail_after(10):
        assert await mirrored.flush() == [MirrorFailure(KEY, "the store did not answer within 0.01 s")]
    assert store.appends == []


async def test_a_cancelled_flush_leaves_its_entries_for_the_next_in_order() -> None:
    store = Recording()
    store.gate = anyio.Event()
    mirrored = mirror(store)
    mirrored.add(FILE, entries("a"))
    mirrored.add(AGENT, entries("s"))
    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            group.start_soon(mirrored.flush)
            await store.entered.wait()
            mirrored.add(FILE, entries("b"))
            group.cancel_scope.cancel()
    assert mirrored.pending == 3
    store.gate.set()
    await mirrored.flush()
    assert store.appends == [("", ["a", "b"]), ("subagents/agent-1", ["s"])]


async def test_files_elsewhere_are_reported(tmp_path: Path) -> None:
    store = Recording()
    mirrored = mirror(store)
    mirrored.add("/other/place/x.jsonl", entries("a"))
    (failure,) = await mirrored.flush()
    assert failure.key is None
    assert "/other/place/x.jsonl" in failure.error
    assert store.appends == []


@pytest.mark.parametrize(
    ("file", "key"),
    [
        (FILE, KEY),
        (AGENT, session_key("proj", SESSION, "subagents/agent-1")),
        (f"{ROOT}/p/s/subagents/workflows/run/agent-2.jsonl", session_key("p", "s", "subagents/workflows/run/agent-2")),
        (f"{ROOT}/p/s/x.jsonl", None),
        (f"{ROOT}/x.jsonl", None),
        (f"{ROOT}/p/s.json", None),
        (f"{ROOT}/../projects/p/s.jsonl", None),
        (f"{ROOT}/p/../../../etc/x.jsonl", None),
        (f"{ROOT}2/p/s.jsonl", None),
        ("", None),
        (ROOT, None),
    ],
)
def test_the_place_of_a_file_is_its_key(file: str, key: Any) -> None:
    assert key_of_file(file, ROOT) == key


def test_a_config_folder_behind_a_link_is_the_same_folder(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert key_of_file(str(tmp_path / "real" / "p" / "s.jsonl"), str(tmp_path / "link")) == session_key("p", "s")
