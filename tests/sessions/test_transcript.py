from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_nb.sessions.transcript import chain, dump, messages, page, parse, subagent_messages
from tests.sessions.transcripts import Transcript, parallel_calls, small_talk


def texts(talk: Transcript) -> list[Any]:
    found = []
    for message in messages(talk.entries):
        content = message.message["content"]
        blocks = [{"text": content}] if isinstance(content, str) else content
        found += [block.get("text") or block.get("id") or block.get("tool_use_id") for block in blocks]
    return found


def test_a_conversation_reads_from_first_to_last() -> None:
    talk = small_talk()
    assert [(m.type, m.uuid, m.session_id) for m in messages(talk.entries)] == [
        ("user", talk.entries[0]["uuid"], talk.session_id),
        ("assistant", talk.entries[1]["uuid"], talk.session_id),
    ]


def test_notes_and_attachments_are_no_messages_but_links_go_through_them() -> None:
    talk = Transcript()
    talk.user("one")
    talk.node("attachment", attachment={"type": "date"})
    talk.note("last-prompt", lastPrompt="one")
    talk.node("progress")
    talk.node("system", subtype="stop_hook_summary")
    talk.say("two")
    assert texts(talk) == ["one", "two"]


def test_parallel_calls_keep_all_calls_and_results() -> None:
    assert texts(parallel_calls()) == [
        "read both", "Both.", "toolu_1", "toolu_2", "toolu_1", "toolu_2", "Read.",
    ]  # fmt: skip


def test_a_result_that_hangs_on_a_foreign_entry_is_found_by_its_call() -> None:
    talk = Transcript()
    ask = talk.user("go")
    talk.call("toolu_1", id="msg_a")
    last = talk.call("toolu_2", id="msg_a")
    talk.result("toolu_1", parent=ask)
    talk.result("toolu_2", parent=last)
    assert texts(talk) == ["go", "toolu_1", "toolu_2", "toolu_1", "toolu_2"]


def test_a_call_is_answered_once() -> None:
    talk = parallel_calls()
    talk.result("toolu_1", parent=talk.entries[2]["uuid"])
    talk.say("Again.")
    assert texts(talk).count("toolu_1") == 2  # the call and one result


def test_after_a_rewind_only_the_new_branch_counts() -> None:
    talk = Transcript()
    talk.user("one")
    fork = talk.say("two")
    talk.user("abandoned")
    talk.say("abandoned too")
    talk.user("instead", parent=fork)
    talk.say("three")
    assert texts(talk) == ["one", "two", "instead", "three"]


def test_abandoned_parallel_calls_stay_abandoned() -> None:
    talk = parallel_calls()
    talk.user("instead", parent=talk.entries[0]["uuid"])
    assert texts(talk) == ["read both", "instead"]


def test_a_compaction_starts_the_conversation_at_its_summary() -> None:
    talk = small_talk()
    talk.node("system", parent=None, subtype="compact_boundary", logicalParentUuid=talk.last)
    talk.user("This session is being continued", isCompactSummary=True)
    talk.user("next")
    assert texts(talk) == ["This session is being continued", "next"]


def test_hidden_entries_are_left_out_and_do_not_end_the_branch() -> None:
    talk = small_talk()
    talk.user("caveat", isMeta=True)
    talk.user("from a team mate", teamName="team")
    talk.user("a sub-agent's", isSidechain=True, parent=None)
    assert texts(talk) == ["Hello", "You said Hello"]


def test_links_in_a_circle_end() -> None:
    talk = small_talk()
    talk.entries[0]["parentUuid"] = talk.entries[1]["uuid"]
    assert texts(talk) == ["Hello", "You said Hello"]


def test_a_sub_agent_is_read_with_who_started_it_and_its_parallel_calls() -> None:
    talk = parallel_calls()
    for entry in talk.entries:
        entry["isSidechain"] = True
    found = subagent_messages(talk.entries, {"toolUseId": "toolu_x", "parentAgentId": 3})
    assert len(found) == 7
    assert {(m.parent_tool_use_id, m.parent_agent_id) for m in found} == {("toolu_x", None)}


def test_a_line_ends_at_the_newline_alone() -> None:
    talk = small_talk(prompt="one\u2028two\x85three\u2029four\x0cfive")
    assert [e["uuid"] for e in parse(talk.bytes())] == [e["uuid"] for e in talk.entries]


def test_half_written_and_foreign_lines_are_left_out() -> None:
    whole = small_talk().bytes()
    torn = whole + '{"type":"user","text":"hä'.encode()[:-1]
    assert list(parse(torn + b"\n[1]\n\nnull\n\xff\xfe\n" + whole)) == list(parse(whole)) * 2
    deep = b"[" * 100_000
    assert list(parse(deep + b"\n" + whole)) == list(parse(whole))


@given(st.binary(max_size=200))
def test_no_bytes_make_the_parser_fail(data: bytes) -> None:
    chain(parse(data))


@given(st.integers(0, 5000))
def test_a_file_cut_anywhere_loses_only_its_last_line(cut: int) -> None:
    data = parallel_calls().bytes()[:cut]
    found = list(parse(data))
    assert found == parallel_calls().entries[: len(found)]
    assert len(found) >= data.count(b"\n")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_values, max_size=5))
def test_an_entry_survives_being_written(entry: dict[str, Any]) -> None:
    line = dump({**entry, "type": "x"})
    assert line.count(b"\n") == 1
    assert line.startswith(b'{"type":"x"')
    assert list(parse(line)) == [{**entry, "type": "x"}]


def test_half_an_emoji_survives_being_written() -> None:
    entry = {"type": "x", "text": "\ud83d"}
    assert json.loads(dump(entry)) == entry


@pytest.mark.parametrize(
    ("limit", "offset", "expected"),
    [(None, 0, "abcd"), (2, 0, "ab"), (2, 3, "d"), (0, 1, "bcd"), (-1, 0, "abcd"), (1, -5, "a"), (None, 9, "")],
)
def test_a_page_is_cut_without_surprises(limit: int | None, offset: int, expected: str) -> None:
    assert "".join(page(list("abcd"), limit, offset)) == expected
