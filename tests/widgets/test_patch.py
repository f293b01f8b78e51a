"""What a flush says, and what it costs."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest

from claude_nb.render import Look, block_html, to_html
from claude_nb.widgets.page import Page
from claude_nb.widgets.patch import Patcher
from tests.widgets.scribe import Scribe, cut

LOOK = Look(live=True)
ARTICLE = (
    "# A title\n\nSome *emphasised* text with `code` and a [link](https://example.org).\n\n"
    "- one\n- two\n  - three\n\n```python\ndef f(x):\n    return x + 1\n```\n\n"
    "| a | b |\n|---|---|\n| 1 | 2 |\n\n> quoted\n\nThe end, with $x^2$.\n"
)


@pytest.fixture
def patcher() -> Patcher:
    return Patcher(LOOK)


@pytest.fixture
def scribe(patcher: Patcher) -> Scribe:
    return Scribe(patcher.apply)


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words = ""

    def handle_data(self, data: str) -> None:
        self.words += data


def words(html: str) -> str:
    """The text of HTML without its blanks."""
    parser = _Words()
    parser.feed(html)
    return "".join(parser.words.split())


def shown(page: Page, key: str) -> str:
    """The text a person sees of a block, without blanks."""
    block = page.blocks[key]
    return words(block.html + block.tail) + "".join(block.text.split())


def test_many_deltas_between_two_flushes_cost_one_operation(patcher: Patcher, scribe: Scribe) -> None:
    patcher.flush(0)
    text = scribe.text("b1")
    scribe.grow(text, cut("word " * 100, 5))
    message = patcher.flush(0)
    assert message is not None
    assert [op[0] for op in message["ops"]] == ["add", "tail"]
    scribe.grow(text, cut("more " * 20, 5))
    message = patcher.flush(0)
    assert message is not None
    assert len(message["ops"]) == 1


def test_nothing_is_said_when_nothing_changed(patcher: Patcher, scribe: Scribe) -> None:
    assert patcher.pending
    assert patcher.flush(0) is not None
    assert not patcher.pending
    assert patcher.flush(0) is None
    scribe.act("Working")  # as before
    assert patcher.flush(0) is None
    assert patcher.seq == 1


def test_messages_are_numbered_and_the_whole_carries_the_last_number(patcher: Patcher, scribe: Scribe) -> None:
    numbers = []
    text = scribe.text("b1")
    for delta in ("a", "b", "c"):
        scribe.grow(text, [delta])
        message = patcher.flush(0)
        assert message is not None
        numbers.append(message["s"])
    scribe.grow(text, ["d"])
    whole = patcher.snapshot(0)
    assert numbers == [1, 2, 3]
    assert whole["s"] == 4
    assert patcher.flush(0) is None, "the whole holds what was pending"


@pytest.mark.parametrize("size", [1, 3, 17, 1000])
def test_a_finished_answer_looks_like_the_whole_rendered_at_once(patcher: Patcher, scribe: Scribe, size: int) -> None:
    page = Page()
    text = scribe.text("b1")
    for delta in cut(ARTICLE, size):
        scribe.grow(text, [delta])
        page.apply((patcher.flush(0) or {"ops": []})["ops"])
    scribe.close(text)
    page.apply((patcher.flush(0) or {"ops": []})["ops"])
    block = page.blocks["b1"]
    assert (block.html, block.tail, block.text) == (to_html(ARTICLE, LOOK), "", "")


def test_at_every_flush_all_the_words_so_far_are_on_the_page(patcher: Patcher, scribe: Scribe) -> None:
    page = Page()
    text = scribe.text("b1")
    for delta in cut("alpha beta gamma. " * 60 + "\n\n" + "- a point\n" * 100 + "\nlast words", 23):
        scribe.grow(text, [delta])
        page.apply((patcher.flush(0) or {"ops": []})["ops"])
        assert without_marks(shown(page, "b1")) == without_marks("".join(text.text.split()))


def without_marks(text: str) -> str:
    """Rendered or not, a list item has the same words."""
    return text.replace("-", "")


def test_code_that_streams_keeps_its_lines(patcher: Patcher, scribe: Scribe) -> None:
    # The renderer ends every code block with a newline, also in mid-line: text that goes on must not start another.
    page = Page()
    text = scribe.text("b1")
    source = "".join(f"value_{i} = {i}\n" for i in range(30))
    for delta in cut("```python\n" + source, 4):
        scribe.grow(text, [delta])
        page.apply((patcher.flush(0) or {"ops": []})["ops"])
    block = page.blocks["b1"]
    parser = _Words()
    parser.feed(block.tail.rstrip())
    assert block.text, "some of it is plain text"
    assert parser.words + block.text == source


def test_a_thought_that_streams_is_rendered_now_and_then_and_is_whole_at_its_end(
    patcher: Patcher, scribe: Scribe
) -> None:
    page = Page()
    thinking = scribe.think("b1")
    names = []
    for delta in cut("deep thought " * 200, 50):
        scribe.grow(thinking, [delta])
        ops = (patcher.flush(0) or {"ops": []})["ops"]
        names += [op[0] for op in ops]
        page.apply(ops)
        assert shown(page, "b1").endswith("".join(thinking.text.split())[-40:])
    assert names.count("set") < 12
    scribe.close(thinking)
    page.apply((patcher.flush(0) or {"ops": []})["ops"])
    assert page.blocks["b1"].html == block_html(thinking, LOOK)
    assert page.blocks["b1"].text == ""


def test_a_long_input_of_a_tool_is_not_sent_again_with_every_delta(patcher: Patcher, scribe: Scribe) -> None:
    tool = scribe.call("b1", "Write")
    size = 0
    for delta in cut(json.dumps({"file_path": "a.txt", "content": "line of text\n" * 1500}), 50):
        scribe.input_grows(tool, [delta])
        size += len(json.dumps(patcher.flush(0)))
    assert size < 8 * len(tool.input_json)


@pytest.mark.parametrize("source", ["word " * 4000, "```python\n" + "x = call(1)\n" * 1700, "- item\n" * 2900])
def test_twenty_kilobytes_in_many_flushes_cost_a_bounded_multiple(
    patcher: Patcher, scribe: Scribe, source: str
) -> None:
    text = scribe.text("b1")
    size = 0
    for delta in cut(source, 50):
        scribe.grow(text, [delta])
        size += len(json.dumps(patcher.flush(0)))
    scribe.close(text)
    whole = len(json.dumps(to_html(source, LOOK)))
    # Growing by half each time makes at most three times the last rendering; framing is 60 bytes a flush.
    assert size < 5 * whole + 400 * 100


def test_a_turn_that_has_blocks_already_is_shown_whole(scribe: Scribe) -> None:
    text = scribe.text("b1")
    scribe.grow(text, ["before anybody watched"])
    late = Patcher(LOOK)
    Scribe.tell_opened(late.apply, scribe.turn)
    page = Page()
    page.apply(late.snapshot(0)["ops"])
    assert shown(page, "b1") == "beforeanybodywatched"


def test_the_running_line_knows_how_long_the_turn_has_run(patcher: Patcher, scribe: Scribe) -> None:
    page = Page()
    page.apply(patcher.snapshot(1012.3)["ops"])
    assert page.seconds == 12.3
    assert "Working" in page.status
    scribe.end()
    page.apply((patcher.flush(1013) or {"ops": []})["ops"])
    assert page.status == ""
    assert page.end != ""
