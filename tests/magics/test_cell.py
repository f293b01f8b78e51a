"""The options of `%%claude`, and what they do to a session that cannot take them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from IPython.core.error import UsageError

from claude_nb.magics.cell import parse
from claude_nb.testing import Text, ToolUse
from tests.magics.conftest import Page


def test_quotes_hold_a_value_together_and_do_not_belong_to_it() -> None:
    args = parse("--cwd \"my dir\" --model 'sonnet' -o answer")
    assert (args.cwd, args.model, args.out) == ("my dir", "sonnet", "answer")


@pytest.mark.skipif(os.name == "nt", reason="there a backslash belongs to a path")
def test_a_blank_may_be_escaped() -> None:
    assert parse(r"--cwd my\ dir").cwd == "my dir"


@pytest.mark.parametrize("line", ["what is up", "don't know", "-o answer what is it"])
def test_a_prompt_on_the_first_line_is_told_where_it_belongs(line: str) -> None:
    with pytest.raises(UsageError, match="prompt goes into the lines below"):
        parse(line)


@pytest.mark.parametrize("line", ["--modle x", "--model", "--b"])
def test_an_unknown_or_unfinished_option_names_where_the_known_ones_are(line: str) -> None:
    with pytest.raises(UsageError, match=r"%%claude\?"):
        parse(line)


def test_a_word_that_is_no_command_points_to_the_cell_magic_even_with_an_open_quote(page: Page) -> None:
    reply = page.front.execute("%claude don't know what to do").reply()
    assert (reply["ename"], "%%claude" in reply["evalue"]) == ("UsageError", True)


def test_a_bad_folder_is_told_in_a_line_and_costs_no_conversation(page: Page) -> None:
    page.answer("Remember the word heron.")
    reply = page.ask("Go on.", "--new --cwd /nowhere").reply()
    assert (reply["ename"], len(reply["traceback"])) == ("OptionsError", 1)
    page.answer("Which word?")
    assert "heron" in str(page.model.requests[-1]["messages"])


def test_a_folder_with_a_blank_in_its_name_can_be_worked_in(page: Page) -> None:
    folder: Path = page.folder / "my dir"
    folder.mkdir(exist_ok=True)
    page.answer("Where?", '--cwd "my dir"')
    assert page.model.requests[-1].cwd == str(folder)


@pytest.mark.parametrize("code", ["%claude new", "%%claude --new\nGo on.", "%claude resume"])
def test_a_busy_session_is_not_taken_away_and_the_cell_does_not_wait_for_it(page: Page, code: str) -> None:
    gate = page.model.gate()
    page.model.reply(Text("part "), gate, Text("end"))
    cell = page.done(page.ask("Slowly.", "--bg -o slow"))
    reply = page.front.execute(code).reply()
    gate.open()
    page.left(cell)
    assert (reply["ename"], "is answering" in reply["evalue"]) == ("UsageError", True)
    assert page.run("print(slow.status, slow.text.split())") == "done ['part', 'end']\n"


def test_a_function_that_asks_its_own_session_is_told_instead_of_waiting_for_itself(page: Page) -> None:
    page.run(
        "%config ClaudeMagics.permission_policy = 'allow'\n"
        "def again() -> str:\n    'Ask once more.'\n"
        "    get_ipython().run_cell_magic('claude', '', 'Again.')\n    return 'asked'"
    )
    page.model.reply(ToolUse("mcp__notebook__again", {}))
    page.model.reply(Text("I see."))
    page.done(page.ask("Go.", "--tool again -o answer", allow_stdin=False))
    assert "would wait for itself" in page.run("print(answer.tools[0].error)")


@pytest.mark.parametrize("setting", ["permission_policy = 'nonsense'", "budget_usd = -1"])
def test_a_setting_that_makes_no_sense_is_refused_at_once(page: Page, setting: str) -> None:
    said = page.front.execute(f"%config ClaudeMagics.{setting}")
    said.reply()
    assert setting.split()[0] in said.text + str(said.messages("stream"))
    registry = "get_ipython().magics_manager.registry['ClaudeMagics']"
    assert page.run(f"m = {registry}; print(m.permission_policy, m.budget_usd)") == "deny 5.0\n"
