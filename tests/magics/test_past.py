"""What was said before the kernel started: offered, shown from the transcript, continued; never taken up unasked."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from claude_nb.conversation import Notice
from claude_nb.conversation.replay import replay
from claude_nb.sessions import SessionMessage
from claude_nb.testing import ScriptedModel, Text, ToolUse
from tests.kernel.frontend import Frontend
from tests.magics.conftest import Page, final

Kernel = Callable[[], Page]
SECRET = "hunter2hunter2"


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    """A notebook whose kernel can be started again."""
    (tmp_path / "work").mkdir()
    opened: list[Frontend] = []
    with ScriptedModel() as model:

        def start() -> Page:
            for front in opened:
                front.close()
            opened[:] = [Frontend(env={**model.env(tmp_path), "DB_PASSWORD": SECRET}, cwd=tmp_path / "work")]
            opened[0].run("%load_ext claude_nb")
            return Page(opened[0], model, tmp_path / "work")

        yield start
        for front in opened:
            front.close()


def test_a_fresh_kernel_begins_anew_and_offers_the_last_conversation(kernel: Kernel) -> None:
    page = kernel()
    page.model.reply(Text("noted"))
    page.answer("The word is kumquat.")
    page = kernel()
    page.model.reply(Text("hello"))
    cell = page.done(page.ask("Hello?"))
    assert "%claude resume" in final(cell)["text/plain"]
    assert "kumquat" not in str(page.model.requests[-1]["messages"])
    page.model.reply(Text("again"))
    assert "%claude resume" not in final(page.done(page.ask("Again?")))["text/plain"]


def test_other_sessions_offer_nothing_since_resume_is_about_the_notebooks_own(kernel: Kernel) -> None:
    kernel().answer("Hello?", "--session other")
    page = kernel()
    assert "%claude resume" not in page.answer("Hello?", "--session other")


def test_resume_goes_on_where_the_last_kernel_stopped_and_costs_start_from_there(kernel: Kernel) -> None:
    page = kernel()
    page.model.reply(Text("noted"))
    page.answer("The word is kumquat.", "-o first")
    page = kernel()
    assert "(1 turn;" in page.run("%claude resume")
    page.model.reply(Text("kumquat"))
    page.answer("What is the word?", "-o second")
    assert "The word is kumquat." in str(page.model.requests[-1]["messages"])
    assert page.run("print(0 < second.cost_usd < 0.05)") == "True\n"


def test_a_stored_session_can_be_chosen_by_its_number(kernel: Kernel) -> None:
    page = kernel()
    page.model.reply(Text("noted"))
    page.answer("The word is kumquat.")
    page = kernel()
    assert "The word is kumquat." in page.run("%claude sessions")
    page.run("%claude resume 1")
    page.model.reply(Text("kumquat"))
    page.answer("What is the word?")
    assert "The word is kumquat." in str(page.model.requests[-1]["messages"])


def test_after_a_kernel_died_in_mid_turn_last_shows_what_was_answered(kernel: Kernel) -> None:
    page = kernel()
    gate = page.model.gate()
    page.model.reply(Text("Reading it. "), ToolUse("Read", {"file_path": str(page.folder / "none.txt")}))
    page.model.reply(Text("never shown"), gate, Text("the end"))
    page.ask("Read it.")
    assert gate.reached.wait(60)
    page.front.process.send_signal(signal.SIGKILL)
    page.front.process.wait(10)
    page = kernel()
    (shown,) = page.front.run("%claude last").messages("execute_result")
    text = shown["content"]["data"]["text/plain"]
    assert "Reading it." in text
    assert "“Read it.” was cut off before its end" in text
    assert "interrupted" in text
    assert "0.0s" not in text
    gate.open()


def test_a_kernel_that_died_before_anything_was_answered_leaves_the_prompt_and_a_word(kernel: Kernel) -> None:
    page = kernel()
    gate = page.model.gate()
    page.model.reply(Text("Reading"), gate, Text(" it."))
    cell = page.ask("Read it.")
    page.watch(cell).wait_for("Reading")
    page.front.process.send_signal(signal.SIGKILL)
    page.front.process.wait(10)
    page = kernel()
    assert "“Read it.” was cut off before its end" in str(page.front.run("%claude last").messages("execute_result"))
    gate.open()


def test_a_turn_that_was_stopped_is_the_last_one_and_not_told_as_lost(kernel: Kernel) -> None:
    page = kernel()
    gate = page.model.gate()
    page.model.reply(Text("Reading"), gate, Text(" it."))
    cell = page.ask("Read it.")
    page.watch(cell).wait_for("Reading")
    page.front.interrupt()
    cell.reply()
    gate.open()
    page = kernel()
    (shown,) = page.front.run("%claude last").messages("execute_result")
    text = shown["content"]["data"]["text/plain"]
    assert text.startswith("Reading\n\ninterrupted")
    assert "cut off" not in text


def test_the_last_turn_of_a_resumed_conversation_is_the_last_one_asked(kernel: Kernel) -> None:
    page = kernel()
    page.model.reply(Text("one"))
    page.answer("First?")
    page.model.reply(Text("two"))
    page.answer("Second?")
    page = kernel()
    page.run("%claude resume")
    assert "two" in str(page.front.run("%claude last").messages("execute_result"))


def test_a_session_that_nobody_stored_is_not_resumed(kernel: Kernel) -> None:
    page = kernel()
    cell = page.front.execute("%claude resume 7")
    cell.reply()
    assert "no such session" in str([m["content"] for m in cell.messages()])


@pytest.mark.parametrize("before", ["", "x" * (200 - len("my key  ") - 6)], ids=["whole", "cut in the middle"])
def test_a_secret_of_an_earlier_kernel_is_not_shown_by_any_way_to_look_back(kernel: Kernel, before: str) -> None:
    page = kernel()
    page.model.reply(Text(f"It is {SECRET}."))
    page.front.run("import os; key = os.environ['DB_PASSWORD']")
    page.answer(f"my key {before} {{{{ key }}}}")
    page = kernel()
    shown = [page.front.run(f"%claude {word}").messages() for word in ("last", "last --sent", "sessions", "resume")]
    page = kernel()
    shown.append(page.done(page.ask("Hello?")).messages())
    assert SECRET[:6] not in str([[message["content"] for message in cell] for cell in shown])
    assert all("my key" in str(cell) for cell in shown[1:])
    assert "[redacted: DB_PASSWORD]" in str(shown[0])


CALL = {"type": "tool_use", "id": "t", "name": "Bash", "input": {"command": "ls"}}
RESULT = {"type": "tool_result", "tool_use_id": "t", "content": "a.txt"}


def stored(kind: str, content: object, uuid: str = "u", stop_reason: str | None = None) -> SessionMessage:
    message = {"role": kind, "content": content, "stop_reason": stop_reason}
    return SessionMessage(kind, uuid, "s", message)  # type: ignore[arg-type]


def said(text: str, stop_reason: str | None = "end_turn") -> SessionMessage:
    return stored("assistant", [{"type": "text", "text": text}], stop_reason=stop_reason)


def test_stored_messages_become_turns_with_their_tools() -> None:
    turns = replay(
        [
            stored("user", "First?", "p1"),
            stored("assistant", [CALL], stop_reason="tool_use"),
            stored("user", [RESULT]),
            said("One file."),
            stored("user", [{"type": "text", "text": "Second?"}], "p2"),
            stored("assistant", [CALL], stop_reason="tool_use"),
        ],
        {},
    )
    assert [(t.id, t.prompt, t.text, t.status) for t in turns] == [
        ("p1", "First?", "One file.", "done"),
        ("p2", "Second?", "", "interrupted"),
    ]
    assert turns[0].tools[0].result == "a.txt"
    assert turns[0].duration is None


@pytest.mark.parametrize(
    ("answer", "status", "told"),
    [
        ([said("All of it.")], "done", False),
        ([], "interrupted", True),
        ([said("Half of", None)], "interrupted", True),
        ([stored("assistant", [CALL], stop_reason="tool_use"), stored("user", [RESULT])], "interrupted", True),
        ([said("Half of", None), stored("user", "[Request interrupted by user]")], "interrupted", False),
    ],
    ids=["whole", "nothing", "half a message", "after a tool", "stopped"],
)
def test_a_last_turn_without_an_end_was_cut_off_and_says_so(
    answer: list[SessionMessage], status: str, told: bool
) -> None:
    (turn,) = replay([stored("user", "Well?", "p1"), *answer], {})
    notices = [block.text for block in turn.blocks if isinstance(block, Notice)]
    assert turn.status == status
    assert ["“Well?” was cut off" in text for text in notices] == [True] * told


def test_an_earlier_turn_whose_end_no_cli_kept_is_whole() -> None:
    first, _ = replay([stored("user", "1?", "p1"), said("1.", None), stored("user", "2?", "p2"), said("2.")], {})
    assert (first.status, first.blocks[1:]) == ("done", [])
