"""What we write is what the CLI reads, and the other way round: the real CLI, offline, with a scripted model."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import pytest

from claude_nb import sessions
from claude_nb.sessions import FsspecSessionStore, InMemorySessionStore, Mirror, SessionStore, materialize_resume
from claude_nb.sessions.store import session_key
from claude_nb.sessions.transcript import read
from claude_nb.testing import Request, ScriptedModel, Text, ToolUse

TIMEOUT = 60.0
Frame = dict[str, Any]


def cli() -> str:
    """The CLI that the extra `cli` brings."""
    package = find_spec("claude_agent_sdk")
    assert package is not None
    assert package.origin is not None
    name = "claude.exe" if os.name == "nt" else "claude"
    return str(Path(package.origin).parent / "_bundled" / name)


class Machine:
    """A machine with the CLI on it: its own home, a working folder, and a scripted model for the API."""

    def __init__(self, folder: Path, model: ScriptedModel):
        self.model = model
        self.cwd = folder / "work dir ü😀"
        self.cwd.mkdir()
        self.errors = folder / "stderr"
        self.env = {**os.environ, **model.env(folder), "IS_SANDBOX": "1"}
        self.config = Path(self.env["CLAUDE_CONFIG_DIR"])

    def run(self, *prompts: str, flags: tuple[str, ...] = (), env: dict[str, str] | None = None) -> list[Frame]:
        """One process of the CLI: send each prompt when the one before has its result; return all frames."""
        argv = [cli(), "--output-format", "stream-json", "--verbose", "--input-format", "stream-json"]
        with (
            self.errors.open("wb") as errors,
            subprocess.Popen(
                [*argv, "--permission-mode", "bypassPermissions", *flags],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=self.cwd,
                env={**self.env, **(env or {})},
                text=True,
                encoding="utf-8",
            ) as process,
        ):
            watchdog = threading.Timer(TIMEOUT, process.kill)
            watchdog.start()
            try:
                assert process.stdin is not None
                assert process.stdout is not None
                frames = [frame for prompt in prompts for frame in self._turn(process, prompt)]
                process.stdin.close()
                frames += map(json.loads, process.stdout)
                assert process.wait() == 0, self.errors.read_text()
                return frames
            finally:
                watchdog.cancel()
                process.kill()

    def _turn(self, process: subprocess.Popen[str], prompt: str) -> Iterator[Frame]:
        assert process.stdin is not None
        assert process.stdout is not None
        if prompt.startswith("{"):
            process.stdin.write(prompt + "\n")
            ends = "control_response"
        else:
            message = {"role": "user", "content": prompt}
            frame = {"type": "user", "message": message, "uuid": str(uuid4()), "session_id": ""}
            process.stdin.write(json.dumps({**frame, "parent_tool_use_id": None}) + "\n")
            ends = "result"
        process.stdin.flush()
        for line in process.stdout:
            answer = json.loads(line)
            yield answer
            if answer["type"] == ends:
                return
        raise AssertionError(f"the CLI ended in mid-turn: {self.errors.read_text()}")


def session_of(frames: list[Frame]) -> str:
    return str(next(frame["session_id"] for frame in frames if frame["type"] == "result"))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    with ScriptedModel() as model:
        machine = Machine(tmp_path, model)
        monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(machine.config))
        yield machine


def tool(name: str, **input: object) -> str:
    return f"USETOOL {json.dumps({'name': name, 'input': input})}"


def remembered(request: Request) -> list[str]:
    """The prompts in a request to the model, without empty ones."""
    return [prompt for prompt in request.prompts if prompt]


def kinds(session_id: str) -> list[str]:
    """The blocks of a stored conversation, in order."""
    found = []
    for message in sessions.get_session_messages(session_id):
        content = message.message["content"]
        blocks = [{"type": "prompt"}] if isinstance(content, str) else content
        found += [block["type"] for block in blocks]
    return found


def test_a_conversation_with_parallel_tools_is_found_and_read(machine: Machine) -> None:
    for name in ("a.txt", "b.txt"):
        (machine.cwd / name).write_text(name)
    reads = [tool("Read", file_path=str(machine.cwd / name)) for name in ("a.txt", "b.txt")]
    session = session_of(machine.run("first\u2028prompt", " ".join(reads), "last"))

    (found,) = sessions.list_sessions(machine.cwd)
    assert (found.session_id, found.first_prompt, found.summary) == (session, "first\u2028prompt", "last")
    assert found.cwd == os.path.realpath(machine.cwd)
    assert found.created_at is not None
    assert abs(found.last_modified - found.created_at) < 60_000
    assert kinds(session) == [
        "prompt", "text",
        "prompt", "thinking", "text", "tool_use", "tool_use", "tool_result", "tool_result", "text",
        "prompt", "text",
    ]  # fmt: skip


@pytest.mark.parametrize("names", [("o\u0308",), ("😀" * 20 + "x" * 100, "y" * 100)], ids=["decomposed", "long"])
def test_the_cli_files_sessions_under_our_key(machine: Machine, names: tuple[str, ...]) -> None:
    machine.cwd = machine.cwd.joinpath(*names)
    machine.cwd.mkdir(parents=True)
    session = session_of(machine.run("hello"))
    folders = [folder.name for folder in (machine.config / "projects").iterdir()]
    assert folders == [sessions.project_key_for_directory(machine.cwd)]
    assert [s.session_id for s in sessions.list_sessions(machine.cwd)] == [session]


def test_a_name_given_in_the_cli_is_the_title_and_one_given_here_stays(machine: Machine) -> None:
    session = session_of(machine.run("first", "/rename Given there"))
    assert [s.custom_title for s in sessions.list_sessions(machine.cwd)] == ["Given there"]
    sessions.rename_session(session, "Given here ü")
    sessions.tag_session(session, "exp")
    again = session_of(machine.run("second", flags=("--resume", session)))
    assert again == session
    found = sessions.get_session_info(session)
    assert found is not None
    assert (found.custom_title, found.tag) == ("Given here ü", "exp")
    first, *_, last = machine.model.requests[-1].prompts
    assert first == "first"
    assert last.endswith("second")


def test_the_cli_resumes_our_fork_and_remembers_all_of_it(machine: Machine) -> None:
    (machine.cwd / "a.txt").write_text("alpha")
    reads = " ".join([tool("Read", file_path=str(machine.cwd / "a.txt"))] * 2)
    session = session_of(machine.run("first\u2028prompt", reads, "third"))
    before = kinds(session)

    fork = sessions.fork_session(session, machine.cwd)
    frames = machine.run("in the fork", flags=("--resume", fork.session_id))
    assert session_of(frames) == fork.session_id
    request = machine.model.requests[-1]
    assert remembered(request) == ["first\u2028prompt", reads, "third", "in the fork"]
    assert json.dumps(request["messages"]).count('"tool_result"') == 2
    assert kinds(fork.session_id) == [*before, "prompt", "text"]
    assert kinds(session) == before
    assert len(sessions.list_sessions(machine.cwd)) == 2


def test_the_cli_resumes_a_fork_that_was_cut(machine: Machine) -> None:
    session = session_of(machine.run("first", "second", "third"))
    answers = [m for m in sessions.get_session_messages(session) if m.type == "assistant"]
    fork = sessions.fork_session(session, up_to_message_id=answers[1].uuid)
    machine.run("instead of the third", flags=("--resume", fork.session_id))
    assert remembered(machine.model.requests[-1]) == ["first", "second", "instead of the third"]


def test_after_a_rewind_in_the_cli_only_the_new_branch_is_read_and_forked(machine: Machine) -> None:
    session = session_of(machine.run("first", "abandoned"))
    answer = next(m for m in sessions.get_session_messages(session) if m.type == "assistant")
    machine.run("instead", flags=("--resume", session, "--resume-session-at", answer.uuid))
    prompts = [m.message["content"] for m in sessions.get_session_messages(session) if m.type == "user"]
    assert prompts == ["first", "instead"]
    fork = sessions.fork_session(session)
    machine.run("and on", flags=("--resume", fork.session_id))
    assert remembered(machine.model.requests[-1]) == ["first", "instead", "and on"]


def test_a_compacted_conversation_is_read_and_forked_from_its_summary(machine: Machine) -> None:
    session = session_of(machine.run("long ago", "more", "/compact", "after"))
    messages = sessions.get_session_messages(session)
    assert messages[0].message["content"].startswith("This session is being continued")
    assert "long ago" not in [m.message["content"] for m in messages]
    fork = sessions.fork_session(session)
    machine.run("in the fork", flags=("--resume", fork.session_id))
    sent = json.dumps(machine.model.requests[-1]["messages"])
    assert "This session is being continued" in sent
    assert "after" in sent
    assert "long ago" not in sent


def test_files_can_be_rewound_in_a_fork(machine: Machine) -> None:
    file = machine.cwd / "a.txt"
    file.write_text("original")
    writes = [tool("Write", file_path=str(file), content=text) for text in ("one", "two")]
    checkpoints = {"CLAUDE_CODE_ENABLE_SDK_FILE_CHECKPOINTING": "1"}
    session = session_of(machine.run(tool("Read", file_path=str(file)), *writes, env=checkpoints))
    assert file.read_text() == "two"
    prompts = [m for m in sessions.get_session_messages(session) if isinstance(m.message["content"], str)]

    fork = sessions.fork_session(session)
    for prompt, text in ((prompts[2], "one"), (prompts[1], "original")):
        request = {"subtype": "rewind_files", "user_message_id": fork.message_ids[prompt.uuid]}
        control = json.dumps({"type": "control_request", "request_id": "r", "request": request})
        frames = machine.run(control, flags=("--resume", fork.session_id), env=checkpoints)
        answer = next(f["response"] for f in frames if f["type"] == "control_response")
        assert (answer["subtype"], answer["response"]["canRewind"]) == ("success", True)
        assert file.read_text() == text


def test_a_sub_agents_work_is_found_with_the_call_that_started_it(machine: Machine) -> None:
    machine.model.reply(
        ToolUse("Agent", {"description": "look", "prompt": "the task", "subagent_type": "general-purpose"})
    )
    machine.model.reply(Text("the agent's answer"), agent=True)
    session = session_of(machine.run("ask an agent"))
    (agent,) = sessions.list_subagents(session)
    messages = sessions.get_subagent_messages(session, agent)
    call = next(
        block["id"]
        for m in sessions.get_session_messages(session)
        if m.type == "assistant"
        for block in m.message["content"]
        if block["type"] == "tool_use"
    )
    assert "the task" in str(messages[0].message["content"])
    assert messages[-1].message["content"][0]["text"] == "the agent's answer"
    assert {m.parent_tool_use_id for m in messages} == {call}


STORES: dict[str, Callable[[Path], SessionStore]] = {
    "memory": lambda _: InMemorySessionStore(),
    "fsspec": lambda folder: FsspecSessionStore(f"file://{folder}/store"),
}


@pytest.mark.anyio
@pytest.mark.parametrize("make", STORES.values(), ids=list(STORES))
async def test_a_mirrored_session_resumes_from_the_store_on_another_machine(
    machine: Machine, tmp_path: Path, make: Callable[[Path], SessionStore]
) -> None:
    store = make(tmp_path)

    async def mirror(frames: list[Frame], config: Path) -> None:
        mirrored = Mirror(store, sessions.projects_dir(config))
        for frame in frames:
            if frame["type"] == "transcript_mirror":
                mirrored.add(frame["filePath"], frame["entries"])
        assert mirrored.pending
        assert await mirrored.flush() == []

    frames = await anyio.to_thread.run_sync(lambda: machine.run("first", "second", flags=("--session-mirror",)))
    await mirror(frames, machine.config)
    session = session_of(frames)
    on_disk = sessions.get_session_messages(session)
    assert await sessions.get_session_messages_from_store(store, session, machine.cwd) == on_disk
    (listed,) = await sessions.list_sessions_from_store(store, machine.cwd)
    assert (listed.session_id, listed.first_prompt, listed.summary) == (session, "first", "second")

    sessions.delete_session(session)
    async with await materialize_resume(store, cwd=machine.cwd, env=machine.env) as resumed:  # type: ignore
        assert resumed.session_id == session
        flags = ("--session-mirror", "--resume", session)
        env = {"CLAUDE_CONFIG_DIR": str(resumed.config_dir)}
        frames = await anyio.to_thread.run_sync(lambda: machine.run("third", flags=flags, env=env))
        await mirror(frames, resumed.config_dir)
    assert remembered(machine.model.requests[-1]) == ["first", "second", "third"]
    messages = await sessions.get_session_messages_from_store(store, session, machine.cwd)
    assert [m.message["content"] for m in messages if m.type == "user"] == ["first", "second", "third"]

    fork = await sessions.fork_session_via_store(store, session, machine.cwd)
    async with await materialize_resume(store, fork.session_id, cwd=machine.cwd) as resumed:  # type: ignore
        flags = ("--resume", fork.session_id)
        env = {"CLAUDE_CONFIG_DIR": str(resumed.config_dir)}
        await anyio.to_thread.run_sync(lambda: machine.run("in the fork", flags=flags, env=env))
    assert remembered(machine.model.requests[-1]) == ["first", "second", "third", "in the fork"]


@pytest.mark.anyio
async def test_an_imported_session_is_what_mirroring_would_have_stored(machine: Machine) -> None:
    mirrored, imported = InMemorySessionStore(), InMemorySessionStore()
    machine.model.reply(ToolUse("Agent", {"description": "d", "prompt": "p", "subagent_type": "general-purpose"}))
    frames = await anyio.to_thread.run_sync(lambda: machine.run("first", flags=("--session-mirror",)))
    session = session_of(frames)
    mirror = Mirror(mirrored, sessions.projects_dir())
    for frame in frames:
        if frame["type"] == "transcript_mirror":
            mirror.add(frame["filePath"], frame["entries"])
    assert await mirror.flush() == []
    await sessions.import_session_to_store(session, imported, directory=machine.cwd)

    key = session_key(sessions.project_key_for_directory(machine.cwd), session)
    (subpath,) = await imported.list_subkeys(key)  # type: ignore
    assert await mirrored.list_subkeys(key) == [subpath]  # type: ignore
    for place in (key, {**key, "subpath": subpath}):
        linked = [[e for e in store.get_entries(place) if "uuid" in e] for store in (mirrored, imported)]  # type: ignore
        assert linked[0] == linked[1]
        assert linked[0]
    (agent,) = await sessions.list_subagents_from_store(imported, session, machine.cwd)
    stored = await sessions.get_subagent_messages_from_store(imported, session, agent, machine.cwd)
    assert stored == sessions.get_subagent_messages(session, agent)


def test_every_entry_of_the_tree_is_understood(machine: Machine) -> None:
    session = session_of(
        machine.run("first", tool("Bash", command="echo hi", description="say hi"), "/compact", "last")
    )
    path = machine.config / "projects" / sessions.project_key_for_directory(machine.cwd) / f"{session}.jsonl"
    entries = read(path)
    assert len(entries) == path.read_bytes().count(b"\n")
    known = {entry["uuid"] for entry in entries if "uuid" in entry}
    assert all(entry["parentUuid"] in known for entry in entries if entry.get("parentUuid"))
