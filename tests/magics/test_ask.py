"""`%%claude` cells on a real kernel with the real CLI: asked, streamed, kept as static output and as a value."""

from __future__ import annotations

import json
import re

import pytest

from claude_nb.testing import ApiError, Text, Thinking, ToolUse
from tests.magics.conftest import VIEW, Page, final, markdown


def test_a_cell_leaves_the_answer_as_static_html_markdown_and_text(page: Page) -> None:
    page.model.reply(Text("It is **four**."))
    cell = page.done(page.ask("What is two and two?"))
    bundle = final(cell)
    assert set(bundle) == {"text/html", "text/markdown", "text/plain"}
    assert "<strong>four</strong>" in bundle["text/html"]
    assert "It is **four**." in bundle["text/markdown"]
    assert "four" in bundle["text/plain"]


def test_the_answer_streams_into_the_widget_before_the_cell_ends(page: Page) -> None:
    gate = page.model.gate()
    page.model.reply(Text("The first part. "), gate, Text("The second part."))
    cell = page.ask("Tell me two parts.")
    watched = page.watch(cell)
    watched.wait_for("The first part.")
    assert not cell.answered
    gate.open()
    page.done(cell)
    assert re.search(r"The first part\.\s+The second part\.", markdown(cell))


def test_the_cell_itself_returns_nothing_so_the_answer_shows_once(page: Page) -> None:
    page.model.reply(Text("once"))
    cell = page.done(page.ask("Say it once."))
    assert cell.messages("execute_result") == []
    assert len(cell.bundles()) == 1


def test_a_conversation_goes_on_from_cell_to_cell(page: Page) -> None:
    page.model.reply(Text("Hello Ada."))
    page.answer("My name is Ada.")
    page.model.reply(Text("Ada."))
    page.answer("What is my name?")
    assert "My name is Ada." in json.dumps(page.model.requests[-1])


def test_named_sessions_know_nothing_of_each_other(page: Page) -> None:
    page.model.reply(Text("noted"))
    page.answer("The word is kumquat.", "--session one")
    page.model.reply(Text("no idea"))
    page.answer("What is the word?", "--session two")
    assert "kumquat" not in json.dumps(page.model.requests[-1])


def test_new_forgets_the_conversation(page: Page) -> None:
    page.model.reply(Text("noted"))
    page.answer("The word is kumquat.")
    page.run("%claude new")
    page.model.reply(Text("no idea"))
    page.answer("What is the word?")
    assert "kumquat" not in json.dumps(page.model.requests[-1])


def test_the_answer_is_a_value(page: Page) -> None:
    page.model.reply(Thinking("hm"), Text("Try\n\n```python\nprint(1)\n```"))
    page.answer("Show code.", "-o answer")
    said = page.run(
        "import claude_nb\n"
        "print(answer is claude_nb.last, answer.text.split()[0], answer.code_blocks[0].code, answer.status)\n"
        "print(answer.usage.output_tokens > 0, answer.cost_usd > 0, answer.duration > 0, len(answer.session_id))"
    )
    assert said == "True Try print(1) done\nTrue True True 36\n"


def test_a_turn_displays_itself(page: Page) -> None:
    page.model.reply(Text("It is **four**."))
    page.done(page.ask("Sum?", "-q -o answer"))
    cell = page.front.run("answer")
    (result,) = cell.messages("execute_result")
    assert "<strong>four</strong>" in result["content"]["data"]["text/html"]


def test_quiet_shows_nothing(page: Page) -> None:
    page.model.reply(Text("secret"))
    cell = page.done(page.ask("Sum?", "--quiet -o answer"))
    assert cell.messages("display_data") == []


def test_values_of_the_notebook_reach_the_prompt_and_single_braces_stay(page: Page) -> None:
    page.run("x = 3.14159; d = {'k': 'v'}")
    page.model.reply(Text("ok"))
    cell = page.done(page.ask('pi is {{ x:.2f }}, k is {{ d["k"] }}, and {"json": {1}} stays. {{ unknown_name }}'))
    sent = page.run("%claude last --sent")
    assert 'pi is 3.14, k is v, and {"json": {1}} stays. {{ unknown_name }}' in sent
    assert final(cell)["text/plain"].count("stays as it is") == 1
    assert "pi is 3.14" in json.dumps(page.model.requests[-1])


def test_raw_sends_double_braces_as_they_are(page: Page) -> None:
    page.run("x = 3")
    page.model.reply(Text("ok"))
    page.answer("see {{ x }}", "--raw")
    assert "see {{ x }}" in page.run("%claude last --sent")


def test_a_function_of_the_notebook_is_a_tool_that_runs_on_the_main_thread(page: Page) -> None:
    page.run(
        "import threading\ncalls = []\n"
        "def lookup(city: str) -> int:\n    'Inhabitants of a city.'\n"
        "    calls.append((city, threading.current_thread() is threading.main_thread()))\n"
        "    print('looking up', city)\n    return 42\n"
        "%config ClaudeMagics.permission_policy = 'allow'"
    )
    page.model.reply(ToolUse("mcp__notebook__lookup", {"city": "Ulm"}))
    page.model.reply(Text("Ulm has 42."))
    cell = page.done(page.ask("How many live in Ulm?", "--tool lookup -o answer", allow_stdin=False))
    assert "Ulm has 42." in markdown(cell)
    assert "looking up Ulm" in cell.text
    assert page.run("print(calls, answer.tools[0].status)") == "[('Ulm', True)] done\n"


def test_functions_can_be_added_and_taken_away_while_the_session_lives(page: Page) -> None:
    page.run("def one() -> int:\n    'One.'\n    return 1\ndef two() -> int:\n    'Two.'\n    return 2")
    page.run("%claude tools add one")
    page.model.reply(Text("ok"))
    page.answer("First.")
    assert "mcp__notebook__one" in page.model.requests[-1].tools
    page.run("%claude tools add two")
    page.run("%claude tools remove one")
    # The CLI lists them anew in its own time, so it may still offer the one; calling it is then an error.
    page.run("%config ClaudeMagics.permission_policy = 'allow'")
    page.model.reply(ToolUse("mcp__notebook__two", {}), ToolUse("mcp__notebook__one", {}))
    page.model.reply(Text("ok"))
    page.answer("Second.", "-o second", allow_stdin=False)
    assert page.run("print([(t.status, t.result_text[:1]) for t in second.tools][0])") == "('done', '2')\n"
    assert page.run("print(second.tools[1].status)") == "failed\n"


def test_without_a_person_tool_calls_are_denied_and_the_cell_says_so(page: Page) -> None:
    page.model.reply(ToolUse("Bash", {"command": "touch made.txt"}))
    page.model.reply(Text("It was denied."))
    cell = page.done(page.ask("Make a file.", "-o answer", allow_stdin=False))
    assert VIEW not in final(cell)
    assert not (page.folder / "made.txt").exists()
    assert "permission_policy" in page.run("print(answer.tools[0].error)")
    assert "Denied (by permission policy 'deny')" in final(cell)["text/plain"]


@pytest.mark.parametrize(
    ("policy", "record"),
    [("'allow'", "Allowed once (by permission policy 'allow')"), ("lambda *asked: True", "(by the permission policy)")],
)
def test_what_a_policy_allows_is_recorded_in_the_output(page: Page, policy: str, record: str) -> None:
    page.run(f"%config ClaudeMagics.permission_policy = {policy}")
    page.model.reply(ToolUse("Bash", {"command": "touch made_by_policy.txt"}))
    page.model.reply(Text("Made."))
    cell = page.done(page.ask("Make a file.", allow_stdin=False))
    assert record in final(cell)["text/plain"]
    assert record.replace("'", "&#x27;") in final(cell)["text/html"].replace("&#39;", "&#x27;").replace("'", "&#x27;")


def test_a_person_without_buttons_answers_by_typing(page: Page) -> None:
    page.model.reply(ToolUse("Bash", {"command": "touch typed.txt"}))
    page.model.reply(Text("Made."))
    cell = page.ask("Make a file.")
    page.front.answer_input("y")
    page.done(cell)
    assert "touch typed.txt" in cell.text
    assert (page.folder / "typed.txt").exists()


def wait_until_parked(page: Page) -> None:
    """No event tells of it: `%claude status` is asked until it says so."""
    page.run(
        "import time\nfrom claude_nb.magics import loaded_notebook\ndeadline = time.monotonic() + 20\n"
        "while loaded_notebook().chats['default'].session is not None:\n"
        "    assert time.monotonic() < deadline\n    time.sleep(0.05)"
    )
    assert "default: parked" in page.run("%claude status")


def test_an_idle_session_is_parked_and_its_next_prompt_goes_on_where_it_was(page: Page) -> None:
    page.run("%config ClaudeMagics.park_after = 0.3")
    page.answer("Remember the word heron.", "-o one")
    wait_until_parked(page)
    page.answer("Which word?", "-o two")
    assert "heron" in str(page.model.requests[-1]["messages"])
    assert page.run("print(one.session_id == two.session_id)") == "True\n"


def test_a_session_with_a_shell_in_the_background_is_not_parked(page: Page) -> None:
    page.run("%config ClaudeMagics.park_after = 0.3\n%config ClaudeMagics.permission_policy = 'allow'")
    sleep = {"command": "sleep 3; echo slept > slept.txt", "run_in_background": True}
    page.model.reply(ToolUse("Bash", sleep))
    page.model.reply(Text("It runs."))
    page.model.reply(Text("It has run."))  # the turn in which the CLI tells of its end
    page.done(page.ask("Sleep.", allow_stdin=False))
    wait_until_parked(page)
    assert (page.folder / "slept.txt").read_text() == "slept\n"


def test_an_api_error_fails_the_cell_and_the_next_one_works(page: Page) -> None:
    page.model.reply(ApiError(400, "invalid_request_error", "the model is out of cheese"))
    cell = page.ask("Cheese?")
    reply = cell.reply()
    assert reply["status"] == "error"
    assert "out of cheese" in reply["evalue"]
    assert len(reply["traceback"]) == 1
    assert "out of cheese" in markdown(cell)
    page.model.reply(Text("better"))
    assert "better" in page.answer("And now?")


def test_no_raise_shows_the_failure_and_goes_on(page: Page) -> None:
    page.model.reply(ApiError(400, "invalid_request_error", "the model is out of cheese"))
    cell = page.done(page.ask("Cheese?", "--no-raise -o answer"))
    assert "out of cheese" in markdown(cell)
    assert page.run("print(answer.status, type(answer.error).__name__)") == "failed ResultError\n"


def test_a_background_prompt_returns_at_once_and_fills_its_cell_later(page: Page) -> None:
    gate = page.model.gate()
    page.model.reply(Text("early "), gate, Text("late"))
    cell = page.done(page.ask("Take your time.", "--bg -o answer"))
    assert gate.reached.wait(60)
    assert page.run("print('meanwhile')") == "meanwhile\n"
    gate.open()
    assert re.search(r"early\s+late", markdown(page.left(cell)))
    assert page.run("print(answer.text.split())") == "['early', 'late']\n"


def test_a_second_prompt_to_a_busy_session_waits_its_turn_and_says_so(page: Page) -> None:
    gate = page.model.gate()
    page.model.reply(Text("one "), gate, Text("done"))
    page.model.reply(Text("two done"))
    first = page.done(page.ask("First.", "--bg"))
    assert gate.reached.wait(60)
    second = page.ask("Second.")
    page.watch(second).wait_for("Queued behind 1 other prompt")
    gate.open()
    page.done(second)
    assert "two done" in markdown(second)
    page.left(first)
    assert re.search(r"one\s+done", markdown(first))


def test_costs_add_up_after_a_conversation_was_ended(page: Page) -> None:
    page.model.reply(Text("one"))
    page.answer("First?", "-o first")
    page.run("%claude new")
    page.model.reply(Text("two"))
    page.answer("Second?", "-o second")
    spent = page.run("%claude cost").splitlines()
    paid = page.run("print(f'{first.cost_usd:.4f} {second.cost_usd:.4f}')").split()
    assert spent[1:] == [f"  default: ${paid[1]} in 1 turns", f"  conversations ended with `%claude new`: ${paid[0]}"]


def test_a_picture_that_was_sent_can_be_seen_again(page: Page) -> None:
    page.run("from matplotlib.figure import Figure; figure = Figure(figsize=(2, 1))")
    page.model.reply(Text("A figure."))
    page.answer("Look: {{ figure }}")
    (shown,) = page.front.run("%claude last --sent").messages("execute_result")
    data = shown["content"]["data"]
    assert re.fullmatch(r"Look: \n\[image/png, \d+ × \d+ pixels, \d\.\d kB\]", data["text/plain"])
    assert re.search(r'<img [^>]*src="data:image/png;base64,', data["text/html"])
