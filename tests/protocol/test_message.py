"""Frames become messages; nothing is lost and nothing raises. Frames as CLI 2.1.329 sends them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_nb.protocol.block import (
    ServerToolResultBlock,
    ServerToolUseBlock,
    TextBlock,
    ToolUseBlock,
    UnknownBlock,
    parse_block,
)
from claude_nb.protocol.message import (
    AssistantMessage,
    CommandLifecycleMessage,
    HookEventMessage,
    RateLimitEvent,
    ResultMessage,
    StreamEvent,
    SystemMessage,
    TaskNotificationMessage,
    TaskUpdatedMessage,
    UnknownMessage,
    UserMessage,
    parse_message,
)

ASSISTANT = {
    "type": "assistant",
    "message": {
        "id": "msg_1",
        "role": "assistant",
        "model": "claude-x",
        "content": [{"type": "text", "text": "hello"}],
        "stop_reason": None,
        "usage": {"input_tokens": 25},
    },
    "parent_tool_use_id": None,
    "session_id": "s",
    "uuid": "u",
    "timestamp": "2026-01-01T00:00:00Z",
    "user_message_uuids": ["p"],
}


def test_the_nested_message_of_an_assistant_frame_is_flattened():
    message = parse_message(ASSISTANT)
    assert isinstance(message, AssistantMessage)
    assert message.content == [TextBlock(text="hello")]
    assert (message.model, message.message_id, message.usage) == ("claude-x", "msg_1", {"input_tokens": 25})
    assert message.user_message_uuids == ["p"]
    assert message.raw is ASSISTANT


def test_fields_no_model_names_are_kept_as_attributes():
    assert parse_message(ASSISTANT).timestamp == "2026-01-01T00:00:00Z"


def test_a_field_of_the_wrong_kind_is_left_at_its_default_and_stays_in_raw():
    frame = {"type": "result", "subtype": "success", "duration_ms": "soon", "session_id": "s"}
    message = parse_message(frame)
    assert isinstance(message, ResultMessage)
    assert (message.duration_ms, message.session_id) == (0, "s")
    assert message.raw["duration_ms"] == "soon"


def test_a_result_keeps_what_it_says_about_its_prompts_and_models():
    frame = {
        "type": "result",
        "subtype": "success",
        "is_error": False,
        "modelUsage": {"m": {"costUSD": 0.1}},
        "user_message_uuids": ["a", "b"],
        "deferred_tool_use": {"id": "t", "name": "Bash", "input": {}},
    }
    message = parse_message(frame)
    assert message.model_usage == {"m": {"costUSD": 0.1}}
    assert message.user_message_uuids == ["a", "b"]
    assert message.deferred_tool_use.name == "Bash"


def test_a_needed_field_that_is_missing_makes_an_unknown_message_with_the_reason():
    frame = {"type": "assistant", "message": {"model": "m"}}
    message = parse_message(frame)
    assert isinstance(message, UnknownMessage)
    assert message.type == "assistant"
    assert "content" in message.error
    assert message.raw is frame


def test_a_new_type_is_kept_whole():
    frame = {"type": "hologram", "depth": 3}
    message = parse_message(frame)
    assert (message.type, message.error, message.raw) == ("hologram", None, frame)


@pytest.mark.parametrize(
    ("frame", "kind", "checks"),
    [
        (
            {"type": "system", "subtype": "task_notification", "task_id": "t", "status": "failed"},
            TaskNotificationMessage,
            {"task_id": "t", "status": "failed"},
        ),
        (
            {"type": "system", "subtype": "task_updated", "task_id": "t", "patch": {"status": "killed"}},
            TaskUpdatedMessage,
            {"status": "killed"},
        ),
        (
            {"type": "system", "subtype": "hook_response", "hook_event": "SessionStart"},
            HookEventMessage,
            {"hook_event_name": "SessionStart"},
        ),
        (
            {"type": "command_lifecycle", "command_uuid": "p", "state": "queued"},
            CommandLifecycleMessage,
            {"state": "queued"},
        ),
        (
            {"type": "user", "message": {"role": "user", "content": "hi"}, "isReplay": True},
            UserMessage,
            {"content": "hi", "isReplay": True},
        ),
    ],
)
def test_each_type_gets_its_own_class(frame, kind, checks):
    message = parse_message(frame)
    assert type(message) is kind
    assert {name: getattr(message, name) for name in checks} == checks
    assert message.raw is frame


def test_a_system_message_holds_its_whole_frame_as_data():
    frame = {"type": "system", "subtype": "brand_new", "x": 1}
    message = parse_message(frame)
    assert type(message) is SystemMessage
    assert (message.subtype, message.data) == ("brand_new", frame)


def test_a_typed_system_message_without_its_fields_is_still_a_system_message():
    assert type(parse_message({"type": "system", "subtype": "task_started"})) is SystemMessage


def test_rate_limits_are_spelled_as_in_the_official_sdk_and_keep_the_raw_info():
    info = {"status": "allowed_warning", "resetsAt": 1700000000, "rateLimitType": "five_hour", "later": 1}
    message = parse_message({"type": "rate_limit_event", "rate_limit_info": info})
    assert isinstance(message, RateLimitEvent)
    assert message.rate_limit_info.resets_at == 1700000000
    assert message.rate_limit_info.raw == info


def test_a_stream_event_is_a_thin_view_of_its_frame():
    frame = {"type": "stream_event", "event": {"type": "message_stop"}, "uuid": "u", "session_id": "s"}
    message = parse_message(frame)
    assert isinstance(message, StreamEvent)
    assert message.raw is frame
    assert (message.event, message.uuid, message.parent_tool_use_id) == ({"type": "message_stop"}, "u", None)
    assert StreamEvent(uuid="u", session_id="s", event={"type": "message_stop"}).event == message.event


def test_a_stream_event_without_an_event_has_an_empty_one():
    assert parse_message({"type": "stream_event", "event": 7}).event == {}


def test_blocks_of_server_tools_and_of_unknown_types_are_kept():
    assert isinstance(
        parse_block({"type": "web_search_tool_result", "tool_use_id": "t", "content": []}), ServerToolResultBlock
    )
    called = parse_block({"type": "mcp_tool_use", "id": "i", "name": "n", "input": {}, "server_name": "s"})
    assert isinstance(called, ServerToolUseBlock)
    assert called.server_name == "s"
    new = parse_block({"type": "smell", "of": "bread"})
    assert new == UnknownBlock(type="smell", raw={"type": "smell", "of": "bread"})


def test_a_block_dumps_to_its_wire_form():
    wire = {"type": "tool_use", "id": "t", "name": "Bash", "input": {"command": "ls"}, "caller": {"type": "direct"}}
    block = parse_block(wire)
    assert isinstance(block, ToolUseBlock)
    assert block.model_dump() == wire


_KINDS = ["user", "assistant", "result", "system", "stream_event", "rate_limit_event", "task_started", "x", 3, None]
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.fixed_dictionaries(
        {"type": st.sampled_from(_KINDS)},
        optional={
            "subtype": _JSON,
            "message": _JSON | st.fixed_dictionaries({"content": _JSON, "model": _JSON}),
            "rate_limit_info": _JSON,
            "patch": _JSON,
            "task_id": _JSON,
            "event": _JSON,
        },
    )
)
def test_no_frame_makes_the_parser_raise_or_lose_it(frame):
    before = json.dumps(frame)
    message = parse_message(frame)
    assert message.raw is frame
    assert json.dumps(frame) == before
    repr(message)
