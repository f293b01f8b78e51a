"""What keeps the agent from starting or answering is told in the cell, with what to do; the next cell works."""

from __future__ import annotations

import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from claude_nb.testing import ScriptedModel, Text
from tests.kernel.frontend import Cell, Frontend
from tests.magics.conftest import Page

Start = Callable[..., Page]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """A notebook whose kernel gets this environment on top of the scripted model's; None takes a name away."""
    opened: list[Frontend] = []
    with ScriptedModel() as model:

        def start(**env: str) -> Page:
            front = Frontend(env={**model.env(tmp_path), **env}, cwd=tmp_path)
            opened.append(front)
            front.run("%load_ext claude_nb")
            return Page(front, model, tmp_path)

        yield start
        for front in opened:
            front.close()


def failure(page: Page, prompt: str = "Hello?", options: str = "") -> tuple[str, str]:
    reply = page.ask(prompt, options, allow_stdin=False).reply()
    assert reply["status"] == "error"
    return reply["ename"], reply["evalue"]


def fake_cli(folder: Path, body: str) -> str:
    path = folder / "fake-claude"
    path.write_text(f"#!{sys.executable}\nimport sys, time\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_a_cli_that_is_not_there_is_told_with_how_to_install_it(start: Start) -> None:
    page = start()
    page.run("%config ClaudeMagics.cli_path = '/nowhere/claude'")
    name, words = failure(page)
    assert name == "CLINotFoundError"
    assert "/nowhere/claude" in words
    assert "pip install" in words
    page.run("%config ClaudeMagics.cli_path = ''")
    page.model.reply(Text("fine now"))
    assert "fine now" in page.answer("Hello?")


def test_a_cli_that_dies_at_its_start_is_told_with_its_last_words(start: Start, tmp_path: Path) -> None:
    body = "print('no such luck', file=sys.stderr)\nsys.exit(7)"
    page = start()
    page.run(f"%config ClaudeMagics.cli_path = {fake_cli(tmp_path, body)!r}")
    _, words = failure(page)
    assert "exit code: 7" in words
    assert "no such luck" in words


def test_a_cli_that_is_too_old_is_refused_with_the_reason(start: Start, tmp_path: Path) -> None:
    body = (
        "import json\n"
        "for line in sys.stdin:\n"
        "    frame = json.loads(line)\n"
        "    if frame['type'] == 'control_request':\n"
        "        told = {'claude_code_version': '1.0.30'}\n"
        "        answer = {'subtype': 'success', 'request_id': frame['request_id'], 'response': told}\n"
        "        print(json.dumps({'type': 'control_response', 'response': answer}), flush=True)\n"
    )
    page = start()
    page.run(f"%config ClaudeMagics.cli_path = {fake_cli(tmp_path, body)!r}")
    name, words = failure(page)
    assert name == "CLIVersionError"
    assert "1.0.30" in words


SILENT = "sys.stdin.read()"


@pytest.fixture
def silent(start: Start, tmp_path: Path) -> tuple[Page, Cell]:
    """A cell whose CLI has been started and says nothing."""
    page = start()
    page.run(f"%config ClaudeMagics.cli_path = {fake_cli(tmp_path, SILENT)!r}")
    cell = page.ask("Hello?", "-o early")
    page.watch(cell).wait_for("Starting")
    return page, cell


def goes_on(page: Page) -> None:
    page.run("%config ClaudeMagics.cli_path = ''\n%reload_ext claude_nb")
    page.model.reply(Text("fine now"))
    assert "fine now" in page.answer("And now?")
    assert "Hello?" not in str(page.model.requests[-1]["messages"])


def test_an_interrupt_while_the_cli_starts_stops_the_turn(silent: tuple[Page, Cell]) -> None:
    page, cell = silent
    page.front.interrupt()
    assert cell.reply(5)["ename"] == "TurnInterrupted"
    assert page.run("print(early.status)") == "interrupted\n"
    goes_on(page)


def test_the_stop_button_works_while_the_cli_starts(silent: tuple[Page, Cell]) -> None:
    page, cell = silent
    page.watch(cell).send({"k": "stop"})
    assert cell.reply(5)["ename"] == "TurnInterrupted"
    goes_on(page)


@pytest.mark.parametrize("end", ["%claude stop", "%unload_ext claude_nb"])
def test_a_background_prompt_that_was_stopped_or_unloaded_is_never_sent(start: Start, end: str) -> None:
    page = start()
    cell = page.done(page.ask("Hello?", "--bg"))
    page.run(end)
    page.left(cell)
    assert page.model.requests == []
    goes_on(page)


def test_missing_credentials_are_told_with_how_to_log_in(start: Start) -> None:
    page = start(ANTHROPIC_API_KEY="")
    name, words = failure(page)
    assert name == "AuthenticationError"
    assert "/login" in words
    assert "claude-nb demo" in words


def test_a_connection_that_cannot_be_made_is_told(start: Start) -> None:
    page = start(ANTHROPIC_BASE_URL="http://127.0.0.1:9", CLAUDE_CODE_MAX_RETRIES="0")
    name, words = failure(page)
    assert name == "ResultError"
    assert "connect" in words.lower()


def test_a_model_that_the_api_does_not_know_is_told(start: Start) -> None:
    from claude_nb.testing import ApiError

    page = start()
    page.model.reply(ApiError(404, "not_found_error", "model: claude-nonsense"))
    _, words = failure(page, options="--model claude-nonsense")
    assert "claude-nonsense" in words
    page.model.reply(Text("fine now"))
    assert "fine now" in page.answer("Hello?", "--model claude-opus-5-5")
