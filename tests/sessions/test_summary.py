from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claude_nb.sessions import SDKSessionInfo, fold_session_summary
from claude_nb.sessions.store import session_key
from claude_nb.sessions.summary import facts_of, facts_of_file, info, milliseconds
from tests.sessions.transcripts import SESSION, Transcript, small_talk

KEY = session_key("p", SESSION)


def of_file(talk: Transcript, folder: Path) -> SDKSessionInfo | None:
    path = folder / "t.jsonl"
    path.write_bytes(talk.bytes())
    found = facts_of_file(path)
    assert found is not None
    return info(SESSION, found[0], 0)


def first_prompt(*prompts: Any, **fields: Any) -> str | None:
    talk = Transcript()
    for prompt in prompts:
        talk.user(prompt, **fields)
    talk.note("custom-title", customTitle="so that there is something to show")
    found = info(SESSION, facts_of(talk.entries), 0)
    assert found is not None
    return found.first_prompt


def test_what_was_said_first_is_the_first_prompt() -> None:
    assert first_prompt("Hello\nthere ", "More") == "Hello there"
    assert first_prompt([{"type": "image"}, {"type": "text", "text": " "}, {"type": "text", "text": "see"}]) == "see"


@pytest.mark.parametrize(
    "noise",
    [
        "<local-command-stdout>Renamed</local-command-stdout>",
        "<local-command-caveat>The command below",
        "<session-start-hook>x",
        "<task-notification>\n<task-id>",
        "<tick>", "<goal>",
        "[Request interrupted by user for tool use]",
        " <ide_opened_file>a\nb</ide_opened_file> ",
        "<ide_selection>x</ide_selection>",
        [{"type": "tool_result", "tool_use_id": "t"}, {"type": "text", "text": "not typed"}],
        "",
    ],
)  # fmt: skip
def test_what_nobody_typed_is_no_prompt(noise: Any) -> None:
    assert first_prompt(noise, "typed") == "typed"


def test_a_selection_with_a_question_is_a_prompt() -> None:
    assert first_prompt("<ide_selection>x</ide_selection> why?") == "<ide_selection>x</ide_selection> why?"


@pytest.mark.parametrize("fields", [{"isMeta": True}, {"isCompactSummary": True}])
def test_hidden_entries_are_no_prompts(fields: dict[str, Any]) -> None:
    assert first_prompt("hidden", **fields) is None


def test_a_command_is_named_when_nothing_else_was_typed() -> None:
    command = "<command-name>/rename</command-name><command-args>x</command-args>"
    assert first_prompt(command) == "/rename"
    assert first_prompt(command, "typed") == "typed"


def test_a_long_prompt_is_cut() -> None:
    assert first_prompt("x" * 199 + " yz") == "x" * 199 + "…"
    assert first_prompt("x" * 200) == "x" * 200


def test_the_line_to_show_is_the_title_then_the_last_prompt_then_the_summary_then_the_first(tmp_path: Path) -> None:
    talk = small_talk()
    for note, field, shown in [
        ("summary", "summary", "the summary"),
        ("last-prompt", "lastPrompt", "the last prompt"),
        ("ai-title", "aiTitle", "the made-up title"),
        ("custom-title", "customTitle", "the given title"),
    ]:
        before = info(SESSION, facts_of(talk.entries), 0)
        talk.note(note, **{field: shown})
        after = info(SESSION, facts_of(talk.entries), 0)
        assert before is not None
        assert after is not None
        assert (before.summary != shown, after.summary) == (True, shown)
        assert of_file(talk, tmp_path) == after


def test_fields_of_the_same_name_inside_tools_and_messages_do_not_count(tmp_path: Path) -> None:
    talk = small_talk()
    talk.note("custom-title", customTitle="mine")
    talk.note("tag", tag="kept")
    inner = {"customTitle": "evil", "tag": "v1.0", "type": "tag", "gitBranch": "evil", "cwd": "/evil"}
    talk.answer({"type": "tool_use", "id": "t", "name": "x", "input": inner}, id="m", gitBranch="feature")
    found = of_file(talk, tmp_path)
    assert found is not None
    assert (found.custom_title, found.tag, found.git_branch, found.cwd) == ("mine", "kept", "feature", "/somewhere")


def test_the_last_tag_counts_and_an_empty_one_takes_it_off(tmp_path: Path) -> None:
    talk = small_talk()
    for tag in ("a", "b"):
        talk.note("tag", tag=tag)
    assert (found := of_file(talk, tmp_path)) is not None
    assert found.tag == "b"
    talk.note("tag", tag="")
    assert (found := of_file(talk, tmp_path)) is not None
    assert found.tag is None
    assert "tag" not in facts_of(talk.entries) or facts_of(talk.entries)["tag"] is None


def test_a_sub_agents_file_and_an_unused_session_have_nothing_to_show(tmp_path: Path) -> None:
    aside = Transcript()
    aside.user("x", isSidechain=True)
    assert of_file(aside, tmp_path) is None
    unused = Transcript()
    unused.note("mode", mode="plan")
    assert of_file(unused, tmp_path) is None


def test_both_ends_of_a_long_transcript_are_read(tmp_path: Path) -> None:
    talk = small_talk(prompt="the beginning")
    for _ in range(100):
        talk.say("x" * 4000, gitBranch="late")
    talk.note("custom-title", customTitle="the end")
    talk.note("atis-latch", atis="")
    found = of_file(talk, tmp_path)
    assert found is not None
    assert (found.first_prompt, found.summary, found.git_branch) == ("the beginning", "the end", "late")


def test_a_first_line_longer_than_the_window_leaves_the_other_end(tmp_path: Path) -> None:
    talk = Transcript()
    talk.user("x" * 100_000)
    talk.note("last-prompt", lastPrompt="xx")
    found = of_file(talk, tmp_path)
    assert found is not None
    assert (found.summary, found.first_prompt) == ("xx", None)


def test_an_empty_or_missing_file_has_no_facts(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert facts_of_file(tmp_path / "empty") is None
    assert facts_of_file(tmp_path / "missing") is None


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        ("2026-01-01T00:00:00.123Z", 1767225600123),
        ("2026-01-01T01:00:00+01:00", 1767225600000),
        ("2026-01-01T00:00:00", 1767225600000),
        ("soon", None),
        (5, None),
        (None, None),
    ],
)
def test_timestamps_are_read_as_milliseconds(timestamp: object, expected: int | None) -> None:
    assert milliseconds(timestamp) == expected


notes = st.one_of(
    st.builds(lambda t: {"type": "custom-title", "customTitle": t}, st.text(max_size=5)),
    st.builds(lambda t: {"type": "ai-title", "aiTitle": t}, st.text(max_size=5)),
    st.builds(lambda t: {"type": "tag", "tag": t}, st.text(max_size=3)),
    st.builds(lambda t: {"type": "last-prompt", "lastPrompt": t}, st.text(max_size=5)),
    st.builds(
        lambda t, meta: {"type": "user", "message": {"content": t}, "isMeta": meta, "timestamp": "2026-01-01"},
        st.text(max_size=5),
        st.booleans(),
    ),
    st.builds(lambda b: {"type": "assistant", "gitBranch": b, "cwd": b}, st.text(max_size=3)),
)


@given(st.lists(notes, max_size=8), st.integers(0, 8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_folding_in_any_batches_tells_the_same_as_reading_the_file(
    tmp_path: Path, entries: list[Any], cut: int
) -> None:
    talk = Transcript()
    talk.user("start")
    talk.entries += entries
    once = fold_session_summary(None, KEY, talk.entries)
    twice = fold_session_summary(fold_session_summary(None, KEY, talk.entries[:cut]), KEY, talk.entries[cut:])
    assert once == twice
    assert info(SESSION, once["data"], 0) == of_file(talk, tmp_path)


def test_folding_leaves_the_summary_before_and_its_time_as_they_were() -> None:
    before = {**fold_session_summary(None, KEY, small_talk().entries[:1]), "mtime": 7}
    kept = {**before, "data": dict(before["data"])}
    after = fold_session_summary(before, KEY, [{"type": "custom-title", "customTitle": "new"}])  # type: ignore
    assert before == kept
    assert after["mtime"] == 7
    assert after["data"]["custom_title"] == "new"


def test_fields_are_found_however_the_line_is_spaced(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    schema = {"type": "api-request-shape", "tool": {"customTitle": {"type": "string"}, "tag": ["x"]}}
    spaced = {"type": "tag", "tag": "spaced"}, {"type": "custom-title", "customTitle": "spaced"}
    path.write_text("\n".join(json.dumps(entry) for entry in (*spaced, schema)))
    found = facts_of_file(path)
    assert found is not None
    assert (found[0]["custom_title"], found[0]["tag"]) == ("spaced", "spaced")
