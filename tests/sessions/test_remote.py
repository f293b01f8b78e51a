from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import fsspec
import pytest

from claude_nb.sessions import FsspecSessionStore, SessionKey
from claude_nb.sessions.store import session_key
from tests.sessions.transcripts import SESSION, parallel_calls, small_talk

pytestmark = pytest.mark.anyio

KEY = session_key("project", SESSION)


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


async def test_each_append_is_a_file_of_its_own_in_the_order_of_writing(tmp_path: Path) -> None:
    store = FsspecSessionStore(str(tmp_path))
    for entry in parallel_calls().entries:
        await store.append(KEY, [entry])  # type: ignore
    names = [name for name in files(tmp_path) if name.endswith(".jsonl")]
    assert len(names) == 7
    assert b"".join((tmp_path / name).read_bytes() for name in names).count(b"\n") == 7
    assert await store.load(KEY) == parallel_calls().entries


async def test_another_process_reads_what_this_one_wrote(tmp_path: Path) -> None:
    await FsspecSessionStore(str(tmp_path)).append(KEY, small_talk().entries)  # type: ignore
    again = FsspecSessionStore(f"file://{tmp_path}")
    assert await again.load(KEY) == small_talk().entries
    assert [s["data"]["first_prompt"] for s in await again.list_session_summaries("project")] == ["Hello"]


async def test_a_ready_file_system_can_be_given() -> None:
    memory = fsspec.filesystem("memory")
    await FsspecSessionStore("/given/place/", filesystem=memory).append(KEY, small_talk().entries)  # type: ignore
    assert await FsspecSessionStore("memory://given/place").load(KEY) == small_talk().entries


@pytest.mark.parametrize("project", ["tenant/project", "with [brackets] and *", "ümläut 😀", "a%2Fb", "C:\\x"])
async def test_any_name_of_a_project_is_a_folder_of_its_own(tmp_path: Path, project: str) -> None:
    root = tmp_path / "root [of] all"
    store = FsspecSessionStore(str(root))
    key = session_key(project, "any session", "subagents/agent-ü")
    await store.append(session_key(project, "any session"), [{"type": "x"}])
    await store.append(key, [{"type": "y"}])
    assert await store.load(key) == [{"type": "y"}]
    assert [s["session_id"] for s in await store.list_sessions(project)] == ["any session"]
    assert await store.list_subkeys({"project_key": project, "session_id": "any session"}) == ["subagents/agent-ü"]
    assert await store.list_sessions("tenant") == []
    assert len(list(root.iterdir())) == 1
    await store.delete(session_key(project, "any session"))
    assert await store.load(key) is None


@pytest.mark.parametrize(
    "key",
    [
        session_key("..", "s"),
        session_key("p", "."),
        session_key("p", ""),
        session_key("p", "s", "../../x"),
        session_key("p", "s", "a//b"),
    ],
)
async def test_a_key_cannot_lead_out_of_the_store(tmp_path: Path, key: SessionKey) -> None:
    store = FsspecSessionStore(str(tmp_path / "store"))
    with pytest.raises(ValueError, match="not a session key"):
        await store.append(key, [{"type": "x"}])
    assert files(tmp_path) == []


async def test_a_summary_that_misses_an_append_is_not_used(tmp_path: Path) -> None:
    first, second = FsspecSessionStore(str(tmp_path)), FsspecSessionStore(str(tmp_path))
    await first.append(KEY, small_talk().entries)  # type: ignore
    summary = tmp_path / "project" / SESSION / "summary.json"
    stale = summary.read_bytes()
    await second.append(KEY, [{"type": "custom-title", "customTitle": "new"}])  # type: ignore
    assert len(await first.list_session_summaries("project")) == 1
    summary.write_bytes(stale)  # as if both had folded at once and the first had won
    assert await first.list_session_summaries("project") == []
    assert len(await first.list_sessions("project")) == 1


async def test_a_summary_that_cannot_be_written_costs_no_entries(tmp_path: Path) -> None:
    store = FsspecSessionStore(str(tmp_path))
    (tmp_path / "project" / SESSION / "summary.json").mkdir(parents=True)
    await store.append(KEY, small_talk().entries)  # type: ignore
    assert await store.load(KEY) == small_talk().entries


async def test_half_an_object_costs_its_last_line_only(tmp_path: Path) -> None:
    store = FsspecSessionStore(str(tmp_path))
    await store.append(KEY, small_talk().entries)  # type: ignore
    (part,) = (tmp_path / "project" / SESSION).glob("*.jsonl")
    part.write_bytes(part.read_bytes()[:-5])
    await store.append(KEY, small_talk().entries)  # type: ignore
    assert await store.load(KEY) == small_talk().entries


async def test_appends_at_once_are_all_kept_and_summed_up(tmp_path: Path) -> None:
    store = FsspecSessionStore(str(tmp_path))
    async with anyio.create_task_group() as group:
        for number in range(20):
            entries: Any = [{"type": "last-prompt", "lastPrompt": str(number)}]
            group.start_soon(store.append, KEY, entries)
    assert len(await store.load(KEY) or []) == 20
    assert len(await store.list_session_summaries("project")) == 1


def test_fsspec_is_loaded_only_when_a_store_is_made() -> None:
    code = "import sys, claude_nb.sessions; print('fsspec' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout == "False\n"
