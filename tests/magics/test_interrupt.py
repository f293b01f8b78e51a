"""The Stop button of the kernel, a dead CLI, bad input: each leaves a clear message and a usable session."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from claude_nb.testing import Text, ToolUse
from tests.magics.cards import asked
from tests.magics.conftest import Page, final, markdown


def interrupt_mid_answer(page: Page, options: str = "") -> tuple[str, dict]:
    gate = page.model.gate()
    page.model.reply(Text("Half an "), gate, Text("answer"))
    cell = page.ask("A long story.", options)
    page.watch(cell).wait_for("Half an")
    page.front.interrupt()
    reply = cell.reply()
    gate.open()
    return markdown(cell), reply


def test_an_interrupt_keeps_what_was_streamed_and_the_session_goes_on(page: Page) -> None:
    shown, reply = interrupt_mid_answer(page)
    assert "Half an" in shown
    assert (reply["status"], reply["ename"]) == ("error", "TurnInterrupted")
    page.model.reply(Text("still here"))
    assert "still here" in page.answer("Are you there?")
    assert "A long story." in str(page.model.requests[-1])


def test_a_tool_that_an_interrupt_stopped_is_cancelled_and_not_a_failure(page: Page) -> None:
    page.folder.joinpath("wait.py").write_text("import time; time.sleep(60)")
    page.run("%claude allow Bash(python3 wait.py)")
    page.model.reply(ToolUse("Bash", {"command": "python3 wait.py"}))
    cell = page.ask("Sleep.")
    page.watch(cell).wait_for("Running Bash")
    page.front.interrupt()
    assert cell.reply()["ename"] == "TurnInterrupted"
    shown = final(cell)["text/plain"]
    assert "(cancelled, Stopped by you)" in shown
    assert "STOP what you are doing" not in shown


def test_an_interrupt_stops_run_all_even_with_no_raise(page: Page) -> None:
    _, reply = interrupt_mid_answer(page, "--no-raise")
    assert reply["status"] == "error"


def test_the_stop_button_of_the_output_interrupts_the_turn(page: Page) -> None:
    gate = page.model.gate()
    page.model.reply(Text("Half an "), gate, Text("answer"))
    cell = page.ask("A long story.")
    watched = page.watch(cell)
    watched.wait_for("Half an")
    watched.send({"k": "stop"})
    reply = cell.reply()
    gate.open()
    assert reply["ename"] == "TurnInterrupted"
    assert "Half an" in markdown(cell)


def test_stop_withdraws_a_prompt_that_waits(page: Page) -> None:
    gate = page.model.gate()
    page.model.reply(Text("one "), gate, Text("done"))
    page.done(page.ask("First.", "--bg -o first"))
    assert gate.reached.wait(60)
    second = page.ask("Second.")
    watched = page.watch(second)
    watched.wait_for("Queued")
    watched.send({"k": "stop"})
    assert second.reply()["ename"] == "TurnInterrupted"
    gate.open()
    page.front.wait(lambda: page.front.published("update_display_data"), what="the end of the first")


def test_a_cli_that_dies_in_mid_turn_is_told_and_the_session_is_resumed(page: Page) -> None:
    page.model.reply(Text("noted"))
    page.answer("The word is kumquat.")
    gate = page.model.gate()
    page.model.reply(Text("Half an "), gate, Text("answer"))
    cell = page.ask("Go on.")
    page.watch(cell).wait_for("Half an")
    os.kill(int(page_child(page)), signal.SIGKILL)
    reply = cell.reply()
    gate.open()
    assert reply["status"] == "error"
    assert "exit code" in reply["evalue"]
    assert "Half an" in markdown(cell)
    page.model.reply(Text("kumquat"))
    page.answer("What was the word?")
    assert "The word is kumquat." in str(page.model.requests[-1])


def test_a_cli_that_dies_in_its_first_turn_is_resumed_with_what_was_asked(page: Page) -> None:
    gate = page.model.gate()
    page.model.reply(ToolUse("Read", {"file_path": str(page.folder / "none.txt")}))
    page.model.reply(Text("Half an "), gate, Text("answer"))
    cell = page.ask("The word is kumquat.")
    page.watch(cell).wait_for("Half an")
    os.kill(int(page_child(page)), signal.SIGKILL)
    assert cell.reply()["status"] == "error"
    gate.open()
    page.model.reply(Text("kumquat"))
    page.answer("What was the word?")
    assert "The word is kumquat." in str(page.model.requests[-1])


def test_a_second_interrupt_leaves_the_cell_at_once_even_if_the_cli_hangs(page: Page) -> None:
    gate = page.model.gate()
    page.model.reply(Text("Half an "), gate, Text("answer"))
    cell = page.ask("A long story.")
    watched = page.watch(cell)
    watched.wait_for("Half an")
    child = int(page_child(page))
    os.kill(child, signal.SIGSTOP)
    try:
        page.front.interrupt()
        watched.wait_for("Stopping")
        page.front.interrupt()
        assert cell.reply(5)["ename"] == "KeyboardInterrupt"
    finally:
        gate.open()
        os.kill(child, signal.SIGCONT)
    assert "Half an" in markdown(cell)
    assert "interrupted" in markdown(cell)
    page.model.reply(Text("still here"))
    assert "still here" in page.answer("Are you there?")


def page_child(page: Page) -> str:
    """Process id of the kernel's CLI."""
    kernel = page.front.process.pid
    with open(f"/proc/{kernel}/task/{kernel}/children") as children:
        direct = children.read().split()
    for task in os.listdir(f"/proc/{kernel}/task"):
        with open(f"/proc/{kernel}/task/{task}/children") as children:
            direct += children.read().split()
    (child,) = {pid for pid in direct if "claude" in Path(f"/proc/{pid}/cmdline").read_text()}
    return child


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("%%claude\n   ", "prompt is empty"),
        ("%%claude --frobnicate\nhello", "unrecognized arguments: --frobnicate"),
        ("%%claude --out not-a-name\nhello", "name of a variable"),
        ("%%claude --cwd /does/not/exist --session elsewhere\nhello", "does not exist"),
        ("%%claude --tool nothing_here\nhello", "no function named 'nothing_here'"),
        ("%claude what is this", "%%claude\nwhat is this"),
        ("%claude new one two three four 'unclosed", "No closing quotation"),
        ("%claude budget lots", "US dollars"),
        ("%claude tools add nothing_here", "no function named"),
    ],
)
def test_bad_input_is_told_and_the_next_cell_works(page: Page, code: str, words: str) -> None:
    cell = page.front.execute(code)
    reply = cell.reply()
    told = cell.text + " ".join(m["content"]["text"] for m in cell.messages("stream")) + str(reply.get("evalue", ""))
    assert words in told
    page.model.reply(Text("fine"))
    assert "fine" in page.answer("Hello?")


def test_a_spent_budget_sends_nothing(page: Page) -> None:
    page.model.reply(Text("cheap"))
    page.answer("Hello?")
    page.run("%claude budget 0.000001")
    asked = len(page.model.requests)
    reply = page.ask("And now?").reply()
    assert reply["ename"] == "BudgetExceededError"
    assert "%claude budget" in reply["evalue"]
    assert len(page.model.requests) == asked
    page.run("%claude budget 5")
    page.model.reply(Text("fine again"))
    assert "fine again" in page.answer("And now?")


def test_unloading_restores_what_loading_replaced(page: Page) -> None:
    page.run("%unload_ext claude_nb")
    reply = page.front.execute("%%claude\nhello").reply()
    assert "claude" in str(reply) or reply["status"] == "error"
    assert page.run("from claude_nb.conversation import Turn; print(Turn(id='x'))") == "\n"
    page.run("%load_ext claude_nb")


SLOW = """
def slow() -> str:
    \"\"\"Take long.\"\"\"
    import time
    print("begun", flush=True)
    try:
        time.sleep(120)
    finally:
        print("broken off", flush=True)
"""


def test_the_stop_button_breaks_off_a_function_of_the_notebook(page: Page) -> None:
    page.run(SLOW)
    page.model.reply(ToolUse("mcp__notebook__slow", {}))
    cell = page.ask("Call it.", "--tool slow")
    watched = page.watch(cell)
    asked(watched).answer("allow")
    cell.wait_text("begun")
    watched.send({"k": "stop"})
    assert cell.reply()["ename"] == "TurnInterrupted"
    assert "broken off" in cell.text
    page.run("%claude tools remove slow")
    page.model.reply(Text("still here"))
    assert "still here" in page.answer("Are you there?")
