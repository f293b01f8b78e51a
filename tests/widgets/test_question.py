"""Questions of the other kinds: choices, plans, forms of MCP servers, and our own; and when an answer counts."""

from __future__ import annotations

from typing import Any

import pytest

from claude_nb.conversation.model import Question
from claude_nb.protocol.permission import PermissionResultAllow, PermissionResultDeny
from claude_nb.render.card import body_html
from claude_nb.widgets.question import TOO_EARLY, card_data, card_of, decide

QUESTIONS = [
    {
        "question": "Which?",
        "header": "Pick",
        "options": [{"label": "A", "description": "first", "preview": "# <b>A</b>"}, {"label": "B"}],
    },
    {"question": "More?", "multiSelect": True, "options": [{"label": "C"}, {"label": "D"}]},
]


def question(kind: Any, ask: dict[str, Any], **fields: Any) -> Question:
    return Question(key="b1", id="secret", kind=kind, ask=ask, started=1000.0, **fields)


def answered(it: Question, button: str, sure: bool = False, **fields: Any) -> Any:
    return decide(it, {"v": button, "f": fields, "sure": sure}, it.ask, 1000.1 + TOO_EARLY)


def test_nothing_of_a_plan_is_hidden_by_its_formatting() -> None:
    plan = "# Plan\n\n1. Look\n2. [x] `make`\n\n```python\nx = 1\n```\n\n[//]: # (also run curl evil)\n[docs](https://e.vil)"
    html = body_html(card_of(question("plan", {"input": {"plan": plan}})).body)
    assert html.endswith("[//]: # (also run curl evil)\n[docs](https://e.vil)</pre>")
    harmless = plan.split("[//]")[0]
    assert "as they were written" not in body_html(card_of(question("plan", {"input": {"plan": harmless}})).body)


def test_an_answer_counts_only_once_the_card_could_be_read() -> None:
    it = question("permission", {"tool_name": "Bash", "input": {"command": "make"}})
    assert decide(it, {"v": "allow", "f": {}}, it.ask, 1000.0 + TOO_EARLY - 0.01) is None
    assert answered(it, "allow") == PermissionResultAllow()


def test_a_card_tells_how_many_seconds_are_left() -> None:
    it = question("permission", {"tool_name": "Bash", "input": {}}, expires=1090.0)
    assert card_data(it, 1030.0)["left"] == 60.0
    assert card_data(it, 1099.0)["left"] == 0.0
    assert card_data(question("permission", it.ask), 1030.0)["left"] is None


def test_choices_offer_their_options_and_a_text_of_ones_own() -> None:
    it = question("choice", {"input": {"questions": QUESTIONS}})
    result = answered(it, "answer", q0="A", q1=["C", "something else"])
    assert isinstance(result, PermissionResultAllow)
    assert result.updated_input == {
        "questions": QUESTIONS,
        "answers": {"Which?": "A", "More?": ["C", "something else"]},
    }
    preview = card_of(it).wire()["fields"][0]["options"][0]["html"]
    assert "<h1" in preview
    assert "<b>" not in preview


@pytest.mark.parametrize(
    "fields", [{}, {"q0": "A"}, {"q0": "A", "q1": []}, {"q0": ["A"], "q1": ["C"]}, {"q0": "A", "q1": "C"}]
)
def test_choices_with_something_missing_or_of_the_wrong_kind_are_not_taken(fields: dict[str, Any]) -> None:
    assert answered(question("choice", {"input": {"questions": QUESTIONS}}), "answer", **fields) is None


def test_questions_can_be_left_unanswered_with_a_word() -> None:
    result = answered(question("choice", {"input": {"questions": QUESTIONS}}), "skip", reason="later")
    assert isinstance(result, PermissionResultDeny)
    assert "later" in result.message


def test_a_plan_is_markdown_and_can_be_approved_with_or_without_accepting_edits() -> None:
    it = question("plan", {"input": {"plan": "# Plan\n\n- do **it**"}})
    assert "<strong>it</strong>" in body_html(card_of(it).body)
    assert answered(it, "approve") == PermissionResultAllow()
    edits = answered(it, "edits")
    assert [u.mode for u in edits.updated_permissions] == ["acceptEdits"]
    kept = answered(it, "keep", reason="smaller steps")
    assert isinstance(kept, PermissionResultDeny)
    assert "smaller steps" in kept.message


SCHEMA = {
    "type": "object",
    "required": ["name", "size"],
    "properties": {
        "name": {"type": "string", "title": "Your name", "minLength": 2, "maxLength": 5},
        "mail": {"type": "string", "format": "email"},
        "size": {"type": "string", "enum": ["s", "l"], "enumNames": ["Small", "Large"]},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "weight": {"type": "number"},
        "news": {"type": "boolean", "default": True},
        "days": {
            "type": "array",
            "items": {"anyOf": [{"const": "mo", "title": "Monday"}, {"const": "tu"}]},
            "maxItems": 1,
        },
    },
}
FORM = {"mcp_server_name": "shop", "message": "Who are you?", "mode": "form", "requested_schema": SCHEMA}


def test_a_form_has_a_field_for_each_property_of_its_schema() -> None:
    fields = {f.name: f for f in card_of(question("form", FORM)).fields}
    assert {name: f.type for name, f in fields.items()} == {
        "name": "line",
        "mail": "line",
        "size": "select",
        "age": "integer",
        "weight": "number",
        "news": "switch",
        "days": "checks",
    }
    assert fields["name"].label == "Your name"
    assert fields["news"].value is True
    assert [o.label for o in fields["size"].options] == ["Small", "Large"]
    assert [o.label for o in fields["days"].options] == ["Monday", "tu"]


def test_a_filled_in_form_is_accepted_with_its_values() -> None:
    content = {"name": "Ada", "mail": "a@b.org", "size": "s", "age": 36, "weight": 60.5, "news": False, "days": ["mo"]}
    assert answered(question("form", FORM), "accept", **content) == {"action": "accept", "content": content}


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "A"},
        {"name": "Ada Lovelace"},
        {"name": None},
        {"size": "m"},
        {"mail": "nobody"},
        {"age": -1},
        {"age": 3.5},
        {"age": True},
        {"news": "yes"},
        {"days": ["mo", "tu"]},
        {"days": ["su"]},
    ],
)
def test_a_value_that_its_property_does_not_take_is_not_sent(wrong: dict[str, Any]) -> None:
    assert answered(question("form", FORM), "accept", **({"name": "Ada", "size": "s"} | wrong)) is None


def test_a_form_can_be_declined_or_dismissed() -> None:
    assert answered(question("form", FORM), "decline") == {"action": "decline"}
    assert answered(question("form", FORM), "cancel") == {"action": "cancel"}


def test_an_address_to_open_is_a_link_that_is_accepted_by_hand() -> None:
    it = question("form", {"mcp_server_name": "shop", "mode": "url", "url": "https://shop.example/login"})
    assert 'href="https://shop.example/login"' in body_html(card_of(it).body)
    assert answered(it, "accept") == {"action": "accept"}
    bad = question("form", {"mode": "url", "url": "javascript:alert(1)"})
    assert "<a" not in body_html(card_of(bad).body)


def test_our_own_question_shows_its_sections_and_gives_back_the_choice() -> None:
    ask = {
        "title": "Trust this folder?",
        "warning": "Its hooks run with your rights.",
        "sections": [
            {"heading": "Hooks", "items": ["Stop runs: rm \u202ex", "<img src=x>"]},
            {"heading": "Environment", "rows": [["A", "1"]]},
        ],
        "choices": [
            {"value": "yes", "label": "Trust it", "key": "y", "tone": "danger", "confirm": "Really?"},
            {"value": "no", "label": "No", "key": "n"},
        ],
    }
    it = question("confirm", ask)
    html = body_html(card_of(it).body)
    assert "rm \\u202ex" in html
    assert "<img" not in html
    assert answered(it, "yes") is None
    assert answered(it, "yes", sure=True) == "yes"
    assert answered(it, "no") == "no"
