"""The notebook's core on every ipykernel of the matrix, with and without subshells of the front end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from claude_nb.testing import ScriptedModel, Text, ToolUse
from tests.kernel.frontend import VERSIONS, Frontend
from tests.magics.conftest import Page, markdown


@pytest.fixture(scope="module", params=VERSIONS, ids=lambda version: version or "newest")
def kernel(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder: Path = tmp_path_factory.mktemp("work")
    with ScriptedModel() as model:
        env = model.env(tmp_path_factory.mktemp("home"))
        with Frontend(request.param, env=env, cwd=folder) as front:
            front.run("%load_ext claude_nb")
            yield Page(front, model, folder)


@pytest.fixture
def page(kernel: Page) -> Page:
    kernel.run("%reload_ext claude_nb\n%config ClaudeMagics.permission_policy = 'deny'")
    return kernel


def test_an_answer_streams_while_the_cell_blocks_and_ends_static(page: Page) -> None:
    gate = page.model.gate()
    page.model.reply(Text("early words\n\n"), gate, Text("late words"))
    cell = page.ask("Go.")
    page.watch(cell).wait_for("early words")
    assert not cell.answered
    gate.open()
    page.done(cell)
    assert "late words" in markdown(cell)


def test_the_stop_button_works_while_the_cell_blocks(page: Page) -> None:
    gate = page.model.gate()
    page.model.reply(Text("half an "), gate, Text("answer"))
    cell = page.ask("Go.")
    watched = page.watch(cell)
    watched.wait_for("half an")
    watched.send({"k": "stop"})
    assert cell.reply()["ename"] == "TurnInterrupted"
    gate.open()


def test_an_interrupt_of_the_kernel_ends_the_turn_and_the_next_prompt_works(page: Page) -> None:
    gate = page.model.gate()
    page.model.reply(Text("half an "), gate, Text("answer"))
    cell = page.ask("Go.")
    page.watch(cell).wait_for("half an")
    page.front.interrupt()
    assert cell.reply()["ename"] == "TurnInterrupted"
    gate.open()
    page.model.reply(Text("still here"))
    assert "still here" in page.answer("Are you there?")


def test_an_interrupt_inside_a_function_ends_it_and_the_turn(page: Page) -> None:
    page.run(
        "import time\ndef stubborn() -> str:\n    'Takes its time.'\n    print('started', flush=True)\n"
        "    time.sleep(60)\n    return 'done'\n%config ClaudeMagics.permission_policy = 'allow'"
    )
    page.model.reply(ToolUse("mcp__notebook__stubborn", {}))
    cell = page.ask("Go.", "--tool stubborn", allow_stdin=False).wait_text("started")
    page.front.interrupt()
    assert cell.reply(20)["status"] == "error"
    page.model.reply(Text("still here"))
    assert "still here" in page.answer("Are you there?")


def test_a_typed_answer_that_comes_too_late_counts_for_nothing(page: Page) -> None:
    page.run("%config ClaudeMagics.question_timeout = 4")  # a page without widgets is waited for first
    page.model.reply(ToolUse("Bash", {"command": "touch late.txt"}))
    page.model.reply(Text("Then not."))
    cell = page.done(page.ask("Make a file."))
    assert "This is not asked any more." in cell.text
    assert "Nobody answered in time" in str(page.model.requests[-1]["messages"])
    assert not (page.folder / "late.txt").exists()
    assert page.run("print(6 * 7)") == "42\n"


def test_a_function_runs_on_the_main_thread_and_prints_into_the_cell(page: Page) -> None:
    page.run(
        "%config ClaudeMagics.permission_policy = 'allow'\nimport threading\n"
        "def where() -> bool:\n    'Which thread.'\n    print('printed here')\n"
        "    return threading.current_thread() is threading.main_thread()"
    )
    page.model.reply(ToolUse("mcp__notebook__where", {}))
    page.model.reply(Text("ok"))
    cell = page.done(page.ask("Go.", "--tool where -o answer", allow_stdin=False))
    assert "printed here" in cell.text
    assert page.run("print(answer.tools[0].result_text)") == "true\n"


def test_a_background_turn_fills_its_own_cell_while_others_run(page: Page) -> None:
    gate = page.model.gate()
    page.model.reply(Text("early "), gate, Text("late"))
    cell = page.done(page.ask("Go.", "--bg"))
    assert gate.reached.wait(60)
    assert page.run("print('meanwhile')") == "meanwhile\n"
    gate.open()
    page.left(cell)
    assert "late" in markdown(cell)


def test_a_queued_cell_runs_after_the_turn(page: Page) -> None:
    page.model.reply(Text("first"))
    first = page.ask("Go.")
    second = page.front.execute("print('second')")
    page.done(first)
    assert page.done(second).text == "second\n"
