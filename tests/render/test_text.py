"""Text made fit to be shown."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_nb.render.text import clean, dollars, escape_prose, one_line, plural, screen, seconds, tokens, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rm -rf /\u202egpj.x", "rm -rf /\\u202egpj.x"),
        ("pay\u200bpal", "pay\\u200bpal"),
        ("a\x1b[8mb", "a\\x1b[8mb"),
        ("a\xa0b", "a\\xa0b"),
        ("a\u3164b", "a\\u3164b"),
        ("a\U000e0041b", "a\\U000e0041b"),
        ("a\rb", "a\\x0db"),
        ("ls" + " " * 90 + "; rm x", "ls ⟨90 blanks⟩ ; rm x"),
        ("tab\tline\nend", "tab\tline\nend"),
        ("ls" + "\n" * 9 + "rm x", "ls\n⟨8 empty lines⟩\nrm x"),
        ("ls" + "\n \t" * 9 + "rm x", "ls\n⟨8 empty lines⟩\n \trm x"),
        ("a\n\n\n\nb", "a\n\n\n\nb"),
        (" " * 120 + "rm x", " ⟨120 blanks⟩ rm x"),
        ("    indented", "    indented"),
        ("naïve – 漢字 ελληνικά עברית 🙂", "naïve – 漢字 ελληνικά עברית 🙂"),
    ],
)
def test_what_cannot_be_seen_is_written_out(text: str, shown: str):
    assert visible(text) == shown


@given(st.text())
def test_visible_text_holds_nothing_hidden_and_can_be_sent(text: str):
    shown = visible(text)
    shown.encode()
    assert not [c for c in shown if c not in "\t\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]


@given(st.text())
def test_clean_text_holds_no_control_character_and_can_be_sent(text: str):
    cleaned = clean(text)
    cleaned.encode()
    assert not [c for c in cleaned if c not in "\t\n" and unicodedata.category(c) in ("Cc", "Cs")]


@given(st.lists(st.text(st.sampled_from("a\x1b[]0;m\x07\x9b\x9c\\ ")), max_size=5))
def test_cleaning_line_by_line_is_cleaning_the_whole(lines: list[str]):
    assert "\n".join(clean(line) for line in lines) == clean("\n".join(lines))


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        ("\x1b[1;32mok\x1b[0m\n", "ok"),
        ("10%\r50%\r100%\ndone", "100%\ndone"),
        ("a\r\nb\r\n", "a\nb"),
        ("\x1b]8;;https://e.vil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("last\r", "last\r"),
    ],
)
def test_output_reads_as_a_terminal_would_show_it(output: str, shown: str):
    assert screen(output) == shown.rstrip()


def test_dollars_and_backslashes_stand_alone_for_the_typesetter():
    assert escape_prose("$a<b$ \\(") == "<span>$</span>a&lt;b<span>$</span> <span>\\</span>("


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (tokens(812), "812"),
        (tokens(45_200), "45.2K"),
        (tokens(999_960), "1.0M"),
        (seconds(0.42), "0.4s"),
        (seconds(59.97), "1m 00s"),
        (seconds(125), "2m 05s"),
        (seconds(3725), "1h 02m"),
        (dollars(0.0842), "$0.0842"),
        (dollars(1234.5), "$1,234.50"),
        (plural(1, "line"), "1 line"),
        (plural(1204, "line"), "1,204 lines"),
        (one_line("a\n  b" + "c" * 200, 10), "a bcccccc…"),
    ],
)
def test_figures_read_well(shown: str, expected: str):
    assert shown == expected


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", ["x", " ", "\x1b]", "\x1b[1;", "\r", "\u202e", "a ", "\\", "$"])
def test_a_long_hostile_line_is_dealt_with_soon(piece: str):
    line = piece * 200_000
    for work in (clean, screen, visible, escape_prose):
        work(line)
