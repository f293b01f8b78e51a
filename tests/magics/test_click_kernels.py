"""A click answers a card while the cell blocks, on every kernel of the matrix, and how long that takes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from claude_nb.testing import ScriptedModel, Text, ToolUse
from tests.kernel.frontend import VERSIONS, Frontend
from tests.magics.cards import asked
from tests.magics.conftest import Page

CLICKS = 7
# The budget is 50 ms on an idle machine (measured there: 5 to 15 ms); a busy one gets more.
MEDIAN_SECONDS = 0.15


@pytest.fixture(params=VERSIONS, ids=lambda version: version or "newest")
def page(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Page]:
    with ScriptedModel() as model:
        (tmp_path / "work").mkdir()
        with Frontend(request.param, env=model.env(tmp_path / "home"), cwd=tmp_path / "work") as front:
            front.run("%load_ext claude_nb")
            yield Page(front, model, tmp_path / "work")


def test_clicks_are_answered_at_once_while_the_cell_blocks_and_output_of_tools_stays_in_it(
    page: Page,
) -> None:
    page.run("def shout(word: str) -> str:\n    print('shouting', word)\n    return word.upper()")
    page.model.script = lambda request: (
        [Text("Enough.")]
        if len(request.results) == CLICKS
        else [ToolUse("mcp__notebook__shout", {"word": f"w{len(request.results)}"})]
    )
    cell = page.ask("Shout.", "--tool shout")
    watched = page.watch(cell)
    seconds = []
    for number in range(CLICKS):
        card = asked(watched, number)
        card.wait_readable()
        began = time.monotonic()
        card.answer("allow")
        page.front.wait(lambda key=card.key: key in watched.replaced(), what="the record in place of the card")
        seconds.append(time.monotonic() - began)
        assert not cell.answered
    page.done(cell)
    assert [f"shouting w{n}" for n in range(CLICKS)] == cell.text.splitlines()
    median = statistics.median(seconds)
    print(f"median from click to record: {median * 1000:.1f} ms")
    assert median <= MEDIAN_SECONDS


def test_a_front_end_without_widgets_asks_by_typing_and_waits_for_buttons_only_once(page: Page) -> None:
    page.model.script = lambda request: (
        [Text("Done.")] if request.results else [ToolUse("Bash", {"command": "touch typed.txt"})]
    )
    first = page.ask("Make it.")
    page.front.answer_input("n")
    page.front.answer_input("not in this folder")
    page.done(first)
    assert "shows no buttons" in first.text
    assert "not in this folder" in str(page.model.requests[-1]["messages"])
    second = page.ask("Make it.", "--new")
    page.front.answer_input("y")
    page.done(second)
    assert "shows no buttons" not in second.text
    assert (page.folder / "typed.txt").exists()


def test_a_quiet_cells_question_teaches_nothing_about_the_front_end(page: Page) -> None:
    page.model.script = lambda request: (
        [Text("Done.")] if request.results else [ToolUse("Bash", {"command": "touch quiet.txt"})]
    )
    quiet = page.ask("Make it.", "-q")
    page.front.answer_input("y")
    page.done(quiet)
    assert "shows no buttons" not in quiet.text
    assert "shows nothing while it runs" in quiet.text
    asked_by_card = page.front.execute("%claude allow Bash")
    asked(page.watch(asked_by_card)).answer("no")
    page.done(asked_by_card)
    assert "shows no buttons" not in asked_by_card.text


def test_a_front_end_that_drew_nothing_once_gets_its_buttons_when_it_does(page: Page) -> None:
    page.model.script = lambda request: (
        [Text("Done.")] if request.results else [ToolUse("Bash", {"command": "touch late.txt"})]
    )
    first = page.ask("Make it.")
    page.front.answer_input("n")
    page.front.answer_input("")
    page.done(first)
    second = page.front.execute("%claude allow Bash")
    asked(page.watch(second)).answer("no")
    page.done(second)
