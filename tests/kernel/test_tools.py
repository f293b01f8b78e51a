"""Tools run on the main thread with presentable results; questions are typed."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pandas
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from matplotlib.figure import Figure

from claude_nb.kernel.pump import Pump
from claude_nb.kernel.tools import MainThreadRunner, ask_typed, ask_typed_from, to_content


@pytest.fixture(scope="module")
def portal() -> Iterator[BlockingPortal]:
    with start_blocking_portal("asyncio") as portal:
        yield portal


@pytest.fixture
def call(portal: BlockingPortal) -> Callable[..., Any]:
    """Calls a tool from the engine's side while the main thread waits for it."""
    pump = Pump()
    runner = MainThreadRunner(pump)
    return lambda fn, **kwargs: pump.run_until(portal.start_task_soon(runner, fn, kwargs))


def text_of(content: dict[str, Any]) -> str:
    (piece,) = content["content"]
    assert piece["type"] == "text"
    return str(piece["text"])


def test_a_plain_function_runs_on_the_main_thread(call: Callable[..., Any]) -> None:
    def tool(a: int, b: int) -> str:
        return f"{a + b} on {threading.current_thread().name}"

    assert text_of(call(tool, a=1, b=2)) == "3 on MainThread"


def test_a_coroutine_function_runs_on_the_callers_loop(call: Callable[..., Any]) -> None:
    async def tool() -> str:
        return threading.current_thread().name

    assert text_of(call(tool)) != "MainThread"


def test_what_a_tool_raises_comes_back(call: Callable[..., Any]) -> None:
    def tool() -> None:
        raise LookupError("no such row")

    with pytest.raises(LookupError, match="no such row"):
        call(tool)


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ("as it is", "as it is"),
        (None, "(no result)"),
        (42, "42"),
        (True, "true"),
        ({"a": [1, "ü"]}, '{"a": [1, "ü"]}'),
        ([1, 2], "[1, 2]"),
        ({"when": pandas.Timestamp(0)}, "{'when': Timestamp('1970-01-01 00:00:00')}"),
        (pandas.Timestamp(0), "1970-01-01 00:00:00"),
    ],
)
def test_results_become_text(result: Any, text: str) -> None:
    assert text_of(to_content(result)) == text


def test_a_frame_becomes_a_table_and_a_figure_an_image(call: Callable[..., Any]) -> None:
    frame = pandas.DataFrame({"a": [1]})
    mixed = call(lambda: [frame, Figure(), "and words"])["content"]
    assert [piece["type"] for piece in mixed] == ["text", "image", "text"]
    assert mixed[0]["text"].startswith("DataFrame, 1 rows")
    assert mixed[1]["mimeType"] == "image/png"
    assert base64.b64decode(mixed[1]["data"]).startswith(b"\x89PNG")


def test_content_in_mcp_form_passes_unchanged() -> None:
    content = {"content": [{"type": "text", "text": "x"}], "is_error": True}
    assert to_content(content) is content


class Keyboard:
    """Stands for the person at stdin: answers in order, then the line is gone."""

    def __init__(self, *answers: str | BaseException):
        self.answers, self.prompts = list(answers), []

    def __call__(self, prompt: str = "") -> str:
        self.prompts.append(prompt)
        answer = self.answers.pop(0) if self.answers else EOFError()
        if isinstance(answer, BaseException):
            raise answer
        return answer


CHOICES = {"y": "allow once", "n": "deny"}


def typed(monkeypatch: pytest.MonkeyPatch, *answers: str | BaseException) -> Keyboard:
    keyboard = Keyboard(*answers)
    monkeypatch.setattr("builtins.input", keyboard)
    return keyboard


@pytest.mark.parametrize("answer", ["y", " Y ", "Allow once"])
def test_a_key_or_its_meaning_answers(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    keyboard = typed(monkeypatch, answer)
    assert ask_typed("Run it?", CHOICES, "n") == "y"
    assert keyboard.prompts == ["[y] allow once / [n] deny: "]


def test_an_answer_that_is_none_is_asked_again_three_times_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "maybe", "", "y")
    assert ask_typed("Run it?", CHOICES, "n") == "y"
    keyboard = typed(monkeypatch, "maybe", "", "what", "y")
    assert ask_typed("Run it?", CHOICES, "n") == "n"
    assert keyboard.answers == ["y"]


@pytest.mark.parametrize("gone", [EOFError(), RuntimeError("raw_input was called, but this frontend cannot")])
def test_without_input_the_careful_answer_is_given(monkeypatch: pytest.MonkeyPatch, gone: Exception) -> None:
    typed(monkeypatch, gone)
    assert ask_typed("Run it?", CHOICES, "n") == "n"


def test_an_interrupt_while_asked_denies_and_stops_the_turn(
    monkeypatch: pytest.MonkeyPatch, portal: BlockingPortal
) -> None:
    typed(monkeypatch, KeyboardInterrupt())
    pump, stopped = Pump(), threading.Event()

    async def turn() -> str:
        return await ask_typed_from(pump, "Run it?", CHOICES, "n")

    assert pump.run_until(portal.start_task_soon(turn), on_interrupt=stopped.set) == "n"
    assert stopped.is_set()
