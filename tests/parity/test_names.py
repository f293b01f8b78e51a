"""Code written for the official Python SDK 0.2.186 finds its names here, with the call shapes it knows."""

import ast
import builtins
import copy
import dataclasses
import inspect
import pickle
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args, is_typeddict

import claude_agent_sdk.testing as official_testing
import claude_agent_sdk.types as official_types
import pytest

import claude_nb.testing
import claude_nb.types

from . import names


def each(table: dict[str, Any]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("name", "shape"), table.items(), ids=list(table))


def public(name: str) -> Any:
    return getattr(claude_nb, name)


def takes(function: Any, shape: str) -> None:
    """Everything that may be said in the official shape may be said here, with the same meaning by position."""
    ours = inspect.signature(function).parameters
    by_position = [p for p in ours.values() if p.kind is p.POSITIONAL_OR_KEYWORD and p.name != "self"]
    keyword_only = False
    for place, word in enumerate(shape.split()):
        name = word.rstrip("=")
        if name == "*":
            keyword_only = True
            continue
        assert name in ours
        if word.endswith("="):
            assert ours[name].default is not inspect.Parameter.empty
        if not keyword_only:
            assert by_position[place].name == name
    asked = {name for name, p in ours.items() if p.default is p.empty and name != "self"}
    asked -= {name for name, p in ours.items() if p.kind in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}
    assert asked <= {word for word in shape.split() if not word.endswith("=")}


def test_all_159_names_are_there() -> None:
    assert len(names.ALL) == 159
    assert [name for name in sorted(names.ALL) if not hasattr(claude_nb, name)] == []


# Names of claude_agent_sdk.types that are not here, and why.
NOT_HERE = {
    **dict.fromkeys(
        (
            *("ControlErrorResponse", "ControlResponse", "SDKControlRequest", "SDKControlResponse"),
            *("SDKControlInitializeRequest", "SDKControlInterruptRequest", "SDKControlMcpMessageRequest"),
            *("SDKControlMcpReconnectRequest", "SDKControlMcpToggleRequest", "SDKControlPermissionRequest"),
            *("SDKControlRewindFilesRequest", "SDKControlSetPermissionModeRequest", "SDKControlStopTaskRequest"),
            "SDKHookCallbackRequest",
        ),
        "frames between SDK and CLI, which no call takes or gives",
    ),
}


def test_the_modules_that_programs_import_from_have_their_names() -> None:
    source = ast.parse(Path(official_types.__file__).read_text(encoding="utf-8"))
    theirs = {name for node in source.body for name in defined(node) if not name.startswith("_")}
    assert len(theirs) > 100
    assert {name for name in theirs if not hasattr(claude_nb.types, name)} == NOT_HERE.keys()
    assert claude_nb.types.HookInput is claude_nb.HookInput
    assert set(official_testing.__all__) <= set(claude_nb.testing.__all__)


def defined(node: ast.stmt) -> Iterable[str]:
    """The names that a statement of a module defines."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        yield node.name
    for target in getattr(node, "targets", [getattr(node, "target", None)]):
        if isinstance(target, ast.Name):
            yield target.id


def test_names_are_listed_for_completion_and_star_imports() -> None:
    assert names.ALL - {"__version__"} <= {*dir(claude_nb)}
    assert names.ALL - {"__version__"} <= {*claude_nb.__all__}


@each(names.FUNCTIONS)
def test_a_function_is_called_as_it_was(name: str, shape: str) -> None:
    takes(public(name), shape)


@each(names.CLASSES)
def test_a_class_is_made_as_it_was(name: str, shape: str) -> None:
    if shape:
        takes(public(name), shape)
    for method, its in names.METHODS.get(name, {}).items():
        takes(getattr(public(name), method), its)
    if base := names.BASES.get(name):
        assert (getattr(claude_nb, base, None) or getattr(builtins, base)) in public(name).__mro__


@each(names.RECORDS)
def test_a_record_has_its_fields_in_their_order(name: str, shape: str) -> None:
    words = [word for word in shape.split() if word != "raw="]
    record = public(name)
    official = [word.rstrip("=") for word in words]
    assert [field.name for field in dataclasses.fields(record)][: len(official)] == official
    given = {word: object() for word in words if not word.endswith("=")}
    if not hasattr(record, "model_fields"):
        takes(record, " ".join(words))
        return
    asked = {field for field, info in record.model_fields.items() if info.is_required()}
    assert asked <= given.keys()


@each(names.DICTS)
def test_a_dict_has_its_keys(name: str, shape: str) -> None:
    assert is_typeddict(public(name))
    assert set(shape.split()) <= public(name).__annotations__.keys()


@each(names.WORDS)
def test_a_type_allows_its_words(name: str, shape: str) -> None:
    assert set(shape.split()) <= set(get_args(public(name)))


@each(names.ALIASES)
def test_a_union_joins_its_types(name: str, shape: str) -> None:
    assert {public(part) for part in shape.split()} <= set(members(public(name)))


def members(alias: Any) -> Iterable[Any]:
    return (member for member in get_args(alias) if isinstance(member, type) or is_typeddict(member))


def test_messages_and_blocks_behave_as_the_dataclasses_they_were() -> None:
    text = claude_nb.TextBlock("hello")
    message = claude_nb.AssistantMessage([text, claude_nb.ToolUseBlock("t1", "Read", {"file_path": "a"})], "opus")
    match message:
        case claude_nb.AssistantMessage([claude_nb.TextBlock(said), claude_nb.ToolUseBlock(_, tool, _)], model):
            assert (said, tool, model) == ("hello", "Read", "opus")
        case _:
            raise AssertionError("nothing matched")
    assert dataclasses.asdict(message)["content"] == [
        {"text": "hello"},
        {"id": "t1", "name": "Read", "input": {"file_path": "a"}},
    ]
    assert dataclasses.replace(text, text="bye") == claude_nb.TextBlock(text="bye")
    assert pickle.loads(pickle.dumps(message)) == copy.deepcopy(message) == message
    event = claude_nb.StreamEvent("u", "s", {"type": "ping"})
    assert dataclasses.asdict(event)["event"] == {"type": "ping"}


def test_a_record_made_by_hand_takes_what_it_is_given() -> None:
    content = [object()]
    message = claude_nb.AssistantMessage(content, model="m", usage={"input_tokens": 1})  # type: ignore[arg-type]
    assert message.content is content
    assert (message.usage, message.error, message.raw) == ({"input_tokens": 1}, None, {})
    usage = {"m": {"costUSD": 1}}
    result = claude_nb.ResultMessage("success", 1, 2, False, 3, "s", model_usage=usage)
    assert result.model_usage is usage
    assert claude_nb.HookEventMessage("hook_started", {}, "Stop").hook_event_name == "Stop"


def test_an_event_of_the_stream_is_changed_without_its_frame() -> None:
    frame = {"type": "stream_event", "uuid": "u", "session_id": "s", "event": {"type": "ping"}}
    event = claude_nb.StreamEvent.of(frame)
    for field in dataclasses.fields(event):
        setattr(event, field.name, field.name)
    event.event = {"type": "pong"}
    assert dataclasses.asdict(event) == {**{f.name: f.name for f in dataclasses.fields(event)}, "event": event.event}
    assert repr(event).startswith("StreamEvent(uuid='uuid', session_id='session_id', event={'type': 'pong'}, ")
    assert (frame["uuid"], frame["event"]) == ("u", {"type": "ping"})


def test_what_an_error_says_can_be_changed_and_is_pickled() -> None:
    error = claude_nb.ResultError("bad", {"subtype": "error_max_turns", "errors": ["a"]}, 1)
    error.subtype = "other"
    copied = pickle.loads(pickle.dumps(error))
    assert (copied.subtype, copied.errors, copied.session_id, copied.exit_code) == ("other", ["a"], None, 1)


def test_a_record_given_too_much_or_twice_or_too_little_is_refused() -> None:
    with pytest.raises(TypeError, match="TextBlock needs text"):
        claude_nb.TextBlock()
    with pytest.raises(TypeError, match="at most 1"):
        claude_nb.TextBlock("one", "two")
    with pytest.raises(TypeError, match="twice"):
        claude_nb.TextBlock("one", text="two")


def test_errors_that_are_never_raised_here_can_still_be_caught() -> None:
    line = claude_nb.CLIJSONDecodeError("{", ValueError("bad"))
    shape = claude_nb.MessageParseError("odd", {"type": "odd"})
    for error in (line, shape):
        assert isinstance(pickle.loads(pickle.dumps(error)), claude_nb.ClaudeSDKError)
    assert (line.line, shape.data) == ("{", {"type": "odd"})
