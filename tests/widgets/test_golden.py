"""Stories of a turn, the messages they lead to, and what the page then has. The page script replays the same files.

A change that is meant is written with `WRITE_GOLDEN=1 pytest tests/widgets/test_golden.py`, and read in the diff.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from claude_nb.render import Look
from claude_nb.widgets.page import Page
from claude_nb.widgets.patch import Patcher
from tests.widgets.scribe import Scribe, cut

FOLDER = Path(__file__).resolve().parents[1] / "golden"
Flush = Callable[[], None]


def answer(scribe: Scribe, flush: Flush) -> None:
    """Thinking, then Markdown with a fence, in small pieces."""
    flush()
    thinking = scribe.think("b1")
    for delta in cut("Let me <think> about it. " * 20, 50):
        scribe.grow(thinking, cut(delta, 7))
        flush()
    scribe.close(thinking)
    scribe.act("Writing")
    text = scribe.text("b2")
    for delta in cut("First & foremost.\n\n```python\n" + "x = 1\n" * 30 + "```\n\n" + "A long one. " * 90, 60):
        scribe.grow(text, cut(delta, 5))
        flush()
    scribe.close(text)
    scribe.end()
    flush()


def tools(scribe: Scribe, flush: Flush) -> None:
    """A tool call whose input streams, a sub-agent under another, a failure and a notice."""
    read = scribe.call("b1", "Read")
    scribe.input_grows(read, cut('{"file_path": "' + "a" * 900 + '"}', 30))
    flush()
    scribe.input_grows(read, [" "])
    flush()
    scribe.start(read, file_path="a")
    flush()
    scribe.answer(read, "3 lines")
    task = scribe.start(scribe.call("b2", "Task"), description="look")
    inner = scribe.text("b3", parent="b2")
    scribe.grow(inner, ["found ", "it"])
    flush()
    scribe.close(inner)
    scribe.answer(task, "no", failed=True)
    scribe.notice("b4", "Rate limited")
    scribe.end("failed")
    flush()


def rewritten(scribe: Scribe, flush: Flush) -> None:
    """The whole text differs from its pieces, before and after the block was closed."""
    text = scribe.text("b1")
    scribe.grow(text, ["One.\n\nTw"])
    flush()
    scribe.rewrite(text, "Uno.\n\nDos")
    flush()
    scribe.close(text)
    flush()
    scribe.rewrite(text, "Tres.")
    flush()


def asked(scribe: Scribe, flush: Flush) -> None:
    """Two open questions at once; one is answered, the other still open at the end."""
    bash = scribe.start(scribe.call("b1", "Bash"), command="make")
    suggestion = {
        "type": "addRules",
        "rules": [{"toolName": "Bash", "ruleContent": "make *"}],
        "behavior": "allow",
        "destination": "localSettings",
    }
    first = scribe.ask(
        "b2",
        "permission",
        {"tool_name": "Bash", "input": bash.input, "suggestions": [suggestion]},
        tool="b1",
        expires=1090.0,
    )
    flush()
    choices = [{"value": "yes", "label": "Yes", "key": "y", "tone": "danger", "confirm": "Sure?"}]
    scribe.ask("b3", "confirm", {"title": "Really?", "choices": choices})
    flush()
    scribe.settle(first, "answered", {"behavior": "allow"})
    flush()


def parallel(scribe: Scribe, flush: Flush) -> None:
    """Three calls at once, asked about one after the other: each question stands behind its own call."""
    calls = [scribe.start(scribe.call(f"b{n}", "Bash"), command=f"touch p{n}") for n in (1, 2, 3)]
    flush()
    for number, call in enumerate(calls, 1):
        ask = {"tool_name": "Bash", "input": call.input, "no_always": True}
        question = scribe.ask(f"q{number}", "permission", ask, tool=call.key)
        flush()
        scribe.settle(question, "answered", {"behavior": "allow"})
    scribe.grow(scribe.text("b4", parent="b1"), ["Of the first."])
    flush()


STORIES = {story.__name__: story for story in (answer, tools, rewritten, asked, parallel)}


def tell(story: Callable[[Scribe, Flush], None]) -> tuple[list[dict[str, Any]], Patcher]:
    """The messages of a story, and the patcher at its end."""
    patcher = Patcher(Look(live=True))
    messages: list[dict[str, Any]] = []

    def flush() -> None:
        if message := patcher.flush(1003.5):
            messages.append(json.loads(json.dumps(message)))

    story(Scribe(patcher.apply), flush)
    return messages, patcher


@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize("name", STORIES)
def test_a_story_leads_to_the_messages_and_the_page_of_its_golden_file(name: str) -> None:
    messages, _ = tell(STORIES[name])
    page = Page()
    for message in messages:
        page.apply(message["ops"])
    told = {"messages": messages, "state": {"seq": messages[-1]["s"], **dataclasses.asdict(page)}}
    path = FOLDER / f"live_{name}.json"
    if os.environ.get("WRITE_GOLDEN"):
        path.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert told == json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize("name", STORIES)
def test_the_whole_builds_the_same_page_as_all_patches_together(name: str) -> None:
    messages, patcher = tell(STORIES[name])
    patched, whole = Page(), Page()
    for message in messages:
        patched.apply(message["ops"])
    whole.apply(patcher.snapshot(1003.5)["ops"])
    assert whole == patched
    assert list(whole.blocks) == list(patched.blocks)
