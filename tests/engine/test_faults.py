"""What goes wrong around a session, and that it ends or goes on with a clear word, in time, and with nothing left."""

import json
import os

import anyio
import pytest

from claude_nb import (
    ClaudeAgentOptions,
    ClaudeSDKClient,
    CLIConnectionError,
    HookMatcher,
    LineTooLongError,
    PermissionResultAllow,
    ProcessError,
    Session,
    SystemMessage,
    UnknownMessage,
    query,
)
from claude_nb.sessions import project_key_for_directory, projects_dir
from claude_nb.testing import Text, ToolUse

from .fake import FakeCLI, result

pytestmark = pytest.mark.anyio


async def ask(options, prompt="hello"):
    with anyio.fail_after(60):
        return [message async for message in query(prompt=prompt, options=options)]


def script(tmp_path, text):
    """A program to be started instead of the CLI."""
    path = tmp_path / "cli.sh"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


# -- the stream ---------------------------------------------------------------------------------------------------

INFO = json.dumps({"type": "control_response", "response": {"subtype": "success", "request_id": "req_1"}})


async def talk(session):
    """Send long prompts until one fails: a pipe takes some that nobody reads."""
    with anyio.fail_after(20):
        while True:
            await session.prompt("x" * 1_000_000)


async def test_a_cli_that_closes_its_input_refuses_the_next_prompt(tmp_path):
    path = script(tmp_path, f"read line; exec <&-; echo '{INFO}'; sleep 60")
    async with Session(ClaudeAgentOptions(cli_path=path)) as session:
        with pytest.raises(CLIConnectionError, match="takes no more input"):
            await talk(session)
        session._patient = False


async def test_a_cli_that_reads_nothing_more_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr("claude_nb.engine.session.WRITE_TIMEOUT", 0.1)
    path = script(tmp_path, f"read line; echo '{INFO}'; sleep 60")
    async with Session(ClaudeAgentOptions(cli_path=path)) as session:
        with pytest.raises(CLIConnectionError, match="does not read"):
            await talk(session)
        with anyio.fail_after(20):
            await session.ended()
        assert "read nothing" in str(session.failure)


@pytest.mark.parametrize("opened", [False, True])
async def test_a_cli_that_dies_is_not_waited_for_although_its_child_holds_on_to_its_output(tmp_path, opened):
    last = f'read line; echo \'{INFO}\'; read line; echo \'{{"type":"system","subtype":"said"}}\';' if opened else ""
    path, heard = script(tmp_path, f"{last} sleep 60 & exit 3"), []
    session = Session(ClaudeAgentOptions(cli_path=path), listener=heard.append)
    with anyio.fail_after(20), pytest.raises(ProcessError, match="exit code: 3"):
        async with session:
            await (await session.prompt("x")).result()
    assert [message.subtype for message in heard] == ["said"] * opened


@pytest.mark.parametrize("tail", [b'{"type":"res', b'{"type":"assistant","message":{"content":[]}}', b"not json"])
async def test_a_last_line_without_its_end_is_used_if_it_is_whole(tail):
    cli, seen = FakeCLI(echo=False), []
    session = Session(stream=cli, listener=seen.append)
    await session.start()
    ticket = await session.prompt("one")
    cli.say_bytes(tail)
    cli.die()
    with anyio.fail_after(5):
        with pytest.raises(CLIConnectionError, match="closed the connection"):
            await ticket.result()
        await session.ended()
    assert [type(m).__name__ for m in seen] == (["AssistantMessage"] if b"assistant" in tail else [])


async def test_a_question_that_is_the_last_word_of_the_cli_hangs_nobody():
    async def never(name, input, context):
        await anyio.sleep_forever()

    cli = FakeCLI(echo=False)
    session = Session(ClaudeAgentOptions(can_use_tool=never), stream=cli)
    await session.start()
    cli.say_bytes(
        b'{"type":"control_request","request_id":"q","request":{"subtype":"can_use_tool","tool_name":"Bash"}}'
    )
    with anyio.fail_after(5):
        await session.aclose()
    assert session.failure is None


async def test_hundreds_of_unread_messages_hold_no_request_up(model, options):
    async with ClaudeSDKClient(options(include_partial_messages=True)) as client:
        model.reply(Text("x" * 1200, chunk=2))
        await client.query("much")
        with anyio.fail_after(60):
            await client.session().idle()
            assert len(client.session().inboxes[-1].items) > 300
            assert (await client.get_mcp_status())["mcpServers"] == []
            assert [m async for m in client.receive_response()][-1].result == "x" * 1200


# -- lines that are too long --------------------------------------------------------------------------------------

LIMIT = 100_000


async def attempt(messages):
    """The messages, and the error they end with."""
    try:
        async for message in messages:
            yield message
    except LineTooLongError as error:
        yield error


async def test_a_run_whose_result_is_too_long_says_so_and_raises(model, options):
    model.reply(Text("x" * 2 * LIMIT))
    with anyio.fail_after(60):
        seen = [m async for m in attempt(query(prompt="go", options=options(max_buffer_size=LIMIT)))]
    assert [type(message) for message in seen] == [SystemMessage, UnknownMessage, UnknownMessage, LineTooLongError]
    assert "max_buffer_size is 100000" in seen[1].error
    assert seen[2].error == str(seen[3])
    assert seen[3].size > 2 * LIMIT


async def test_a_conversation_goes_on_after_a_result_that_is_too_long(model, options):
    async with ClaudeSDKClient(options(max_buffer_size=LIMIT)) as client:
        model.reply(Text("x" * 2 * LIMIT))
        await client.query("go")
        with anyio.fail_after(60):
            assert isinstance([m async for m in attempt(client.receive_response())][-1], LineTooLongError)
            await client.query("next")
            assert [m async for m in client.receive_response()][-1].result == "Echo: next"


async def test_a_permission_question_that_is_too_long_is_refused(model, options, tmp_path):
    async def allow(name, input, context):
        return PermissionResultAllow()

    target = tmp_path / "work" / "large.txt"
    model.reply(ToolUse("Write", {"file_path": str(target), "content": "x" * 2 * LIMIT}))
    model.reply(Text("done"))
    with pytest.raises(LineTooLongError):  # the result repeats what was refused
        await ask(options(can_use_tool=allow, max_buffer_size=LIMIT))
    assert not target.exists()
    assert "max_buffer_size is 100000" in json.dumps(model.requests[-1]["messages"])


async def test_an_opening_reply_that_is_too_long_fails_the_start_at_once():
    cli = FakeCLI(info={"commands": "x" * 5000})
    with anyio.fail_after(5), pytest.raises(LineTooLongError, match="set it higher"):
        await Session(ClaudeAgentOptions(max_buffer_size=2000), stream=cli).start()


# -- callbacks ----------------------------------------------------------------------------------------------------


async def test_a_hook_that_hangs_is_given_up_by_its_timeout_and_its_tool_does_not_run(model, options, tmp_path):
    cancelled = []

    async def hang(input, tool_use_id, context):
        try:
            await anyio.sleep_forever()
        finally:
            cancelled.append(context["signal"].is_set())

    made = tmp_path / "work" / "made"
    model.reply(ToolUse("Bash", {"command": f"touch {made}"}))
    model.reply(Text("done"))
    hooks = {"PreToolUse": [HookMatcher(hooks=[hang], timeout=1)]}
    messages = await ask(options(hooks=hooks, allowed_tools=["Bash"]))
    assert messages[-1].result == "done"
    assert cancelled == [True]
    assert "did not respond before its timeout" in str([m.raw for m in messages])
    assert not made.exists()


async def test_an_interrupt_ends_a_permission_callback_that_hangs(model, options):
    asked, cancelled = anyio.Event(), []

    async def hang(name, input, context):
        asked.set()
        try:
            await anyio.sleep_forever()
        finally:
            cancelled.append(context.signal.is_set())

    model.reply(ToolUse("Bash", {"command": "touch never"}))
    async with ClaudeSDKClient(options(can_use_tool=hang)) as client:
        await client.query("go")
        with anyio.fail_after(60):
            await asked.wait()
            await client.interrupt()
            assert [m async for m in client.receive_response()][-1].terminal_reason.startswith("aborted")
            await client.query("again")
            assert [m async for m in client.receive_response()][-1].result.endswith("again")
    assert cancelled == [True]


# -- the disk -----------------------------------------------------------------------------------------------------


async def test_a_session_works_where_its_transcript_cannot_be_written(model, options, tmp_path, caplog):
    config = tmp_path / "config"
    config.mkdir()
    for name in ("projects", "claude-nb"):  # files where folders should be, which stop even the administrator
        (config / name).write_text("")
    messages = await ask(options(env={"CLAUDE_CONFIG_DIR": str(config)}))
    assert messages[-1].result == "Echo: hello"
    assert "is not guarded by a lock" in caplog.text


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the device that is always full is Linux's")
async def test_a_session_works_on_a_full_disk(model, options):
    settings = options()
    folder = projects_dir(env=settings.env) / project_key_for_directory(settings.cwd)
    folder.mkdir(parents=True)
    async with Session(settings) as session:
        transcript = folder / f"{session.session_id}.jsonl"
        transcript.symlink_to("/dev/full")
        for prompt in ("one", "two"):
            with anyio.fail_after(60):
                assert (await (await session.prompt(prompt)).result()).result == f"Echo: {prompt}"
    assert transcript.is_symlink()
    assert session.failure is None


async def test_a_parked_session_whose_transcript_is_gone_begins_anew(model, options, tmp_path):
    async with ClaudeSDKClient(options()) as client:
        await client.query("the word is apple")
        with anyio.fail_after(60):
            assert [m async for m in client.receive_response()][-1].result
            assert await client.session().park()
        for file in tmp_path.rglob(f"{client.session_id}.jsonl"):
            file.unlink()
        await client.query("hello")
        with anyio.fail_after(60):
            assert [m async for m in client.receive_response()][-1].result == "Echo: hello"
        assert "apple" not in json.dumps(model.requests[-1]["messages"])


async def test_a_start_that_fails_leaves_the_session_to_be_tried_again(options, tmp_path):
    async with ClaudeSDKClient(options(), max_running=2) as client:
        session = client._pool.add("a", ClaudeAgentOptions(cli_path=script(tmp_path, "exit 3")))
        for _ in range(3):
            with anyio.fail_after(30), pytest.raises(ProcessError):
                await session.prompt("hello")
        assert client._pool.places.taken == 1  # the default session's
        assert not session.running
        with anyio.fail_after(60):
            await client.query("hello", session_id="b")
            assert [m async for m in client.receive_response("b")][-1].result == "Echo: hello"


async def test_a_result_after_the_end_of_input_still_counts():
    cli, seen = FakeCLI(echo=False), []
    session = Session(stream=cli, listener=seen.append)
    await session.start()
    ticket = await session.prompt("one")
    cli.say(result(ticket.uuid, result="last"))
    cli.die()
    with anyio.fail_after(5):
        await session.ended()
    assert (await ticket.result()).result == "last"
