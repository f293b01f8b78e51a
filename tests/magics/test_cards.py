"""Questions of the agent as cards, over the wire that a page uses: asked while the cell blocks, answered by a click."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from claude_nb.render.style import STYLES
from claude_nb.testing import Text, ToolUse
from tests.magics.cards import Card, asked
from tests.magics.conftest import Page, Watched, final, markdown

BASH = {"command": "touch made.txt", "description": "Make a file"}


def ask_bash(page: Page, command: str = "touch made.txt", options: str = "") -> tuple[Any, Watched, Card]:
    page.model.reply(ToolUse("Bash", {"command": command, "description": "Make a file"}))
    page.model.reply(Text("So it is."))
    cell = page.ask("Make a file.", f"-o answer {options}")
    watched = page.watch(cell)
    return cell, watched, asked(watched)


def told_model(page: Page) -> str:
    """What the model was sent last."""
    return json.dumps(page.model.requests[-1]["messages"])


def test_a_click_on_allow_runs_the_tool_while_the_cell_waits(page: Page) -> None:
    cell, watched, card = ask_bash(page, "touch clicked.txt")
    assert card.title == "Run this command?"
    assert "touch clicked.txt" in card.html
    assert not cell.answered
    card.answer("allow")
    page.done(cell)
    assert (page.folder / "clicked.txt").exists()
    assert "Allowed once" in markdown(cell)
    assert card.key in watched.replaced()


def test_a_denial_carries_its_reason_to_the_model(page: Page) -> None:
    cell, _, card = ask_bash(page, "touch never.txt")
    card.answer("deny", reason="use the shared folder")
    page.done(cell)
    assert not (page.folder / "never.txt").exists()
    assert "use the shared folder" in told_model(page)
    assert "Denied" in markdown(cell)


def test_deny_and_stop_ends_the_turn(page: Page) -> None:
    cell, _, card = ask_bash(page)
    card.answer("stop")
    assert cell.reply()["ename"] == "TurnInterrupted"
    assert "So it is." in page.answer("Go on.")


def test_an_edited_command_runs_and_the_model_is_told(page: Page) -> None:
    cell, _, card = ask_bash(page, "touch raw.txt")
    card.answer("edit", input="touch edited.txt")
    page.done(cell)
    assert (page.folder / "edited.txt").exists()
    assert not (page.folder / "raw.txt").exists()
    assert "edited the input of this call" in told_model(page)
    assert "touch edited.txt" in told_model(page)
    assert "edited input" in markdown(cell)


def test_always_is_asked_once_in_a_session_and_names_its_rule(page: Page) -> None:
    cell, _, card = ask_bash(page, "mkdir -p always")
    assert card.button("always0")["label"] == "Always: Bash(mkdir -p always)"
    card.answer("always0", where0="session")
    page.done(cell)
    (page.folder / "always").rmdir()
    page.model.reply(ToolUse("Bash", {"command": "mkdir -p always"}))
    page.model.reply(Text("Done."))
    page.answer("Once more.")
    assert (page.folder / "always").is_dir()
    assert "allow Bash(mkdir -p always)" in page.run("%claude rules")


@pytest.mark.parametrize("place", ["session", "localSettings", "projectSettings"])
def test_always_holds_for_the_session_wherever_it_is_kept(page: Page, place: str) -> None:
    cell, _, card = ask_bash(page, f"mkdir -p kept/{place}")
    card.answer("always0", where0=place)
    page.done(cell)
    shutil.rmtree(page.folder / ".claude", ignore_errors=True)
    (page.folder / "kept" / place).rmdir()
    page.run("%claude budget 4")  # the CLI is started anew with the next prompt
    page.model.reply(ToolUse("Bash", {"command": f"mkdir -p kept/{place}"}))
    page.model.reply(Text("Done."))
    page.done(page.ask("Once more.", allow_stdin=False))
    assert (page.folder / "kept" / place).is_dir()


def test_a_rule_kept_in_the_settings_of_a_trusted_folder_leaves_them_trusted(page: Page) -> None:
    settings = page.folder / ".claude" / "settings.json"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text(json.dumps({"env": {"MARK": "trusted-mark"}}))
    trusting = page.front.execute("%claude trust")
    asked(page.watch(trusting)).answer("trust", sure=True)
    page.done(trusting)
    cell, _, card = ask_bash(page, "mkdir -p trusted")
    card.answer("always0", where0="localSettings")
    page.done(cell)
    assert "mkdir -p trusted" in (page.folder / ".claude" / "settings.local.json").read_text()
    cell, _, card = ask_bash(page, "echo $MARK | tee mark.txt")
    card.answer("allow")
    page.done(cell)
    assert "not loaded" not in markdown(cell)
    assert "trusted-mark" in (page.folder / "mark.txt").read_text()
    settings.write_text(json.dumps({"env": {"MARK": "other"}}))
    page.model.reply(Text("Done."))
    assert "not loaded" in page.answer("And now?")
    shutil.rmtree(page.folder / ".claude")


def test_an_edit_is_shown_as_the_change_of_the_file_as_it_is(page: Page) -> None:
    (page.folder / "notes.txt").write_text("one\ntwo\nthree\n")
    page.model.reply(ToolUse("Read", {"file_path": str(page.folder / "notes.txt")}))
    page.model.reply(
        ToolUse("Edit", {"file_path": str(page.folder / "notes.txt"), "old_string": "two", "new_string": "zwei"})
    )
    page.model.reply(Text("Changed."))
    cell = page.ask("Translate.")
    card = asked(page.watch(cell))
    assert "notes.txt" in card.title
    for row in (" one\n", "-two\n", "+zwei\n", " three\n"):
        assert row in card.text
    card.answer("always0")
    page.done(cell)
    assert (page.folder / "notes.txt").read_text() == "one\nzwei\nthree\n"
    assert "acceptEdits" in page.run("%claude mode")


@pytest.mark.parametrize(
    "forged",
    [
        {"id": "guessed"},
        {"id": None},
        {"a": {"v": "always7", "f": {}}},
        {"a": {"v": "allow everything"}},
        {"a": "allow"},
        {"a": {"v": "always0", "f": {"where0": "everywhere"}}},
        {"a": {"v": "edit", "f": {"input": {"command": "rm -rf /"}}}},
        {"a": {"v": "edit", "f": {}}},
    ],
)
def test_an_answer_that_was_not_asked_for_changes_nothing(page: Page, forged: dict[str, Any]) -> None:
    cell, watched, card = ask_bash(page, "touch forged.txt")
    card.wait_readable()
    watched.send({"k": "answer", "id": card.id, "a": {"v": "allow", "f": {}}} | forged)
    card.answer("deny")
    page.done(cell)
    assert not (page.folder / "forged.txt").exists()
    assert "Denied" in markdown(cell)


def test_a_click_that_comes_before_anybody_could_read_is_ignored(page: Page) -> None:
    cell, watched, card = ask_bash(page, "touch early.txt")
    watched.send({"k": "answer", "id": card.id, "a": {"v": "allow", "f": {}}})
    card.answer("deny")
    page.done(cell)
    assert not (page.folder / "early.txt").exists()


def test_a_second_answer_to_a_card_does_nothing(page: Page) -> None:
    cell, watched, card = ask_bash(page, "touch second.txt")
    card.wait_readable()
    watched.send({"k": "answer", "id": card.id, "a": {"v": "deny", "f": {}}})
    watched.send({"k": "answer", "id": card.id, "a": {"v": "allow", "f": {}}})
    page.done(cell)
    assert not (page.folder / "second.txt").exists()


def test_two_questions_at_once_are_two_cards_in_order_each_with_its_own_answer(page: Page) -> None:
    page.model.reply(
        ToolUse("Bash", {"command": "touch one.txt"}, id="toolu_1"),
        ToolUse("Bash", {"command": "touch two.txt"}, id="toolu_2"),
    )
    page.model.reply(Text("Half of it."))
    cell = page.ask("Make two files.", "-o answer")
    watched = page.watch(cell)
    first = asked(watched)
    first.answer("deny")
    second = asked(watched, 1)
    assert "touch two.txt" in second.html
    second.answer("allow")
    page.done(cell)
    assert (page.folder / "two.txt").exists()
    assert not (page.folder / "one.txt").exists()


def test_a_page_that_is_loaded_again_gets_the_open_card_again(page: Page) -> None:
    cell, watched, card = ask_bash(page, "touch reloaded.txt")
    watched.send({"k": "ready", "page": "another"})
    again = asked(watched, 1)
    assert again.id == card.id
    again.answer("allow")
    page.done(cell)
    assert (page.folder / "reloaded.txt").exists()


def test_an_unanswered_card_is_denied_when_its_time_is_over(page: Page) -> None:
    page.run("%config ClaudeMagics.question_timeout = 1.0")
    cell, _, card = ask_bash(page, "touch slow.txt")
    assert 0 < card.data["left"] <= 1.0
    page.done(cell)
    page.run("%config ClaudeMagics.question_timeout = 3600.0")
    assert "no answer in time" in markdown(cell)
    assert "Nobody answered in time" in told_model(page)
    assert not (page.folder / "slow.txt").exists()


def test_the_stop_button_takes_open_cards_with_it(page: Page) -> None:
    cell, watched, card = ask_bash(page, "touch stopped.txt")
    watched.send({"k": "stop"})
    assert cell.reply()["ename"] == "TurnInterrupted"
    assert "Withdrawn" in markdown(cell)
    watched.send({"k": "answer", "id": card.id, "a": {"v": "allow", "f": {}}})
    assert "So it is." in page.answer("Are you there?")
    assert not (page.folder / "stopped.txt").exists()


def test_an_interrupt_of_the_kernel_ends_open_cards(page: Page) -> None:
    cell, _, _ = ask_bash(page, "touch interrupted.txt")
    page.front.interrupt()
    assert cell.reply()["ename"] == "TurnInterrupted"
    assert "So it is." in page.answer("Are you there?")
    assert not (page.folder / "interrupted.txt").exists()


def test_a_background_turn_asks_between_cells(page: Page) -> None:
    cell, _, card = ask_bash(page, "touch background.txt", "--bg")
    page.done(cell)
    assert page.run("print('meanwhile')") == "meanwhile\n"
    card.answer("allow")
    page.left(cell)
    assert (page.folder / "background.txt").exists()


def test_a_background_turn_whose_card_no_page_shows_is_denied_without_putting_that_on_the_user(page: Page) -> None:
    page.model.reply(ToolUse("Bash", {"command": "touch unseen.txt"}))
    page.model.reply(Text("So be it."))
    cell = page.left(page.done(page.ask("Do it.", "--bg")))
    assert "Denied: This was denied, and not by the user: no page shows buttons" in markdown(cell)
    assert "user denied" not in str(page.model.requests[-1]["messages"])
    assert not (page.folder / "unseen.txt").exists()


# -- other kinds ----------------------------------------------------------------------------------------------------

QUESTIONS = {
    "questions": [
        {
            "question": "Which colour?",
            "header": "Colour",
            "multiSelect": False,
            "options": [
                {"label": "Red", "description": "like a fire engine"},
                {"label": "Blue", "description": "like the sea", "preview": "# Sea\n\n`blue`"},
            ],
        },
        {
            "question": "Which sizes?",
            "header": "Sizes",
            "multiSelect": True,
            "options": [{"label": "S", "description": "small"}, {"label": "L", "description": "large"}],
        },
    ]
}


def ask_questions(page: Page) -> tuple[Any, Card]:
    page.model.reply(ToolUse("AskUserQuestion", QUESTIONS))
    page.model.reply(Text("Thanks."))
    cell = page.ask("Ask me.")
    return cell, asked(page.watch(cell))


def test_the_agents_questions_are_a_form_and_its_answers_reach_the_model(page: Page) -> None:
    cell, card = ask_questions(page)
    assert [(f["type"], f["label"]) for f in card.data["fields"]] == [
        ("radio", "Which colour?"),
        ("checks", "Which sizes?"),
    ]
    assert "<h1" in card.data["fields"][0]["options"][1]["html"]
    card.answer("answer", q0="Blue", q1=["S", "L"])
    page.done(cell)
    assert '\\"Which colour?\\"=\\"Blue\\"' in told_model(page)
    assert '\\"Which sizes?\\"=\\"S,L\\"' in told_model(page)
    assert "Answered: Which colour? Blue" in markdown(cell)


def test_an_answer_of_ones_own_is_passed_on(page: Page) -> None:
    cell, card = ask_questions(page)
    card.answer("answer", q0="Green, please", q1=["S"])
    page.done(cell)
    assert "Green, please" in told_model(page)


def test_a_form_with_a_question_left_out_is_not_taken_and_can_be_refused(page: Page) -> None:
    cell, card = ask_questions(page)
    card.answer("answer", q0="Blue")
    card.answer("skip", reason="ask me tomorrow")
    page.done(cell)
    assert "ask me tomorrow" in told_model(page)


def test_a_plan_is_kept_in_planning_with_comments_or_approved(page: Page) -> None:
    page.run("%claude mode plan")
    page.model.reply(ToolUse("ExitPlanMode", {"plan": "# Plan\n\n1. write **it**"}))
    page.model.reply(Text("I plan on."))
    cell = page.ask("Plan.")
    card = asked(page.watch(cell))
    assert card.title == "Approve this plan?"
    assert "<strong>it</strong>" in card.html
    card.answer("keep", reason="more tests")
    page.done(cell)
    assert "more tests" in told_model(page)
    page.model.reply(ToolUse("ExitPlanMode", {"plan": "# Plan\n\n1. write **it**"}))
    page.model.reply(ToolUse("Write", {"file_path": str(page.folder / "planned.txt"), "content": "x"}))
    page.model.reply(Text("Written."))
    cell = page.ask("Again.")
    asked(page.watch(cell)).answer("edits")
    page.done(cell)
    assert (page.folder / "planned.txt").read_text() == "x"


def test_an_approved_plan_ends_plan_mode_here_too_and_after_the_next_start(page: Page) -> None:
    page.run("%claude mode plan")
    page.model.reply(ToolUse("ExitPlanMode", {"plan": "# Do it"}))
    page.model.reply(Text("Approved."))
    cell = page.ask("Plan.")
    asked(page.watch(cell)).answer("approve")
    page.done(cell)
    assert "mode default" in page.run("%claude mode")
    page.run("%claude budget 4")  # the CLI is started anew with the next prompt
    cell, _, card = ask_bash(page, "touch planned_and_done.txt")
    card.answer("allow")
    page.done(cell)
    assert (page.folder / "planned_and_done.txt").exists()


# -- questions of our own --------------------------------------------------------------------------------------------


def test_arming_the_mode_that_asks_nothing_is_a_red_card_with_a_second_click(page: Page) -> None:
    cell = page.front.execute("%claude mode bypassPermissions")
    card = asked(page.watch(cell))
    yes = card.button("bypass")
    assert yes["tone"] == "danger"
    assert "asks nothing" in card.data["warning"]
    assert "session 'default'" in card.text
    card.answer("bypass")
    card.answer("bypass", sure=True)
    page.done(cell)
    assert "mode bypassPermissions" in cell.text
    assert "Answered: Bypass" in markdown(cell)


def test_a_turn_in_the_mode_that_asks_nothing_says_so_in_red_live_and_saved(page: Page) -> None:
    said = "everything the agent does is allowed"
    arming = page.front.execute("%claude mode bypassPermissions")
    asked(page.watch(arming)).answer("bypass", sure=True)
    page.done(arming)
    gate = page.model.gate()
    page.model.reply(gate, Text("Done."))
    cell = page.ask("Do it.")
    page.watch(cell).wait_for(said)
    gate.open()
    page.done(cell)
    assert said in markdown(cell)
    assert STYLES["note-error"] in final(cell)["text/html"]
    page.run("%claude mode default")
    assert said not in page.answer("And now?")


def test_a_confirmation_on_a_page_that_was_loaded_again_ends_there_too(page: Page) -> None:
    cell = page.front.execute("%claude allow Bash")
    watched = page.watch(cell)
    asked(watched)
    watched.send({"k": "ready", "page": "loaded again"})
    again = asked(watched, 1)
    again.answer("no")
    page.done(cell)
    page.front.wait(lambda: again.key in watched.replaced(), what="the record in place of the card")
    page.front.wait(lambda: watched.status() == "", what="the end of the running line")


def test_a_broad_rule_is_confirmed_by_its_name_its_session_and_its_end(page: Page) -> None:
    cell = page.front.execute("%claude allow Bash(*)")
    card = asked(page.watch(cell))
    assert "Allow Bash(*) in session 'default'" in card.text
    assert "full control" in card.data["warning"]
    assert "ends with the session" in card.data["warning"]
    card.answer("no")
    page.done(cell)


def test_a_folders_settings_are_listed_on_a_card_before_they_load(page: Page) -> None:
    settings = page.folder / ".claude" / "settings.json"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text(
        json.dumps({"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "rm -rf \u202e~"}]}]}})
    )
    cell = page.front.execute("%claude trust")
    card = asked(page.watch(cell))
    assert "hook  Stop: " in card.text
    assert "rm -rf" in card.text
    assert "\u202e" not in card.text
    card.answer("no")
    page.done(cell)
    settings.unlink()
    assert "stay off" in cell.text


def test_a_mode_that_permits_it_settles_an_open_card(page: Page) -> None:
    page.model.reply(ToolUse("Write", {"file_path": str(page.folder / "mode.txt"), "content": "x"}))
    page.model.reply(Text("Written."))
    cell = page.ask("Write.", "--bg")
    asked(page.watch(cell))
    page.done(cell)
    page.run("%claude mode acceptEdits")
    page.left(cell)
    assert (page.folder / "mode.txt").read_text() == "x"


def test_a_mode_leaves_the_open_card_of_a_sensitive_file_to_the_person(page: Page) -> None:
    page.model.reply(ToolUse("Write", {"file_path": str(page.folder / ".bashrc"), "content": "x"}))
    page.model.reply(Text("Refused."))
    cell = page.ask("Write.", "--bg")
    card = asked(page.watch(cell))
    page.done(cell)
    page.run("%claude mode acceptEdits")
    card.answer("deny", reason="not that one")
    page.left(cell)
    assert not (page.folder / ".bashrc").exists()
    assert "not that one" in told_model(page)
