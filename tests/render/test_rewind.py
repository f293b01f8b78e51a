"""Checkpoints and rewinds in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from claude_nb.conversation.rewind import Checkpoint, FileChange, Plan, Rewound
from claude_nb.render import Look
from claude_nb.render.rewind import (
    ago,
    changes,
    counts,
    done_lines,
    fork_line,
    listing_html,
    listing_plain,
    plan_lines,
    quote,
    undo_lines,
)

POINT = Checkpoint(number=1, id="p", prompt="Go on.", at=940.0, files=("/w/a.txt",), insertions=3, deletions=1)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "just now"), (59, "just now"), (60, "1m ago"), (7199, "1h ago"), (86400 * 3, "3d ago"), (-5, "just now")],
)
def test_how_long_ago_in_one_glance(seconds: float, words: str) -> None:
    assert ago(1_000_000 - seconds, 1_000_000) == words


def test_a_time_that_is_not_known_is_not_made_up() -> None:
    assert ago(0.0, 1_000_000) == "earlier"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "a.txt +3 −1"),
        ({"files": ()}, "no file changes"),
        ({"files": None}, "no checkpoint of the files"),
        ({"files": ("/else/b",), "insertions": 0}, "/else/b −1"),
        ({"files": tuple(f"/w/{n}" for n in range(6))}, "0, 1, 2, 3 and 2 more files +3 −1"),
    ],
)
def test_changes_name_the_files_first(fields: dict[str, object], words: str) -> None:
    assert changes(replace(POINT, **fields), "/w") == words  # type: ignore[arg-type]


def test_counts_know_one_from_many() -> None:
    assert counts(POINT) == "1 file, +3 −1 lines"
    assert counts(replace(POINT, insertions=1, deletions=0)) == "1 file, +1 line"
    assert counts(replace(POINT, insertions=0, deletions=0)) == "1 file"


def test_what_is_dropped_is_said_in_numbers_that_people_use() -> None:
    words = [fork_line(Plan(checkpoint=POINT, dropped=count)) for count in (1, 2, 5)]
    assert "without that prompt;" in words[0]
    assert "that prompt and the one after it" in words[1]
    assert "that prompt and the 4 after it" in words[2]


def test_a_prompt_is_one_line_and_hides_nothing() -> None:
    assert quote("a\nb\u202ec\u200b") == "“a b\\u202ec\\u200b”"
    assert len(quote("word " * 100)) < 100


def test_hostile_prompts_and_paths_are_text_in_the_saved_notebook() -> None:
    evil = "<img src=x onerror=alert(1)>"
    html = listing_html([replace(POINT, prompt=evil, files=(f"/w/{evil}",))], 1000.0, "/w", Look(live=False))
    assert "<img" not in html
    assert "&lt;img" in html


def test_the_list_says_where_the_conversation_stands() -> None:
    lines = listing_plain([POINT, replace(POINT, number=2)], 1000.0, "/w").splitlines()
    assert lines[1].split() == ["1", "“Go", "on.”"]
    assert lines[2].strip() == "1m ago · a.txt +3 −1"
    assert lines[-2].strip() == "(current)"
    assert "No checkpoints yet" in listing_plain([], 0.0, None)


def test_a_plan_tells_of_every_file_what_speaks_against_it() -> None:
    files = (FileChange("/w/a.txt", ("changed since", "and more")), FileChange("/w/b.ipynb", kept=True))
    text = "\n".join(plan_lines(Plan(checkpoint=POINT, files=files, dropped=1), 1000.0, "/w"))
    assert "a.txt (changed since; and more)" in text
    assert "b.ipynb (left as it is" in text
    assert "shell commands" in text
    assert "kernel" in text


def test_a_rewind_tells_what_it_did_what_it_left_and_what_failed() -> None:
    done = Rewound(
        checkpoint=POINT, scope="both", files=("/w/a",), kept=("/w/b",), failed=("/w/c",), dropped=2, summary="s"
    )
    text = "\n".join(done_lines(done, "/w"))
    for words in (
        "before that prompt: a.",
        "the one after it",
        "summary",
        "open notebook or could be: b.",
        "restored: c.",
    ):
        assert words in text
    undone = "\n".join(done_lines(replace(done, undone=True), "/w"))
    assert "before the rewind: a." in undone
    assert "again" in undone
    assert "summary" not in undone
    assert "a (lost)" in "\n".join(undo_lines(done, {"/w/a": "lost"}, "/w"))
