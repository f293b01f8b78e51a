"""What going back would mean, decided without asking anybody."""

from __future__ import annotations

from dataclasses import replace

import pytest

from claude_nb.conversation import Conversation, Tool, Turn
from claude_nb.conversation.reduce import Reducer
from claude_nb.conversation.rewind import (
    Checkpoint,
    Footprints,
    Write,
    checkpoints_of,
    entry_before,
    plan,
    written_path,
)

POINT = Checkpoint(number=2, id="p2", prompt="Go on.", at=100.0, files=("/w/a.txt", "/w/b.ipynb"))


def turn(id: str, **fields: object) -> Turn:
    return Turn(id=id, **{"prompt": f"prompt {id}\n", "status": "done", **fields})  # type: ignore[arg-type]


def write(path: str = "/w/a.txt", session: str = "default", at: float = 150.0, digest: str | None = "x") -> Write:
    return Write(path, session, at, digest)


def test_checkpoints_are_the_prompts_that_were_sent() -> None:
    turns = [
        turn("a", started=5.0),
        turn("task", origin="task-notification"),
        turn("b", status="failed"),
        turn("c", status="cancelled"),
        turn("d", status="running"),
        turn("e", status="queued"),
    ]
    found = checkpoints_of(Conversation(name="mine", turns=turns))
    assert [(one.number, one.id) for one in found] == [(1, "a"), (2, "b"), (3, "d")]
    assert (found[0].prompt, found[0].at, found[0].session, found[0].files) == ("prompt a", 5.0, "mine", None)


def test_a_transcript_is_cut_after_the_entry_before_the_prompt() -> None:
    entries = [
        {"type": "user", "uuid": "p1", "parentUuid": None},
        {"type": "assistant", "uuid": "a1", "parentUuid": "p1"},
        {"type": "file-history-snapshot", "messageId": "p2"},
        {"type": "user", "uuid": "p2", "parentUuid": "a1"},
        {"type": "user", "uuid": "p3", "parentUuid": None, "logicalParentUuid": "p2"},
    ]
    assert entry_before(entries, "p1") is None
    assert entry_before(entries, "p2") == "a1"
    assert entry_before(entries, "p3") == "p2"
    with pytest.raises(KeyError):
        entry_before(entries, "p4")


def test_a_plan_counts_what_leaves_the_conversation_and_keeps_what_must_stay() -> None:
    todo = plan(POINT, 4, Footprints(), lambda path: "x", lambda path: path.endswith(".ipynb"))
    assert todo.dropped == 3
    assert (todo.restores, todo.kept) == (("/w/a.txt",), ("/w/b.ipynb",))


def test_a_plan_without_file_checkpoints_restores_none() -> None:
    todo = plan(replace(POINT, files=None), 2, Footprints(), lambda path: "x", lambda path: False)
    assert (todo.files, todo.restores, todo.dropped) == ((), (), 1)


@pytest.mark.parametrize(
    ("writes", "now", "expected"),
    [
        ([write()], "x", []),
        ([write()], "y", ["changed since"]),
        ([write()], None, ["changed since"]),
        ([write(digest=None)], None, []),
        ([], "x", ["no record"]),
        ([write(), write(session="other", at=160.0)], "x", ["session 'other' changed"]),
        ([write(), write(session="other", at=160.0, digest="z")], "x", ["changed since", "session 'other' changed"]),
        ([write(session="other", at=50.0), write()], "x", []),
        ([write(digest="old"), write(digest="new")], "new", []),
    ],
)
def test_a_file_that_is_not_as_the_agent_left_it_is_warned_of(
    writes: list[Write], now: str | None, expected: list[str]
) -> None:
    footprints = Footprints()
    for one in writes:
        footprints.add(one)
    found = footprints.warnings("/w/a.txt", now, POINT)
    assert len(found) == len(expected)
    assert all(words in warning for words, warning in zip(expected, found, strict=True))


@pytest.mark.parametrize(
    ("name", "field", "status", "path"),
    [
        ("Write", "file_path", "done", "/w/a"),
        ("Edit", "file_path", "done", "/w/a"),
        ("NotebookEdit", "notebook_path", "done", "/w/a"),
        ("Write", "file_path", "failed", None),
        ("Read", "file_path", "done", None),
        ("Bash", "command", "done", None),
        ("Write", "path", "done", None),
    ],
)
def test_only_a_write_that_succeeded_leaves_a_footprint(name: str, field: str, status: str, path: str | None) -> None:
    tool = Tool(key="b1", id="t", name=name, input={field: "/w/a"}, status=status)  # type: ignore[arg-type]
    assert written_path(tool) == path


def test_turns_taken_back_are_paid_for_and_come_back_with_an_undo() -> None:
    conversation = Conversation()
    reducer = Reducer(conversation, {})
    turns = [turn(id, cost_usd=0.25) for id in "abc"]
    for one in turns:
        reducer.open(one, 1.0)
    conversation.total_cost_usd = 0.75
    reducer.rewind(turns[:1], "s-1", 0.75)
    assert [t.id for t in conversation.turns] == ["a"]
    assert [t.id for t in conversation.rewound] == ["b", "c"]
    assert conversation.spent_usd == 0.75
    later = turn("d", cost_usd=0.5)
    reducer.open(later, 2.0)
    reducer.rewind(turns, "s-0", 0.75)
    assert [t.id for t in conversation.turns] == ["a", "b", "c"]
    assert [t.id for t in conversation.rewound] == ["d"]
    assert (conversation.spent_usd, conversation.session_id) == (1.25, "s-0")
