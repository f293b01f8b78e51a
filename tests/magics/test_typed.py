"""Cards answered by typing: the same questions, keys instead of buttons, the same checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from claude_nb.conversation import Question
from claude_nb.magics.typed import ask_by_typing, refusal
from claude_nb.protocol.permission import PermissionResultAllow, PermissionResultDeny
from claude_nb.widgets.question import card_of, meaning

SUGGESTION = {
    "type": "addRules",
    "rules": [{"toolName": "Bash", "ruleContent": "make *"}],
    "behavior": "allow",
    "destination": "session",
}
PERMISSION = {"tool_name": "Bash", "input": {"command": "make \u202e all"}, "suggestions": [SUGGESTION]}
CHOICE = {
    "input": {
        "questions": [
            {"question": "Which?", "options": [{"label": "A"}, {"label": "B", "description": "second"}]},
            {"question": "More?", "multiSelect": True, "options": [{"label": "C"}, {"label": "D"}]},
        ]
    }
}
Type = Callable[..., Any]


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Type:
    """`answer(kind, ask, "line", ...)`: what these typed lines mean; after the last one the input is at its end."""

    def answer(kind: Any, ask: dict[str, Any], *lines: str) -> Any:
        typed = iter(lines)

        def read(prompt: str = "") -> str:
            try:
                return next(typed)
            except StopIteration:
                raise EOFError from None

        monkeypatch.setattr("builtins.input", read)
        question = Question(key="b1", id="x", kind=kind, ask=ask)
        return meaning(question, ask_by_typing(card_of(question)), ask)

    return answer


def test_a_permission_has_single_keys(answer: Type) -> None:
    assert answer("permission", PERMISSION, "y") == PermissionResultAllow()
    stopped = answer("permission", PERMISSION, "s", "")
    assert stopped.interrupt
    denied = answer("permission", PERMISSION, "n", "use ninja")
    assert denied.message.endswith("use ninja")
    always = answer("permission", PERMISSION, "a", "")
    assert [u.to_dict() for u in always.updated_permissions] == [SUGGESTION]
    kept = answer("permission", PERMISSION, "a", "3")
    assert [u.destination for u in kept.updated_permissions] == ["projectSettings"]


def test_what_is_asked_is_printed_whole_and_harmless(answer: Type, capsys: pytest.CaptureFixture[str]) -> None:
    answer("permission", PERMISSION, "y")
    printed = capsys.readouterr().out
    assert "$ make \\u202e all" in printed
    assert "[a] Always: Bash(make *) (for this session)" in printed
    assert "\u202e" not in printed


MAKE = {"tool_name": "Bash", "input": {"command": "make"}}


def test_an_edit_is_typed_line_by_line_shown_and_asked_once_more(
    answer: Type, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = ("e", "make \u202e clean", "make", ".", "y")
    assert answer("permission", MAKE, *typed).updated_input == {"command": "make \u202e clean\nmake"}
    assert "Command:\n    make \\u202e clean\n    make\n" in capsys.readouterr().out


@pytest.mark.parametrize("typed", [("",), ("rm -r x", ".", ""), ("rm -r x", ".", "n"), ("make", ".")])
def test_an_edit_that_is_left_goes_back_to_the_buttons_as_often_as_one_likes(
    answer: Type, typed: tuple[str, ...]
) -> None:
    assert answer("permission", MAKE, *("e", *typed) * 5, "y") == PermissionResultAllow()
    assert isinstance(answer("permission", MAKE, "e", *typed), PermissionResultDeny)


@pytest.mark.parametrize("number", ["3", "0", "1, 3"])
def test_a_number_that_no_option_has_is_asked_for_again(
    answer: Type, number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first = number if "," not in number else "1"
    result = answer("choice", CHOICE, "y", first, *([] if first != number else ["2"]), number, "2")
    picked = "A" if first != number else "B"
    assert result.updated_input["answers"] == {"Which?": picked, "More?": ["D"]}
    assert "There is no option" in capsys.readouterr().out


def test_a_number_in_quotes_is_an_answer_of_ones_own(answer: Type) -> None:
    result = answer("choice", CHOICE, "y", '"42"', '"7"')
    assert result.updated_input["answers"] == {"Which?": "42", "More?": ["7"]}


def test_a_whole_shell_takes_a_typed_yes(answer: Type) -> None:
    broad = {**SUGGESTION, "rules": [{"toolName": "Bash"}]}
    ask = {**PERMISSION, "suggestions": [broad]}
    assert answer("permission", ask, "a", "yes").updated_permissions[0].destination == "session"
    assert isinstance(answer("permission", ask, "a", "y", "n", ""), PermissionResultDeny)


@pytest.mark.parametrize("lines", [(), ("maybe",), ("what", "is", "this", "y")])
def test_no_answer_or_nonsense_is_a_refusal(answer: Type, lines: tuple[str, ...]) -> None:
    assert isinstance(answer("permission", PERMISSION, *lines), PermissionResultDeny)


def test_choices_are_numbers_or_words(answer: Type) -> None:
    result = answer("choice", CHOICE, "y", "2", "1, 2")
    assert result.updated_input["answers"] == {"Which?": "B", "More?": ["C", "D"]}
    result = answer("choice", CHOICE, "y", "neither", "2")
    assert result.updated_input["answers"] == {"Which?": "neither", "More?": ["D"]}


def test_a_plan_is_approved_or_sent_back_with_comments(answer: Type) -> None:
    plan = {"input": {"plan": "- do it"}}
    assert answer("plan", plan, "y") == PermissionResultAllow()
    assert answer("plan", plan, "a").updated_permissions[0].mode == "acceptEdits"
    assert "smaller\nsteps" in answer("plan", plan, "n", "smaller", "steps", ".").message


def test_a_form_is_asked_field_by_field_until_each_fits(answer: Type) -> None:
    properties = {"name": {"type": "string", "minLength": 3}, "age": {"type": "integer"}, "news": {"type": "boolean"}}
    ask = {"mcp_server_name": "shop", "requested_schema": {"properties": properties, "required": ["name"]}}
    assert answer("form", ask, "y", "Al", "Ada", "old", "36", "y") == {
        "action": "accept",
        "content": {"name": "Ada", "age": 36, "news": True},
    }


def test_the_refusal_allows_nothing() -> None:
    for kind, ask in (("permission", PERMISSION), ("choice", CHOICE), ("plan", {"input": {}})):
        question = Question(key="b1", id="x", kind=kind, ask=ask)  # type: ignore[arg-type]
        assert isinstance(meaning(question, refusal(card_of(question)), ask), PermissionResultDeny)
    form = Question(key="b1", id="x", kind="form", ask={})
    assert meaning(form, refusal(card_of(form)), {}) == {"action": "decline"}
