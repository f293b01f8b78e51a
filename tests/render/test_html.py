"""Blocks and turns as HTML."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from claude_nb.conversation.model import Notice, Question, Text, Thinking, Tool, Turn, Usage
from claude_nb.errors import ResultError
from claude_nb.render.html import block_html, footer_html, status_html, turn_html
from claude_nb.render.question import record
from claude_nb.render.style import Look

from . import samples
from .inspect_html import Page

LIVE = Look(live=True, root=samples.ROOT)
STATIC = Look(live=False, root=samples.ROOT)


def words(html: str) -> str:
    return " ".join(Page(html.replace("<div", " <div").replace("<pre", " <pre").replace("<p", " <p")).text.split())


def test_a_tool_call_is_one_card_with_its_status_for_everyone():
    html = block_html(samples.read(), LIVE)
    assert html.startswith('<details class="cnb-tool" data-status="done">')
    assert 'role="img" aria-label="done"' in html
    assert words(html).startswith("▤ Read src/load.py 5 lines ✓ import csv")


@pytest.mark.parametrize(
    ("call", "opened"),
    [(samples.bash(), True), (samples.long_bash(), False), (samples.read(), False), (samples.failed_bash(), True)],
    ids=["short result", "long result", "quiet tool", "failed"],
)
def test_a_card_is_open_when_its_result_is_short_or_an_error(call: Tool, opened: bool):
    assert block_html(call, LIVE).startswith('<details class="cnb-tool"')
    assert (' open="">' in block_html(call, LIVE).split("<summary")[0]) == opened


def test_a_long_result_folds_and_a_huge_one_is_cut_with_a_word():
    call = samples.long_bash()
    assert "48 more lines" in block_html(call, LIVE)
    call.result = "\n".join(f"row {n}" for n in range(5000))
    html = block_html(call, LIVE)
    assert "488 more lines, 4,500 lines more not shown" in html
    call.result = "x" * 3_000_000
    assert len(block_html(call, LIVE)) < 60_000


@pytest.mark.parametrize("status", ["pending", "waiting", "running", "done", "failed", "cancelled"])
def test_every_status_of_a_call_is_said_in_words(status):
    call = samples.bash()
    call.status = status
    html = block_html(call, LIVE)
    assert f'data-status="{status}"' in html
    assert 'aria-label="' in html


def test_one_endless_line_is_a_long_result():
    call = samples.long_bash()
    call.result, call.detail = "A" * 30_000, None
    assert ' open="">' not in block_html(call, STATIC).split("<summary")[0]


def test_pictures_are_embedded_and_those_of_other_kinds_or_sizes_are_named():
    assert f'src="data:image/png;base64,{samples.PICTURE}"' in block_html(samples.picture(), STATIC)
    call = samples.picture()
    source = {"type": "base64", "media_type": "image/svg+xml", "data": "PHN2Zz4="}
    call.result = [{"type": "image", "source": source}]
    assert "image (image/svg+xml" in words(block_html(call, STATIC))
    call.result = [{"type": "image", "source": {"media_type": "image/png", "data": "A" * 4_000_000}}]
    assert "3,000,000 bytes), not shown" in words(block_html(call, STATIC))


def test_thinking_is_folded_under_its_duration():
    block = Thinking(key="t", text="*hm*", started=1.0, ended=4.2)
    assert words(block_html(block, LIVE)) == "Thought for 3.2s hm"
    assert " open" not in block_html(block, LIVE).split("<summary")[0]
    block.ended = None
    assert words(block_html(block, LIVE)) == "Thinking… hm"
    assert "withheld" in words(block_html(Thinking(key="t", redacted=True), LIVE))


def test_an_empty_text_draws_nothing():
    assert block_html(Text(key="t", text="\n"), LIVE) == ""


def test_a_sub_agents_work_stands_under_its_call():
    turn = samples.rich_turn()
    html = turn_html(turn, LIVE)
    kids = html[html.index('class="cnb-kids"') :]
    assert "2 steps" in kids
    assert kids.index("csv.reader") < kids.index("Two files match") < kids.index("</details><details")


def test_a_row_of_calls_that_only_looked_is_folded_and_one_that_failed_or_changed_something_stays_in_sight():
    def reads(count: int, first: int = 0) -> list[Tool]:
        return [replace(samples.read(), key=f"read{first + n}") for n in range(count)]

    def page(*blocks: Any) -> Page:
        turn = replace(samples.rich_turn(), blocks=list(blocks))
        return Page(turn_html(turn, STATIC))

    assert "tool calls" not in page(*reads(3)).text
    thought = Thinking(key="think", text="Hm.", started=0, ended=1)
    folded = page(*reads(2), thought, *reads(2, 2))
    assert "4 tool calls: Read 4" in folded.text
    assert folded.problems == []
    assert "tool calls" not in page(*reads(2), samples.failed_bash(), *reads(2, 2)).text
    assert "tool calls" not in page(*reads(2), samples.edit(), *reads(2, 2)).text


def test_blocks_whose_call_is_unknown_still_show():
    turn = Turn(id="t", status="done", blocks=[Text(key="a", parent="gone", text="hello")])
    assert "hello" in words(turn_html(turn, STATIC))


def test_the_footer_says_time_tokens_cost_turns_model_and_session():
    assert words(footer_html(samples.rich_turn(), LIVE)) == (
        "12.3s · 45.2K in (38.1K cached) / 1.2K out · $0.0842 · 3 turns · claude-sonnet-4-5 · session abc12345"
    )


def test_money_can_be_left_out():
    assert "$" not in words(footer_html(samples.rich_turn(), Look(live=True, show_cost=False)))


def test_the_footer_leaves_out_what_is_not_known_and_names_the_session():
    turn = Turn(id="t", status="done", session_id="abcdef0123", session_name="data", usage=Usage(10, 2), num_turns=1)
    assert words(footer_html(turn, LIVE)) == "10 in / 2 out · session data abcdef01"


@pytest.mark.parametrize(
    ("turn", "said"),
    [(samples.failed_turn(), "failed 0.4s"), (samples.interrupted_turn(), "interrupted 2.0s")],
)
def test_the_footer_says_how_a_turn_ended_if_not_well(turn: Turn, said: str):
    assert words(footer_html(turn, LIVE)) == said


def test_the_error_of_a_failed_turn_is_shown_once():
    turn = samples.failed_turn()
    assert words(turn_html(turn, STATIC)).count("prompt is <too> long") == 1
    turn.blocks.append(Notice(key="n", level="error", text="API Error: 400 prompt is <too> long"))
    assert words(turn_html(turn, STATIC)).count("prompt is <too> long") == 1


def test_an_empty_notice_hides_no_error():
    turn = Turn(id="t", status="failed", error=ResultError("It broke"), blocks=[Notice(key="n", text="")])
    assert "It broke" in words(turn_html(turn, STATIC))


def test_a_running_turn_says_what_it_is_doing():
    turn = samples.running_turn()
    assert words(status_html(turn, LIVE)) == "Writing a.py…"
    assert 'role="status"' in status_html(turn, LIVE)
    assert words(turn_html(turn, LIVE)).endswith("Writing a.py…")
    assert words(status_html(Turn(id="t"), LIVE)) == "Queued behind the turn that is running…"


def test_notices_of_the_prompt_stand_first():
    turn = Turn(id="t", status="done", notices=["No variable `x`"], blocks=[Text(key="a", text="hello")])
    assert words(turn_html(turn, STATIC)) == "ℹ No variable `x` hello"


RULE = {"type": "addRules", "destination": "projectSettings", "rules": [{"toolName": "Bash", "ruleContent": "npm *"}]}
MODE = {"type": "setMode", "mode": "acceptEdits", "destination": "session"}


@pytest.mark.parametrize(
    ("kind", "status", "decision", "allowed", "line"),
    [
        ("permission", "open", None, None, "Waiting for an answer"),
        ("permission", "answered", {"behavior": "allow"}, True, "Allowed once"),
        ("permission", "answered", {"behavior": "allow", "edited": True}, True, "Allowed once with edited input"),
        (
            "permission",
            "answered",
            {"behavior": "allow", "updated_permissions": [RULE, MODE]},
            True,
            "Allowed always: Bash(npm *) for this project; mode acceptEdits for this session",
        ),
        ("permission", "answered", {"behavior": "deny"}, False, "Denied"),
        ("permission", "answered", {"behavior": "deny", "message": "not\nnow"}, False, "Denied: not now"),
        (
            "permission",
            "answered",
            {"behavior": "deny", "interrupt": True, "by": "policy"},
            False,
            "Denied and stopped (by policy)",
        ),
        ("permission", "expired", None, None, "Denied: no answer in time"),
        ("permission", "cancelled", None, None, "Withdrawn before an answer"),
        ("choice", "answered", {"behavior": "allow", "answers": {"Which?": ["a", "b"]}}, True, "Answered: Which? a, b"),
        ("plan", "answered", {"behavior": "allow"}, True, "Plan approved"),
        ("plan", "answered", {"behavior": "deny", "message": "smaller"}, False, "Kept planning: smaller"),
        ("form", "answered", {"behavior": "deny"}, False, "Declined"),
    ],
)
def test_a_decision_leaves_a_record_of_one_line(kind, status, decision, allowed, line):
    question = Question(key="q", id="secret", kind=kind, status=status, decision=decision)
    assert record(question) == (allowed, line)
    html = block_html(question, STATIC)
    assert line in words(html)
    assert "secret" not in html


def test_the_record_of_a_permission_names_what_it_is_about_and_not_what_the_model_calls_it() -> None:
    ask = {"tool_name": "Bash", "input": {"command": "rm  -rf\tbuild", "description": "List files"}}
    question = Question(key="q", id="i", kind="permission", ask=ask, status="answered", decision={"behavior": "allow"})
    assert record(question) == (True, "Bash rm -rf build · Allowed once")
    question.ask = {"tool_name": "Write", "input": {"file_path": "/home/me/a.txt", "content": "x"}}
    assert record(question, "/home/me") == (True, "Write a.txt · Allowed once")


def test_drawing_does_not_change_the_turn():
    assert turn_html(samples.rich_turn(), LIVE) == turn_html(samples.rich_turn(), LIVE)
    turn = samples.rich_turn()
    turn_html(turn, LIVE)
    assert turn.blocks == samples.rich_turn().blocks
