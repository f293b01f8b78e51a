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
from claude_nb.kernel.tools import MainThreadRunner, ask_typed, presentable


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


def test_a_plain_function_runs_on_the_main_thread(call: Callable[..., Any]) -> None:
    def tool(a: int, b: int) -> str:
        return f"{a + b} on {threading.current_thread().name}"

    assert call(tool, a=1, b=2) == "3 on MainThread"


def test_a_coroutine_function_runs_on_the_callers_loop(call: Callable[..., Any]) -> None:
    async def tool() -> str:
        return threading.current_thread().name

    assert call(tool) != "MainThread"
    assert call(lambda: tool()) != "MainThread"  # a function that returns an awaitable


def test_what_a_tool_raises_comes_back(call: Callable[..., Any]) -> None:
    def tool() -> None:
        raise LookupError("no such row")

    with pytest.raises(LookupError, match="no such row"):
        call(tool)


@pytest.mark.parametrize(
    "result",
    ["text", None, 42, {"a": [1]}, [1, "x"], b"\x89PNG\r\n\x1a\n", {"content": [{"type": "text", "text": "x"}]}],
)
def test_plain_results_and_mcp_content_are_left_to_the_server(call: Callable[..., Any], result: Any) -> None:
    assert presentable(result) is result
    assert call(lambda: result) == result


def test_a_frame_becomes_a_table_and_a_figure_an_image(call: Callable[..., Any]) -> None:
    frame = pandas.DataFrame({"a": [1]})
    table, image, words = call(lambda: [frame, Figure(), "and words"])["content"]
    assert table["text"].startswith("DataFrame, 1 rows")
    assert image["mimeType"] == "image/png"
    assert base64.b64decode(image["data"]).startswith(b"\x89PNG")
    assert words == "and words"


def test_the_figure_of_a_coroutine_is_drawn_on_the_main_thread(call: Callable[..., Any]) -> None:
    drawn_on = []

    class Watched(Figure):
        def savefig(self, *args: Any, **options: Any) -> None:
            drawn_on.append(threading.current_thread().name)
            super().savefig(*args, **options)

    async def tool() -> Figure:
        return Watched()

    (image,) = call(tool)["content"]
    assert image["type"] == "image"
    assert drawn_on == ["MainThread"]


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
