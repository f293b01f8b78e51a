"""Markdown as it streams: the finished blocks are the HTML of the whole, whatever the cuts, at linear cost."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from claude_nb.render.markdown import MarkdownStream, to_html
from claude_nb.render.stream import BlockStream
from claude_nb.render.style import Look

from .samples import ANSWER
from .strategies import pieces, streamable

LIVE = Look(live=True)


def streamed(parts: list[str]) -> str:
    stream = MarkdownStream(LIVE)
    finished = [html for part in parts for html in stream.feed(part)]
    return "".join(finished + stream.close())


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_any_cutting_of_any_markdown_renders_like_the_whole(data: st.DataObject):
    text = data.draw(streamable)
    assert streamed(data.draw(pieces(text))) == to_html(text, LIVE)


@settings(max_examples=300, deadline=None)
@given(streamable)
@example("- a\nb | c\n--- | ---\nd | e")
@example("$$ a\n# h\n\n$$")
@example("text\n$$\na\n\nb\n$$\n")
@example("a\r\nb\r\n\r\n```\r\nx\r\n```\r\n")
def test_one_character_at_a_time_renders_like_the_whole(text: str):
    assert streamed(list(text)) == to_html(text, LIVE)


@settings(max_examples=200, deadline=None)
@given(streamable)
def test_the_open_tail_is_drawn_as_if_the_text_ended_there(text: str):
    stream = MarkdownStream(LIVE)
    shown = "".join(stream.feed(text)) + stream.tail_html()
    assert shown == to_html(text, LIVE)


def test_every_prefix_of_an_answer_shows_what_its_whole_render_shows():
    stream = MarkdownStream(LIVE)
    finished = ""
    for n, char in enumerate(ANSWER, 1):
        finished += "".join(stream.feed(char))
        if n % 25 == 0:
            assert finished + stream.tail_html() == to_html(ANSWER[:n], LIVE)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("words", "text"),
        ("```py", "fence"),
        ("```py\nx = 1\n", "fence"),
        ("```py\nx\n```\n", "text"),
        ("~~~\na", "fence"),
    ],
)
def test_the_kind_of_the_tail_says_whether_code_is_being_written(text: str, kind: str):
    stream = MarkdownStream(LIVE)
    stream.feed(text)
    assert stream.tail_kind == kind


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("# Title\n", 1),
        ("words\n\n", 1),
        ("words\n# Title\n", 2),
        ("```\nx\n```\n", 1),
        ("words:\n```\nx\n```\n", 2),
        ("- a\n- b\n\nwords\n", 1),
        ("| a |\n|---|\n| 1 |\n\n", 1),
        ("> a\n\n", 1),
        ("$$\nx\n$$\n\n", 1),
        ("---\n", 1),
    ],
)
def test_a_block_is_finished_as_soon_as_nothing_can_change_it(text: str, count: int):
    assert len(MarkdownStream(LIVE).feed(text)) == count


@pytest.mark.parametrize(
    "text", ["words", "words\n", "- a\n\n", "```\nx\n\n", "    code\n\n", "[a]: /x\n", "| a |\n|---|\n"]
)
def test_what_may_still_change_is_not_finished(text: str):
    assert MarkdownStream(LIVE).feed(text) == []


def test_a_reference_defined_later_is_resolved_by_the_whole_render_only():
    text = "See [the page][p].\n\n[p]: https://a.example\n"
    assert "[the page][p]" in streamed([text])
    assert 'href="https://a.example"' in to_html(text, LIVE)


def test_a_reference_defined_earlier_is_resolved_in_the_stream():
    text = "[p]: https://a.example\n\nwords\n\nSee [the page][p].\n"
    assert streamed(list(text)) == to_html(text, LIVE)
    assert 'href="https://a.example"' in streamed(list(text))


LONG = {
    "mixed": ANSWER * (20_000 // len(ANSWER)),
    "one list": "".join(f"- item {n} with *some* `words` in it\n" for n in range(600)),
    "loose list": "".join(f"- item {n} with *some* `words` in it\n\n" for n in range(600)),
    "one paragraph": "some words and *more* words in a line\n" * 550,
    "one fence": "```python\n" + "for x in range(10): print(x)\n" * 680,
    "one table": "| a | b |\n|---|---|\n" + "| some words | more *words* |\n" * 680,
    "one quote": "> some words in a quote of *many* lines\n" * 500,
    "paragraphs that look like starts": "> q\n-x\n_a\n" * 1600,
    "nested fences": "- a\n\n  ```\n  x\n  ```\n\n" * 600,
}


@pytest.mark.parametrize("kind", LONG)
def test_finding_finished_blocks_costs_about_as_much_as_one_render(kind: str):
    text = LONG[kind]
    to_html(text, LIVE)  # warm
    whole = min(_time(lambda: to_html(text, LIVE)) for _ in range(3))
    parts = [text[i : i + 5] for i in range(0, len(text), 5)]
    live = min(_time(lambda: streamed(parts)) for _ in range(3))
    # Rendering each block once is one whole; looking for ends and 4,000 calls come on top.
    assert live <= 4 * whole + 0.05, f"{live:.3f} s against {whole:.3f} s"


def _time(work) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def test_block_sources_joined_are_the_text():
    stream = BlockStream()
    sources = [s for char in ANSWER for s in stream.feed(char)] + stream.close()
    assert "".join(sources).replace("\n", "") == ANSWER.replace("\n", "")
    assert len(sources) > 6
