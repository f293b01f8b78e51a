"""One turn in three forms with the same content."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from claude_nb.render.bundle import turn_bundle
from claude_nb.render.style import Look

from . import samples
from .inspect_html import Page

LOOK = Look(live=False, root=samples.ROOT)
FORMS = pytest.mark.parametrize("mime", ["text/html", "text/markdown", "text/plain"])


def read(mime: str, text: str) -> str:
    """The words of a form as its viewer shows them."""
    if mime == "text/plain":
        return text
    html = MarkdownIt("js-default", {"html": True}).render(text) if mime == "text/markdown" else text
    return Page(html).text


@FORMS
def test_every_form_tells_the_whole_story(mime: str):
    text = read(mime, turn_bundle(samples.rich_turn(), LOOK)[mime])
    story = [
        "Thought for 3.2s",
        "I'll look at the loader first.",
        "src/load.py",
        "git ls-files",
        "tests/test_load.py",
        "The API is busy",
        "Look for other readers",
        "Two files match.",
        "Stream the rows",
        "yield from csv.reader(file)",
        "Allowed once",
        "exit 2",
        "No such file or directory",
        "What I found",
        "1.2 GB",
        "def rows(path: Path",
        "45.2K in (38.1K cached) / 1.2K out",
        "session abc12345",
    ]
    at = [text.find(words) for words in story]
    assert -1 not in at, story[at.index(-1)]
    assert at == sorted(at)


@FORMS
def test_every_form_says_that_a_turn_failed_and_why(mime: str):
    text = read(mime, turn_bundle(samples.failed_turn(), LOOK)[mime])
    assert "I was about to" in text
    assert "failed" in text
    assert "prompt is <too> long" in text


def test_a_fence_left_open_by_an_interrupt_does_not_swallow_what_follows():
    html = MarkdownIt().render(turn_bundle(samples.failed_turn(), LOOK)["text/markdown"])
    assert "failed" in html.split("</pre>")[-1]


def test_a_result_with_fences_in_it_stays_one_block_of_code():
    turn = samples.rich_turn()
    call = samples.bash()
    call.detail, call.result = None, "````\n```py\nx\n```\n````\n# no title"
    turn.blocks = [call]
    html = MarkdownIt().render(turn_bundle(turn, LOOK)["text/markdown"])
    assert "<h1>" not in html
    assert html.count("<pre>") == 1


def test_plain_text_nests_a_sub_agents_work():
    text = turn_bundle(samples.rich_turn(), LOOK)["text/plain"]
    assert "\n  ⌕ Search csv.reader in src (2 lines)" in text
    assert "\n  Two files match." in text


def test_the_same_turn_gives_the_same_bundle():
    assert turn_bundle(samples.rich_turn(), LOOK) == turn_bundle(samples.rich_turn(), LOOK)


def test_an_empty_turn_has_an_empty_story_in_every_form():
    turn = samples.Turn(id="t", status="done")
    assert turn_bundle(turn, LOOK)["text/plain"] == ""
    assert Page(turn_bundle(turn, LOOK)["text/html"]).text == ""
