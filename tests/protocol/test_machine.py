"""The machine: its ledgers and its rules, whole, byte by byte and in random cuttings. Frames of CLI 2.1.329."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_nb.errors import CLIConnectionError, LineTooLongError, ResultError, TurnInterrupted
from claude_nb.protocol.framing import Garbage, encode
from claude_nb.protocol.machine import (
    Asked,
    Closed,
    Machine,
    Mirrored,
    Phase,
    Replied,
    TurnEnded,
    Withdrawn,
)
from claude_nb.protocol.message import ResultMessage, StreamEvent, SystemMessage, UnknownMessage


def ask(id, subtype="can_use_tool", **body):
    return {"type": "control_request", "request_id": id, "request": {"subtype": subtype, **body}}


def ok(id, body=None):
    response = {"subtype": "success", "request_id": id}
    return {"type": "control_response", "response": response if body is None else {**response, "response": body}}


def refused(id, error, code=None):
    return {
        "type": "control_response",
        "response": {"subtype": "error", "request_id": id, "error": error, "error_code": code},
    }


def withdraw(id):
    return {"type": "control_cancel_request", "request_id": id}


def result(*uuids, **fields):
    named = {"user_message_uuid": uuids[0], "user_message_uuids": list(uuids)} if uuids else {}
    return {"type": "result", "subtype": "success", "is_error": False, "session_id": "s", **named, **fields}


def lifecycle(uuid, state):
    return {"type": "command_lifecycle", "command_uuid": uuid, "state": state}


def state(word):
    return {"type": "system", "subtype": "session_state_changed", "state": word, "sdk_host_only": True}


def task(id, kind="local_agent"):
    return {"type": "system", "subtype": "task_started", "task_id": id, "task_type": kind}


def feed(machine, *frames):
    return machine.receive(b"".join(encode(frame) for frame in frames))


def ends(events):
    return [event for event in events if isinstance(event, TurnEnded)]


TAPE = b"".join(
    encode(frame)
    for frame in [
        ok("req_1", {"models": []}),
        state("running"),
        lifecycle("p1", "queued"),
        {"type": "stream_event", "event": {"type": "content_block_delta", "delta": {"text": "a\u2028b 世界 🦊"}}},
        ask("q1", tool_name="Bash"),
        ask("q2", "hook_callback"),
        withdraw("q1"),
        {"type": "transcript_mirror", "filePath": "/t.jsonl", "entries": [{"type": "user"}]},
        {"type": "keep_alive"},
        {"type": "hologram"},
        result("p1"),
        state("idle"),
    ]
)


def play(chunks):
    machine = Machine()
    machine.request("initialize")
    machine.prompt("hello", "p1")
    events = [event for chunk in chunks for event in machine.receive(chunk)]
    return events + machine.receive(b"")


def test_a_tape_gives_its_events_in_wire_order():
    events = play([TAPE])
    kinds = [type(event).__name__ for event in events]
    assert kinds == [
        "Replied",
        "SystemMessage",
        "CommandLifecycleMessage",
        "StreamEvent",
        "Asked",
        "Asked",
        "Withdrawn",
        "Mirrored",
        "UnknownMessage",
        "ResultMessage",
        "TurnEnded",
        "SystemMessage",
        "Closed",
    ]
    assert events[-1] == Closed(requests=(), questions=("q2",), prompts=())
    assert events[7] == Mirrored("/t.jsonl", [{"type": "user"}])


def test_byte_by_byte_gives_the_same_events():
    assert play([TAPE[i : i + 1] for i in range(len(TAPE))]) == play([TAPE])


@given(st.lists(st.integers(0, len(TAPE)), max_size=10))
def test_random_cuttings_give_the_same_events(cuts):
    # An empty chunk would mean the end of the stream, so cuts at the same place count once.
    edges = sorted({0, *cuts, len(TAPE)})
    assert play([TAPE[a:b] for a, b in itertools.pairwise(edges)]) == play([TAPE])


def test_a_request_is_replied_to_once():
    machine = Machine()
    id, data = machine.request("set_model", model="m")
    assert json.loads(data) == {
        "type": "control_request",
        "request_id": id,
        "request": {"subtype": "set_model", "model": "m"},
    }
    assert feed(machine, ok(id, {"model": "x"})) == [Replied(id, "set_model", {"model": "x"})]
    assert feed(machine, ok(id, {"model": "x"})) == []


def test_a_success_without_a_body_is_an_empty_one_and_a_refusal_carries_its_words():
    machine = Machine()
    first, second = machine.request("a")[0], machine.request("b")[0]
    assert feed(machine, ok(first)) == [Replied(first, "a", {})]
    assert feed(machine, refused(second, "no", "unsupported_request")) == [
        Replied(second, "b", {}, "no", "unsupported_request")
    ]


def test_a_reply_to_a_forgotten_request_is_dropped():
    machine = Machine()
    id, _ = machine.request("get_usage")
    assert json.loads(machine.forget(id)) == {"type": "control_cancel_request", "request_id": id}
    assert machine.forget(id) is None
    assert feed(machine, ok(id)) == []


def test_replies_to_ids_that_are_not_ours_are_dropped():
    assert feed(Machine(), ok("echo-of-our-own-answer"), refused("x", "y")) == []


def test_an_answer_is_sent_at_most_once():
    machine = Machine()
    assert feed(machine, ask("q", tool_name="Bash")) == [
        Asked("q", "can_use_tool", {"subtype": "can_use_tool", "tool_name": "Bash"})
    ]
    assert json.loads(machine.answer("q", {"behavior": "allow"})) == ok("q", {"behavior": "allow"})
    assert machine.answer("q", {"behavior": "deny"}) is None
    assert machine.refuse("q", "late") is None


def test_a_question_names_the_prompt_that_was_worked_on_when_it_came():
    machine = Machine()
    machine.prompt("one", "p1")
    machine.prompt("two", "p2")
    events = feed(
        machine, ask("q1"), lifecycle("p2", "started"), ask("q2"), result("p2"), ask("q3"), result("p1"), ask("q4")
    )
    assert [event.prompt for event in events if isinstance(event, Asked)] == ["p1", "p2", "p1", None]


def test_a_withdrawn_question_yields_no_bytes_and_is_told_once():
    machine = Machine()
    feed(machine, ask("q"))
    assert feed(machine, withdraw("q"), withdraw("q")) == [Withdrawn("q")]
    assert machine.answer("q", {}) is None


def test_a_question_repeated_while_it_is_open_is_one_question():
    machine = Machine()
    assert len(feed(machine, ask("q"), ask("q"))) == 1


def test_a_refusal_is_an_error_response():
    machine = Machine()
    feed(machine, ask("q"))
    assert json.loads(machine.refuse("q", "broken"))["response"] == {
        "subtype": "error",
        "request_id": "q",
        "error": "broken",
    }


def test_the_end_reports_every_open_id_once():
    machine = Machine()
    id, _ = machine.request("interrupt")
    machine.prompt("hi", "p")
    feed(machine, ask("q"))
    assert machine.receive(b"") == [Closed((id,), ("q",), ("p",))]
    assert machine.receive(b"") == []
    assert machine.receive(b'{"type":"keep_alive"}\n') == []
    assert machine.answer("q", {}) is None
    assert machine.forget(id) is None
    assert machine.phase is Phase.CLOSED


@pytest.mark.parametrize("verb", [lambda m: m.prompt("x", "u"), lambda m: m.request("interrupt")])
def test_nothing_can_be_said_after_the_end(verb):
    machine = Machine()
    machine.receive(b"")
    with pytest.raises(CLIConnectionError, match="ended"):
        verb(machine)


def test_half_a_line_at_the_end_is_garbage_before_the_closing():
    machine = Machine()
    machine.receive(b'{"type":"resu')
    garbage, closed = machine.receive(b"")
    assert isinstance(garbage, Garbage)
    assert isinstance(closed, Closed)


def test_a_turn_ends_on_the_result_that_names_it_and_an_extra_turn_ends_none():
    machine = Machine()
    machine.prompt("one", "p1")
    (named,) = ends(feed(machine, result("p1", result="one")))
    assert named.uuids == ("p1",)
    machine.prompt("two", "p2")
    extra = result(result="a background shell finished", origin={"kind": "task-notification"})
    assert ends(feed(machine, extra)) == []
    assert ends(feed(machine, result(result="an extra turn without an origin"))) == []
    (named,) = ends(feed(machine, result("p2", result="two")))
    assert named.outcome.result == "two"


def test_one_result_may_end_several_prompts():
    machine = Machine()
    machine.prompt("one", "p1")
    machine.prompt("two", "p2")
    machine.prompt("three", "p3")
    (ended,) = ends(feed(machine, result("p1", "p2")))
    assert ended.uuids == ("p1", "p2")
    assert machine.phase is Phase.TURN


def test_a_cli_that_never_names_prompts_ends_the_oldest():
    machine = Machine()
    machine.prompt("one", "p1")
    machine.prompt("two", "p2")
    assert [end.uuids for end in ends(feed(machine, result(), result()))] == [("p1",), ("p2",)]


def test_a_prompt_withdrawn_from_the_queue_ends_without_a_result():
    machine = Machine()
    machine.prompt("one", "p1")
    (ended,) = ends(feed(machine, lifecycle("p1", "queued"), lifecycle("p1", "cancelled")))
    assert ended.uuids == ("p1",)
    assert isinstance(ended.outcome, TurnInterrupted)


def test_an_interrupted_turn_ends_on_its_result_and_not_again_on_its_cancelled_state():
    machine = Machine()
    machine.prompt("one", "p1")
    (ended,) = ends(feed(machine, result("p1", subtype="error_during_execution"), lifecycle("p1", "cancelled")))
    assert ended.outcome.subtype == "error_during_execution"


def test_a_prompt_the_cli_took_and_never_answered_ends_when_it_is_idle():
    machine = Machine()
    machine.prompt("absorbed", "p1")
    machine.prompt("still in the pipe", "p2")
    events = feed(machine, lifecycle("p1", "queued"), result(result="r"), state("idle"))
    (ended,) = ends(events)
    assert ended.uuids == ("p1",)
    assert ended.outcome.result == "r"
    assert machine.phase is Phase.TURN


def test_a_prompt_that_ran_without_any_result_did_not_end_as_cancelled():
    machine = Machine()
    machine.prompt("one", "p1")
    (ended,) = ends(feed(machine, lifecycle("p1", "started"), state("idle")))
    assert type(ended.outcome) is ResultError
    assert "without a result" in str(ended.outcome)


# Results of CLI 2.1.329 tell their type behind the text.
LONG_RESULT = {"duration_api_ms": 1, "result": "x" * 1000, **result("p1")}


def test_a_line_that_is_too_long_is_told_in_its_place():
    machine = Machine(max_line=300)
    events = feed(machine, {"type": "assistant", "message": {"content": "x" * 1000}}, {"type": "hologram"})
    assert [type(event).__name__ for event in events] == ["Garbage", "UnknownMessage", "UnknownMessage"]
    assert events[1].type == "assistant"
    assert f"a line of {events[0].size} bytes" in events[1].error
    assert "max_buffer_size is 300, so set it higher" in events[1].error
    assert events[2].type == "hologram"


@pytest.mark.parametrize("end", [encode(state("idle")), b""])
def test_a_prompt_whose_result_was_too_long_ends_with_that_error_when_the_cli_is_done(end):
    machine = Machine(max_line=300)
    machine.prompt("one", "p1")
    assert ends(feed(machine, lifecycle("p1", "started"), LONG_RESULT)) == []
    (ended,) = ends(machine.receive(end))
    assert ended.uuids == ("p1",)
    assert isinstance(ended.outcome, LineTooLongError)


def test_a_result_that_was_too_long_is_not_replaced_by_that_of_another_prompt():
    machine = Machine(max_line=300)
    machine.prompt("one", "p1")
    machine.prompt("two", "p2")
    events = feed(machine, lifecycle("p1", "started"), LONG_RESULT, lifecycle("p2", "started"), result("p2"))
    assert [end.uuids for end in ends(events)] == [("p2",)]
    (ended,) = ends(feed(machine, state("idle")))
    assert isinstance(ended.outcome, LineTooLongError)


def test_a_prompt_that_has_its_result_is_not_hurt_by_an_earlier_line_that_was_too_long():
    machine = Machine(max_line=300)
    machine.prompt("one", "p1")
    (ended,) = ends(feed(machine, lifecycle("p1", "started"), {"x": "y" * 1000}, result("p1"), state("idle")))
    assert isinstance(ended.outcome, ResultMessage)


def test_a_cli_that_never_names_prompts_ends_the_oldest_on_a_result_that_is_too_long():
    machine = Machine(max_line=300)
    machine.prompt("one", "p1")
    machine.prompt("two", "p2")
    (ended,) = ends(feed(machine, result(result="x" * 1000)))
    assert ended.uuids == ("p1",)
    assert isinstance(ended.outcome, LineTooLongError)


def test_a_reply_that_is_too_long_is_matched_by_its_beginning():
    machine = Machine(max_line=300)
    id, _ = machine.request("list_models")
    _, _, replied = feed(machine, ok(id, {"models": "x" * 1000}))
    assert (replied.id, replied.subtype, type(replied.lost)) == (id, "list_models", LineTooLongError)
    assert len(feed(machine, ok("not-ours", {"models": "x" * 1000}))) == 2


def test_a_question_that_is_too_long_can_be_refused():
    machine = Machine(max_line=300)
    _, _, asked = feed(machine, ask("q", tool_name="Write", input="x" * 1000))
    assert (asked.id, type(asked.lost)) == ("q", LineTooLongError)
    assert json.loads(machine.refuse("q", "too long"))["response"]["error"] == "too long"


def test_a_result_of_a_strange_shape_still_ends_its_turn():
    machine = Machine()
    machine.prompt("one", "p1")
    events = feed(machine, {"type": "result", "subtype": 7, "user_message_uuids": ["p1"]})
    assert isinstance(events[0], UnknownMessage)
    assert ends(events)[0].uuids == ("p1",)


def test_a_prompt_carries_its_uuid_and_extra_fields():
    frame = json.loads(Machine().prompt([{"type": "text", "text": "x"}], "u", shouldQuery=False))
    assert frame == {
        "type": "user",
        "message": {"role": "user", "content": [{"type": "text", "text": "x"}]},
        "parent_tool_use_id": None,
        "session_id": "",
        "shouldQuery": False,
        "uuid": "u",
    }


def test_the_phases_of_a_run():
    machine = Machine()
    assert machine.phase is Phase.NEW
    id, _ = machine.request("initialize")
    assert machine.phase is Phase.OPENING
    feed(machine, ok(id))
    assert machine.phase is Phase.IDLE
    machine.prompt("x", "p")
    assert machine.phase is Phase.TURN
    feed(machine, state("running"), task("t1"), task("sh", "local_bash"), result("p"))
    assert machine.phase is Phase.TURN, "the CLI has not said yet that it is idle"
    feed(machine, state("idle"))
    assert machine.phase is Phase.LINGER
    assert not machine.settled
    feed(machine, {"type": "system", "subtype": "task_updated", "task_id": "t1", "patch": {"status": "killed"}})
    assert machine.phase is Phase.IDLE
    assert machine.settled


def test_a_cli_that_tells_no_state_settles_with_its_last_result():
    machine = Machine()
    machine.prompt("x", "p")
    assert not machine.settled
    feed(machine, task("t"), result("p"))
    assert not machine.settled
    feed(machine, {"type": "system", "subtype": "task_notification", "task_id": "t", "status": "completed"})
    assert machine.settled


def test_the_last_result_explains_the_end_until_another_prompt_is_sent():
    machine = Machine()
    machine.prompt("x", "p")
    feed(machine, result("p", is_error=True))
    assert machine.last_result.is_error
    machine.prompt("y", "q")
    assert machine.last_result is None


def test_stream_events_come_out_as_thin_objects():
    (event,) = feed(Machine(), {"type": "stream_event", "event": {"type": "ping"}})
    assert type(event) is StreamEvent


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "control_request"},
        {"type": "control_request", "request_id": 5, "request": {}},
        {"type": "control_response", "response": []},
        {"type": 5},
        {"type": ["user"]},
        {},
    ],
)
def test_malformed_frames_come_out_as_unknown_messages(frame):
    (event,) = feed(Machine(), frame)
    assert isinstance(event, UnknownMessage)
    assert event.raw == frame


_WORDS = st.sampled_from(
    ["control_request", "control_response", "control_cancel_request", "transcript_mirror", "result", "system", "user"]
)
_ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["p1", "idle", "task_updated", "success", ""]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["subtype", "request_id", "response", "status", "state", "content"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@given(
    st.lists(
        st.builds(
            lambda kind, rest: {**rest, "type": kind},
            _WORDS,
            st.dictionaries(
                st.sampled_from(
                    [
                        "request",
                        "request_id",
                        "response",
                        "subtype",
                        "state",
                        "patch",
                        "task_id",
                        "entries",
                        "message",
                        "user_message_uuids",
                        "user_message_uuid",
                        "origin",
                        "command_uuid",
                        "task_type",
                    ]
                ),
                _ANY,
                max_size=5,
            ),
        ),
        max_size=6,
    )
)
def test_no_sequence_of_frames_makes_the_machine_raise(frames):
    machine = Machine()
    machine.request("initialize")
    machine.prompt("x", "p1")
    feed(machine, {"type": "system", "subtype": "init"}, *frames)
    machine.receive(b"")
    assert machine.phase is Phase.CLOSED


def test_system_messages_pass_through():
    (event,) = feed(Machine(), {"type": "system", "subtype": "init", "session_id": "s"})
    assert isinstance(event, SystemMessage)
    (event,) = feed(Machine(), result("p"))
    assert isinstance(event, ResultMessage)
