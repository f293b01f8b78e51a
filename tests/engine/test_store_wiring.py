"""A session store beside a running session: everything is there before a result is told; resumes come from it."""

import json
import shutil
from pathlib import Path

import anyio
import pytest

from claude_nb import (
    ClaudeAgentOptions,
    InMemorySessionStore,
    MirrorErrorMessage,
    OptionsError,
    ResultMessage,
    Session,
    SessionStoreError,
    query,
)
from claude_nb.sessions import SessionStore, get_session_messages_from_store, project_key_for_directory
from claude_nb.testing import Text, ToolUse

from .fake import FakeCLI, result

pytestmark = pytest.mark.anyio


class Recorder(InMemorySessionStore):
    """Notes what was appended; `gate` holds an append back, `fault` fails it."""

    def __init__(self, fault: Exception | None = None):
        super().__init__()
        self.appended: list[str] = []
        self.asked, self.gate = anyio.Event(), anyio.Event()
        self.gate.set()
        self.fault = fault

    async def append(self, key, entries):
        self.asked.set()
        await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        self.appended += [str(entry.get("type")) for entry in entries]
        await super().append(key, entries)


class Mute(SessionStore):
    """Has only what a store must have."""

    async def append(self, key, entries):
        raise AssertionError

    async def load(self, key):
        raise AssertionError


async def ask(options, prompt):
    with anyio.fail_after(60):
        return [message async for message in query(prompt=prompt, options=options)]


# -- with the real CLI --------------------------------------------------------------------------------------------


async def test_when_a_result_is_told_the_store_has_the_turn(options):
    store = Recorder()
    stored_at_result = []

    def listen(message):
        if isinstance(message, ResultMessage):
            stored_at_result.append(list(store.appended))

    async with Session(options(session_store=store), listener=listen) as session:
        for prompt in ("one", "two"):
            with anyio.fail_after(60):
                await (await session.prompt(prompt)).result()
            assert store.appended.count("assistant") == len(stored_at_result)
    assert [stored.count("assistant") for stored in stored_at_result] == [1, 2]
    assert "cost-state" in store.appended  # what the CLI writes at its end is there too


@pytest.mark.parametrize("flush", ["batched", "eager"])
async def test_a_session_can_be_resumed_from_the_store_when_the_disk_has_forgotten_it(model, options, tmp_path, flush):
    store = InMemorySessionStore()
    settings = options(session_store=store, session_store_flush=flush, allowed_tools=["Bash"])
    model.reply(ToolUse("Bash", {"command": "echo plum"}))
    model.reply(Text("the word is apple"))
    session_id = (await ask(settings, "remember the word"))[-1].session_id
    shutil.rmtree(Path(model.env(tmp_path)["CLAUDE_CONFIG_DIR"]) / "projects")
    answer = (await ask(options(session_store=store, resume=session_id), "which word?"))[-1]
    assert answer.session_id == session_id
    assert "apple" in json.dumps(model.requests[-1]["messages"])
    again = (await ask(options(session_store=store, continue_conversation=True), "and again?"))[-1]
    assert again.session_id == session_id
    assert "which word?" in json.dumps(model.requests[-1]["messages"])
    stored = await get_session_messages_from_store(store, session_id, settings.cwd)
    assert len([m for m in stored if m.type == "assistant"]) == 4


async def test_a_fork_from_the_store_is_another_session_there(model, options):
    store = InMemorySessionStore()
    settings = options(session_store=store)
    first = (await ask(settings, "the word is apple"))[-1].session_id
    fork = (await ask(options(session_store=store, resume=first, fork_session=True), "which word?"))[-1].session_id
    assert fork != first
    assert "apple" in json.dumps(model.requests[-1]["messages"])
    listed = await store.list_sessions(project_key_for_directory(settings.cwd))
    assert {session["session_id"] for session in listed} == {first, fork}


async def test_the_folder_laid_out_for_a_resume_is_gone_afterwards(options, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    store = InMemorySessionStore()
    session_id = (await ask(options(session_store=store), "hello"))[-1].session_id
    async with Session(options(session_store=store, resume=session_id)):
        assert len(list(tmp_path.glob("claude-resume-*"))) == 1
    assert list(tmp_path.glob("claude-resume-*")) == []


async def test_a_store_that_fails_is_told_and_the_session_goes_on(options):
    messages = await ask(options(session_store=Recorder(OSError("no space left"))), "hello")
    kinds = [type(m) for m in messages]
    assert kinds.index(MirrorErrorMessage) < kinds.index(ResultMessage)
    failure = next(m for m in messages if isinstance(m, MirrorErrorMessage))
    assert failure.error == "no space left"
    assert failure.key["session_id"] == next(m for m in messages if isinstance(m, ResultMessage)).session_id


async def test_a_store_that_cannot_be_read_keeps_the_session_from_starting(options):
    class Broken(InMemorySessionStore):
        async def load(self, key):
            raise ConnectionError("the network is down")

    with pytest.raises(SessionStoreError, match="the network is down"):
        await ask(options(session_store=Broken(), resume="0b4c2e1e-7a52-4d07-9a53-000000000000"), "hello")


async def test_a_store_that_does_not_answer_keeps_nobody_waiting(options):
    class Slow(InMemorySessionStore):
        asked = anyio.Event()

        async def load(self, key):
            self.asked.set()
            await anyio.sleep_forever()

    store = Slow()
    store.asked = anyio.Event()
    settings = {"session_store": store, "resume": "0b4c2e1e-7a52-4d07-9a53-000000000000"}
    with anyio.fail_after(20), pytest.raises(SessionStoreError, match="did not answer within"):
        await Session(options(**settings, load_timeout_ms=50)).start()
    store.asked = anyio.Event()
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(Session(options(**settings)).start)
            await store.asked.wait()
            tasks.cancel_scope.cancel()


# -- with a fake CLI: a store at its slowest ----------------------------------------------------------------------


async def started(store, tmp_path, cli, seen, **fields):
    settings = ClaudeAgentOptions(session_store=store, env={"CLAUDE_CONFIG_DIR": str(tmp_path)}, **fields)
    session = Session(settings, listener=seen.append, stream=cli)
    await session.start()
    return session


def mirrored(tmp_path, *kinds):
    file = tmp_path / "projects" / "p" / "0b4c2e1e-7a52-4d07-9a53-000000000000.jsonl"
    return {"type": "transcript_mirror", "filePath": str(file), "entries": [{"type": kind} for kind in kinds]}


async def test_a_slow_store_holds_results_back_but_neither_questions_nor_replies(tmp_path):
    store, cli, seen = Recorder(), FakeCLI(echo=False), []
    store.gate = anyio.Event()

    async def allow(name, input, context):
        raise RuntimeError("not today")

    session = await started(store, tmp_path, cli, seen, can_use_tool=allow)
    ticket = await session.prompt("one")
    cli.say(mirrored(tmp_path, "user", "assistant"), result(ticket.uuid), {"type": "system", "subtype": "after"})
    with anyio.fail_after(5):
        await store.asked.wait()
        cli.put("q1", "can_use_tool", tool_name="Bash", input={})
        assert (await cli.heard("control_response"))["response"]["error"] == "not today"
        assert (seen, ticket.done) == ([], False)
        store.gate.set()
        await ticket.result()
    assert [type(m).__name__ for m in seen[:1]] == ["ResultMessage"]
    with anyio.fail_after(5):
        await session.aclose()
    assert [m.subtype for m in seen] == ["success", "after"]
    assert store.appended == ["user", "assistant"]


async def test_the_end_of_a_session_does_not_wait_for_ever_for_its_store(tmp_path, monkeypatch):
    monkeypatch.setattr("claude_nb.engine.mirroring.LAST_FLUSH", 0.05)
    store, cli, seen = Recorder(), FakeCLI(echo=False), []
    store.gate = anyio.Event()
    session = await started(store, tmp_path, cli, seen)
    ticket = await session.prompt("one")
    cli.say(mirrored(tmp_path, "user"), result(ticket.uuid, result="kept"))
    with anyio.fail_after(10):
        await store.asked.wait()
        await session.aclose()
        assert (await ticket.result()).result == "kept"
    assert [type(m).__name__ for m in seen] == ["MirrorErrorMessage", "ResultMessage"]


async def test_an_eager_store_has_entries_before_the_turn_ends(tmp_path):
    store, cli = Recorder(), FakeCLI(echo=False)
    session = await started(store, tmp_path, cli, [], session_store_flush="eager")
    await session.prompt("one")
    cli.say(mirrored(tmp_path, "user"))
    with anyio.fail_after(5):
        await store.asked.wait()
        await session.aclose()
    assert store.appended == ["user"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"session_store": Mute(), "continue_conversation": True}, "list_sessions"),
        ({"session_store": Mute(), "enable_file_checkpointing": True}, "checkpoint"),
        ({"session_store": Mute(), "persist_session": False}, "persist_session"),
    ],
)
async def test_what_does_not_go_with_a_store_is_refused_before_anything_starts(fields, reason):
    with pytest.raises(OptionsError, match=reason):
        Session(ClaudeAgentOptions(**fields))
