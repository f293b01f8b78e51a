from __future__ import annotations

import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from claude_nb import sessions
from claude_nb.errors import OptionsError, SessionStoreError
from claude_nb.sessions import InMemorySessionStore, SessionStore, check_store_options, materialize_resume
from claude_nb.sessions.resume import is_safe_subpath
from claude_nb.sessions.store import session_key
from claude_nb.sessions.transcript import read
from tests.sessions.transcripts import OTHER, SESSION, Transcript, small_talk, uuid

pytestmark = pytest.mark.anyio

KEY = sessions.project_key_for_directory()


@pytest.fixture(autouse=True)
def drafts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where temporary folders go; a test leaves none behind."""
    folder = tmp_path / "drafts"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


async def stored(*talks: Transcript, store: InMemorySessionStore | None = None) -> InMemorySessionStore:
    store = store or InMemorySessionStore()
    for talk in talks:
        entries: Any = talk.entries
        await store.append(session_key(KEY, talk.session_id), entries)
    return store


def content(resumed: sessions.MaterializedResume, subpath: str = "") -> list[Any]:
    file = resumed.config_dir / "projects" / KEY / resumed.session_id
    return read(file / f"{subpath}.jsonl" if subpath else file.with_suffix(".jsonl"))


async def test_a_session_is_laid_out_where_the_cli_looks() -> None:
    store = await stored(small_talk(), small_talk(OTHER))
    async with await materialize_resume(store, SESSION) as resumed:  # type: ignore
        assert resumed.session_id == SESSION
        assert content(resumed) == small_talk().entries
        assert len(list((resumed.config_dir / "projects" / KEY).iterdir())) == 1


async def test_sub_agents_come_along_with_who_started_them() -> None:
    store = await stored(small_talk())
    agent: Any = [*small_talk().entries, {"type": "agent_metadata", "toolUseId": "toolu_1"}]
    await store.append(session_key(KEY, SESSION, "subagents/workflows/run/agent-1"), agent)
    await store.append(session_key(KEY, SESSION, "subagents/agent-2"), agent[-1:])
    async with await materialize_resume(store, SESSION) as resumed:  # type: ignore
        assert content(resumed, "subagents/workflows/run/agent-1") == small_talk().entries
        messages = sessions.get_subagent_messages(SESSION, "1", config_dir=resumed.config_dir)
        assert [m.parent_tool_use_id for m in messages] == ["toolu_1", "toolu_1"]
        assert sorted(p.name for p in resumed.config_dir.rglob("agent-2*")) == ["agent-2.meta.json"]


async def test_without_an_id_the_newest_conversation_is_taken() -> None:
    aside = small_talk(uuid(3))
    aside.entries[0]["isSidechain"] = True
    store = await stored(small_talk(SESSION), small_talk(OTHER), aside)
    await store.append(session_key(KEY, "not-a-uuid"), small_talk().entries)  # type: ignore
    async with await materialize_resume(store) as resumed:  # type: ignore
        assert resumed.session_id == OTHER


async def test_what_the_store_does_not_have_is_not_laid_out() -> None:
    store = await stored(small_talk())
    assert await materialize_resume(store, OTHER) is None
    assert await materialize_resume(store, "../../etc") is None
    assert await materialize_resume(InMemorySessionStore()) is None
    assert await materialize_resume(store, SESSION, cwd="/elsewhere") is None


async def test_a_store_that_cannot_list_sub_agents_gives_the_conversation() -> None:
    class Small(InMemorySessionStore):
        list_subkeys = SessionStore.list_subkeys

    async with await materialize_resume(await stored(small_talk(), store=Small()), SESSION) as resumed:  # type: ignore
        assert content(resumed) == small_talk().entries


@pytest.mark.parametrize(
    "subpath",
    ["", ".", "../x", "a/../../x", "/etc/x", "C:x", "C:\\x", "a\\..\\x", "a//b", "a/", "nul\0x", "\\\\host\\x"],
)
def test_a_subpath_cannot_lead_out_of_the_session(subpath: str) -> None:
    assert not is_safe_subpath(subpath)
    assert is_safe_subpath("subagents/workflows/run-1/agent-a.b")


async def test_a_hostile_subpath_is_left_out_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    class Hostile(InMemorySessionStore):
        async def list_subkeys(self, key: Any) -> list[str]:
            return ["../../../../evil", "subagents/agent-1"]

        async def load(self, key: Any) -> Any:
            return small_talk().entries

    async with await materialize_resume(Hostile(), SESSION) as resumed:  # type: ignore
        assert not list(resumed.config_dir.parent.rglob("evil*"))
        assert content(resumed, "subagents/agent-1") == small_talk().entries
    assert "evil" in caplog.text


async def test_a_store_that_fails_is_an_error_that_names_the_call_and_leaves_nothing() -> None:
    class Broken(InMemorySessionStore):
        async def list_subkeys(self, key: Any) -> list[str]:
            raise ConnectionError("bucket is gone")

    store = await stored(small_talk(), store=Broken())
    with pytest.raises(SessionStoreError, match=r"list_subkeys\(\) failed: bucket is gone"):
        await materialize_resume(store, SESSION)
    with pytest.raises(RuntimeError):
        await materialize_resume(store, SESSION)


async def test_a_store_that_does_not_answer_is_an_error_in_time() -> None:
    class Slow(InMemorySessionStore):
        async def load(self, key: Any) -> Any:
            await anyio.sleep_forever()

    with anyio.fail_after(10), pytest.raises(SessionStoreError, match=r"load\(\) did not answer within 0.01 s"):
        await materialize_resume(Slow(), SESSION, load_timeout=0.01)


async def test_a_cancelled_resume_leaves_nothing(drafts: Path) -> None:
    entered = anyio.Event()

    class Slow(InMemorySessionStore):
        async def list_subkeys(self, key: Any) -> list[str]:
            assert os.listdir(drafts)
            entered.set()
            await anyio.sleep_forever()
            return []

    store = await stored(small_talk(), store=Slow())
    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            group.start_soon(materialize_resume, store, SESSION)
            await entered.wait()
            group.cancel_scope.cancel()


async def test_a_folder_that_is_held_for_a_moment_is_removed_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    resumed = await materialize_resume(await stored(small_talk()), SESSION)
    assert resumed is not None
    real, refusals = shutil.rmtree, [PermissionError(13, "held"), OSError(39, "not empty")]

    def held(*args: Any) -> None:
        if refusals:
            raise refusals.pop()
        real(*args)

    monkeypatch.setattr(shutil, "rmtree", held)
    with anyio.fail_after(10):
        await resumed.aclose()
        await resumed.aclose()
    assert not resumed.config_dir.exists()
    assert refusals == []


def write(folder: Path, name: str, content: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / name).write_text(text, encoding="utf-8-sig" if name == "settings.json" else "utf-8")


async def test_credentials_and_settings_come_along_without_what_would_do_harm(config: Path) -> None:
    write(config, ".credentials.json", {"claudeAiOauth": {"accessToken": "a", "refreshToken": "once"}})
    write(config, ".claude.json", {"account": 1})
    write(config, "settings.json", {
        "apiKeyHelper": "x", "enabledPlugins": {"p": True}, "extraKnownMarketplaces": {},
        "env": {"CLAUDE_CONFIG_DIR": "/away", "KEPT": "1"},
    })  # fmt: skip
    write(config, "cowork_settings.json", "not json")
    async with await materialize_resume(await stored(small_talk()), SESSION) as resumed:  # type: ignore
        copies = {p.name: p.read_text() for p in resumed.config_dir.iterdir() if p.is_file()}
        assert json.loads(copies.pop(".credentials.json")) == {"claudeAiOauth": {"accessToken": "a"}}
        assert json.loads(copies.pop(".claude.json")) == {"account": 1}
        assert json.loads(copies.pop("settings.json")) == {"apiKeyHelper": "x", "env": {"KEPT": "1"}}
        assert copies == {"cowork_settings.json": "not json"}
        if os.name == "posix":
            modes = {stat.S_IMODE(p.stat().st_mode) for p in resumed.config_dir.rglob("*") if p.is_file()}
            assert modes == {0o600}
            assert stat.S_IMODE(resumed.config_dir.stat().st_mode) == 0o700


async def test_the_clis_own_environment_says_where_the_settings_are(tmp_path: Path) -> None:
    composed, decomposed = tmp_path / "\xf6", tmp_path / "o\u0308"
    write(composed, "settings.json", {"mine": 1})
    write(decomposed, ".claude.json", {"account": 1})
    env = {"CLAUDE_CONFIG_DIR": str(decomposed)}
    async with await materialize_resume(await stored(small_talk()), SESSION, env=env) as resumed:  # type: ignore
        assert json.loads((resumed.config_dir / "settings.json").read_text()) == {"mine": 1}
        assert json.loads((resumed.config_dir / ".claude.json").read_text()) == {"account": 1}


async def test_in_the_usual_place_the_account_lies_in_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CLAUDE_CONFIG_DIR")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "made up")  # so that no keychain is asked
    write(tmp_path / "home", ".claude.json", {"account": 1})
    write(tmp_path / "home" / ".claude", ".claude.json", {"account": 2})
    async with await materialize_resume(await stored(small_talk()), SESSION) as resumed:  # type: ignore
        assert json.loads((resumed.config_dir / ".claude.json").read_text()) == {"account": 1}


@pytest.mark.skipif(os.name != "posix", reason="named pipes in folders are a matter of POSIX")
async def test_a_pipe_in_place_of_a_file_does_not_block(config: Path) -> None:
    os.mkfifo(config / "settings.json")
    with anyio.fail_after(10):
        async with await materialize_resume(await stored(small_talk()), SESSION) as resumed:  # type: ignore
            assert not (resumed.config_dir / "settings.json").exists()


def test_options_that_cannot_be_meant_with_a_store_are_refused() -> None:
    class Small(InMemorySessionStore):
        list_sessions = SessionStore.list_sessions

    with pytest.raises(OptionsError, match="needs a store that has list_sessions"):
        check_store_options(Small(), continue_conversation=True)
    with pytest.raises(ValueError, match="enable_file_checkpointing"):
        check_store_options(Small(), enable_file_checkpointing=True)
    check_store_options(Small(), continue_conversation=True, resume=SESSION)
    check_store_options(InMemorySessionStore(), continue_conversation=True)
    check_store_options(None, continue_conversation=True, enable_file_checkpointing=True)
