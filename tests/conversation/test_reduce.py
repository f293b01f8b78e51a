"""The reducer turns what the CLI says into turns and blocks, and reports each step as a change."""

from typing import Any

import pytest

from claude_nb.conversation import Change, ChangeKind, Conversation, Notice, Question, Text, Thinking, Tool, Turn
from claude_nb.conversation.reduce import Reducer
from claude_nb.errors import ProcessError, ResultError, TurnInterrupted
from claude_nb.protocol.message import parse_message

from . import frames as f


class Room:
    """A reducer with one prompt under way, and what it reported."""

    def __init__(self, *, prompts: tuple[str, ...] = ("p1",), environ: dict[str, str] | None = None):
        self.conversation = Conversation()
        self.reducer = Reducer(self.conversation, environ)
        self.changes: list[Change] = []
        self.now = 100.0
        for uuid in prompts:
            self.changes += self.reducer.open(Turn(id=uuid, prompt=uuid), self.now)

    def hear(self, *frames: dict[str, Any]) -> "Room":
        for frame in frames:
            self.now += 1
            self.changes += self.reducer.apply(parse_message(frame), self.now)
        return self

    @property
    def turn(self) -> Turn:
        return self.conversation.turns[0]

    def kinds(self) -> list[ChangeKind]:
        return [change.kind for change in self.changes]


@pytest.fixture
def room() -> Room:
    return Room().hear(f.lifecycle("p1", "queued"), f.lifecycle("p1", "started"), f.init())


def test_streamed_text_grows_and_the_whole_message_adds_nothing(room: Room) -> None:
    room.hear(*f.streamed(0, f.text("Hello, world"), ["Hello", ", world"]), f.result("p1"))
    assert room.turn.text == "Hello, world"
    assert [c.text for c in room.changes if c.kind is ChangeKind.GREW] == ["Hello", ", world"]
    assert room.turn.status == "done"
    assert room.kinds()[-1] is ChangeKind.ENDED


def test_whole_messages_alone_give_the_same_turn(room: Room) -> None:
    room.hear(f.assistant(f.thinking("hm")), f.assistant(f.text("Hello")), f.result("p1"))
    assert [type(b) for b in room.turn.blocks] == [Thinking, Text]
    assert (room.turn.thinking, room.turn.text) == ("hm", "Hello")
    assert all(block.ended is not None for block in room.turn.blocks)


def test_a_whole_message_that_knows_more_than_its_pieces_completes_them(room: Room) -> None:
    room.hear(f.start(0, f.text("")), f.text_delta(0, "Hel"), f.assistant(f.text("Hello")))
    assert room.turn.text == "Hello"


def test_a_tool_call_runs_from_its_pieces_to_its_result(room: Room) -> None:
    room.hear(
        f.start(0, f.tool_use("t1", "Bash")),
        f.delta(0, type="input_json_delta", partial_json='{"command":'),
        f.delta(0, type="input_json_delta", partial_json='"ls"}'),
    )
    (tool,) = room.turn.tools
    assert (tool.status, tool.input_json, tool.input_done) == ("pending", '{"command":"ls"}', False)
    room.hear(f.assistant(f.tool_use("t1", "Bash", command="ls")), f.stop(0))
    assert (tool.status, tool.input, tool.input_done) == ("running", {"command": "ls"}, True)
    room.hear(f.tool_result("t1", "a.txt", detail={"stdout": "a.txt"}))
    assert (tool.status, tool.result, tool.detail) == ("done", "a.txt", {"stdout": "a.txt"})
    assert tool.ended is not None


def test_a_failed_tool_call_keeps_its_error(room: Room) -> None:
    room.hear(f.assistant(f.tool_use("t1", "Bash")), f.tool_result("t1", "Exit code 2", is_error=True))
    (tool,) = room.turn.tools
    assert (tool.status, tool.error) == ("failed", "Exit code 2")


def test_a_tool_call_that_a_stop_ended_is_cancelled_without_the_words_for_the_model(room: Room) -> None:
    words = "The user doesn't want to proceed with this tool use. It was rejected. "
    stopped = f.tool_result("t1", f"{words}STOP what you are doing and wait.", is_error=True, detail="User rejected")
    denied = f.tool_result("t2", f"{words}To tell you how to proceed, the user said: not now", is_error=True)
    room.hear(f.assistant(f.tool_use("t1", "Bash"), f.tool_use("t2", "Bash")), stopped, denied)
    first, second = room.turn.tools
    assert (first.status, first.error, first.result, first.detail) == ("cancelled", "Stopped by you", None, None)
    assert second.status == "failed"
    assert "not now" in second.result_text


def test_parallel_tool_calls_get_their_own_results(room: Room) -> None:
    room.hear(f.assistant(f.tool_use("t1", "Read"), f.tool_use("t2", "Read")))
    room.hear(f.tool_result("t2", "two"), f.tool_result("t1", "one"))
    assert [tool.result for tool in room.turn.tools] == ["one", "two"]


def test_a_sub_agents_blocks_are_nested_under_its_call(room: Room) -> None:
    room.hear(
        f.assistant(f.tool_use("t1", "Agent", prompt="go")),
        f.assistant(f.text("working"), parent="t1"),
        f.assistant(f.tool_use("t2", "Read", file_path="x"), parent="t1"),
        f.tool_result("t2", "seen"),
        f.tool_result("t1", "report"),
    )
    call = room.turn.tools[0]
    assert [type(b) for b in room.turn.children(call.key)] == [Text, Tool]
    assert room.turn.text == ""


def test_a_background_agent_goes_on_writing_into_the_turn_that_started_it(room: Room) -> None:
    room.hear(f.assistant(f.tool_use("t1", "Agent")), f.tool_result("t1", "launched"), f.result("p1"))
    room.hear(f.assistant(f.text("late word"), parent="t1"))
    assert len(room.conversation.turns) == 1
    assert room.turn.blocks[-1].parent == room.turn.tools[0].key


def test_a_turn_of_the_clis_own_is_a_turn_of_its_own(room: Room) -> None:
    room.hear(f.assistant(f.text("mine")), f.result("p1", cost=0.01))
    room.hear(f.init(), f.assistant(f.text("task done")), f.result(cost=0.03, origin={"kind": "task-notification"}))
    assert [turn.origin for turn in room.conversation.turns] == ["human", "task-notification"]
    assert room.turn.text == "mine"
    assert room.conversation.turns[1].text == "task done"


def test_queued_prompts_are_answered_in_their_own_turns() -> None:
    room = Room(prompts=("p1", "p2"))
    for uuid in ("p1", "p2"):
        room.hear(f.lifecycle(uuid, "started"), f.init(), f.assistant(f.text(f"to {uuid}")), f.result(uuid))
    assert [turn.text for turn in room.conversation.turns] == ["to p1", "to p2"]


def test_an_older_cli_without_lifecycle_frames_answers_the_oldest_prompt() -> None:
    room = Room(prompts=("p1", "p2")).hear(f.init(), f.assistant(f.text("to p1")), f.result())
    assert [turn.status for turn in room.conversation.turns] == ["done", "queued"]


def test_a_result_that_names_several_prompts_ends_them_all() -> None:
    room = Room(prompts=("p1", "p2")).hear(f.lifecycle("p1", "started"), f.init(), f.assistant(f.text("both")))
    room.hear(f.result("p1", "p2"))
    first, second = room.conversation.turns
    assert (first.status, second.status) == ("done", "done")
    assert [b.code for b in second.blocks if isinstance(b, Notice)] == ["together"]


def test_costs_of_turns_are_differences_of_the_running_total() -> None:
    room = Room(prompts=("p1", "p2"))
    room.hear(f.lifecycle("p1", "started"), f.init(), f.result("p1", cost=0.010))
    room.hear(f.lifecycle("p2", "started"), f.init(), f.result("p2", cost=0.025))
    assert [turn.cost_usd for turn in room.conversation.turns] == pytest.approx([0.010, 0.015])
    assert room.turn.usage.total_input_tokens == 26


def test_an_error_result_gives_the_turn_its_typed_error(room: Room) -> None:
    room.hear(f.assistant(f.text("partly")), f.result("p1", subtype="error_max_turns", is_error=True, result=None))
    assert room.turn.status == "failed"
    assert isinstance(room.turn.error, ResultError)
    assert room.turn.text == "partly"


def test_an_interrupted_turn_keeps_its_text_and_cancels_its_open_calls(room: Room) -> None:
    room.hear(f.start(0, f.text("")), f.text_delta(0, "half an ans"), f.assistant(f.tool_use("t1", "Bash")))
    room.hear(f.result("p1", subtype="error_during_execution", is_error=True, terminal_reason="aborted_tools"))
    assert room.turn.status == "interrupted"
    assert isinstance(room.turn.error, TurnInterrupted)
    assert room.turn.text == "half an ans"
    assert room.turn.tools[0].status == "cancelled"


def test_a_dead_cli_ends_the_turn_with_what_was_streamed(room: Room) -> None:
    room.hear(f.start(0, f.text("")), f.text_delta(0, "so far"))
    changes = room.reducer.fail(room.turn, ProcessError("The CLI died", 137), room.now)
    assert (room.turn.status, room.turn.text) == ("failed", "so far")
    assert changes[-1].kind is ChangeKind.ENDED


def test_a_slash_command_that_only_gives_a_result_shows_it(room: Room) -> None:
    room.hear(f.result("p1", result="Total cost: $0.01"))
    assert room.turn.text == "Total cost: $0.01"


def test_structured_output_is_the_value_of_the_turn(room: Room) -> None:
    room.hear(f.result("p1", structured_output={"answer": 42}))
    assert room.turn.value == {"answer": 42}


def test_an_api_error_worded_as_an_answer_becomes_a_notice(room: Room) -> None:
    room.hear(f.assistant(f.text("API Error: overloaded"), error="server_error"))
    (notice,) = (b for b in room.turn.blocks if isinstance(b, Notice))
    assert (notice.level, notice.code, notice.text) == ("error", "server_error", "API Error: overloaded")
    assert room.turn.text == ""


@pytest.mark.parametrize(
    ("frame", "code", "words"),
    [
        (
            f.frame("system", subtype="api_retry", attempt=2, max_retries=10, retry_delay_ms=4000, error_status=529),
            "api_retry",
            "The API answered with error 529; trying again in 4 s (attempt 2 of 10).",
        ),
        (
            f.frame("system", subtype="compact_boundary", compact_metadata={"pre_tokens": 150000}),
            "compact_boundary",
            "The conversation was summarised to make room (it had 150,000 tokens).",
        ),
        (
            f.frame("rate_limit_event", rate_limit_info={"status": "rejected", "rateLimitType": "five_hour"}),
            "rate_limit",
            "The five hour limit of your account is reached.",
        ),
    ],
)
def test_what_people_should_know_becomes_a_notice(room: Room, frame: dict[str, Any], code: str, words: str) -> None:
    room.hear(frame)
    (notice,) = (b for b in room.turn.blocks if isinstance(b, Notice))
    assert (notice.code, notice.text) == (code, words)


def test_a_rate_limit_event_that_says_all_is_well_is_no_notice(room: Room) -> None:
    room.hear(f.frame("rate_limit_event", rate_limit_info={"status": "allowed"}))
    assert room.turn.blocks == []


def test_a_message_that_cannot_be_read_is_a_notice_since_the_answer_may_lack_it(room: Room) -> None:
    room.hear({"type": "assistant"})
    (notice,) = (b for b in room.turn.blocks if isinstance(b, Notice))
    assert (notice.level, notice.code) == ("warning", "unreadable")
    assert notice.text.startswith("A message of the CLI (assistant) could not be read: ")


def test_frames_of_unknown_kinds_change_nothing(room: Room) -> None:
    before = len(room.changes)
    room.hear(f.frame("from_the_future", x=1), f.frame("system", subtype="also_new"))
    assert len(room.changes) == before


def test_secrets_are_gone_from_prompt_notes_and_errors_but_not_from_what_is_sent() -> None:
    room = Room(prompts=(), environ={"DB_PASSWORD": "hunter2hunter2"})
    turn = Turn(id="p1", prompt="hunter2hunter2?", sent="hunter2hunter2?", notices=["was “hunter2hunter2”"])
    room.reducer.open(turn, 1.0)
    room.reducer.fail(turn, ProcessError("died", 1, "hunter2hunter2"), 2.0)
    assert turn.prompt == "[redacted: DB_PASSWORD]?"
    assert turn.notices == ["was “[redacted: DB_PASSWORD]”"]
    assert "[redacted: DB_PASSWORD]" in str(turn.error)
    assert "hunter2" not in repr(vars(turn.error))
    assert turn.sent == "hunter2hunter2?"


def test_secrets_are_gone_from_text_input_and_results() -> None:
    room = Room(environ={"DB_PASSWORD": "hunter2hunter2"}).hear(f.lifecycle("p1", "started"), f.init())
    room.hear(
        *f.streamed(0, f.text("it is hunter2hunter2!"), ["it is hunt", "er2hunter2!"]),
        f.assistant(f.tool_use("t1", "Bash", command="login hunter2hunter2")),
        f.tool_result("t1", [{"type": "text", "text": "ok hunter2hunter2"}], detail={"stdout": "hunter2hunter2"}),
    )
    assert room.turn.text == "it is [redacted: DB_PASSWORD]!"
    assert "hunter2" not in repr([(t.input, t.result, t.detail) for t in room.turn.tools])
    assert not any("hunter2hunter2" in change.text for change in room.changes)


def test_a_question_makes_its_tool_call_wait_and_its_answer_lets_it_run(room: Room) -> None:
    room.hear(f.assistant(f.tool_use("t1", "Bash", command="ls")))
    question = Question(key="", id="q", kind="permission", ask={"tool_name": "Bash"})
    room.reducer.ask(room.turn, question, "t1", room.now)
    (tool,) = room.turn.tools
    assert (tool.status, question.tool, room.turn.activity) == ("waiting", tool.key, "Waiting for you")
    room.reducer.settle(room.turn, question, "answered", {"behavior": "allow"}, room.now)
    assert (tool.status, question.status) == ("running", "answered")


def test_questions_about_calls_made_at_once_stand_behind_their_own_calls(room: Room) -> None:
    room.hear(f.assistant(f.tool_use("t1", "Bash"), f.tool_use("t2", "Bash"), f.tool_use("t3", "Write")))
    first, second, third = room.turn.tools
    for call in (second, first, second):
        room.reducer.ask(room.turn, Question(key="", id="q", kind="permission"), call.id, room.now)
    behind = [block.tool if isinstance(block, Question) else block.key for block in room.turn.blocks]
    assert behind == [first.key, first.key, second.key, second.key, second.key, third.key]
    assert [block.key for block in room.turn.blocks[3:5]] == ["b4", "b6"]


def test_calls_behind_one_that_is_asked_about_wait_as_well(room: Room) -> None:
    room.hear(f.assistant(f.tool_use("t0", "Read"), f.tool_use("t1", "Bash"), f.tool_use("t2", "Bash")))
    question = Question(key="", id="q", kind="permission")
    room.reducer.ask(room.turn, question, "t1", room.now)
    room.hear(f.assistant(f.tool_use("t3", "Write")))
    assert [tool.status for tool in room.turn.tools] == ["running", "waiting", "waiting", "waiting"]
    assert room.turn.activity == "Waiting for you"
    room.reducer.settle(room.turn, question, "answered", {"behavior": "allow"}, room.now)
    assert {tool.status for tool in room.turn.tools} == {"running"}
    assert room.turn.activity == "Running Bash"


def test_an_open_question_ends_with_its_turn(room: Room) -> None:
    question = Question(key="", id="q", kind="permission")
    room.reducer.ask(room.turn, question, None, room.now)
    room.hear(f.result("p1"))
    assert question.status == "cancelled"


def test_code_blocks_are_found_as_markdown_has_them(room: Room) -> None:
    room.hear(f.assistant(f.text("Do\n\n```python\nprint(1)\n```\n\n- x\n  ```\n  plain\n  ```\n")), f.result("p1"))
    assert [(c.language, c.code) for c in room.turn.code_blocks] == [("python", "print(1)"), ("", "plain")]
