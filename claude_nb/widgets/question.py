"""Every kind of question as a card, and what an answer to it means.

Pure. Above: the patcher (which sends cards) and the magics (which wait for answers). Below: `permission`, `form`,
`card`. One row per kind in `KINDS`; what comes out of `decide` is what the asking side wants: a permission result for
the CLI's `can_use_tool` kinds, an elicitation result, or the value chosen.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, NamedTuple

from claude_nb.conversation.model import Question
from claude_nb.protocol.permission import (
    PermissionResult,
    PermissionResultAllow,
    PermissionResultDeny,
    PermissionUpdate,
)
from claude_nb.render.card import Body, json_part, shown
from claude_nb.render.text import visible
from claude_nb.render.view import Code, Fields, Prose

from .card import Button, Card, Field, Option, Reply, read
from .form import form_card, form_result
from .permission import permission_card, permission_result

logger = logging.getLogger(__name__)

Ask = dict[str, Any]
#: Seconds from a question's appearance in which no answer counts: nobody has read it yet.
TOO_EARLY = 0.4
#: Seconds before its end from which on a card counts down.
COUNTDOWN = 60.0


class Kind(NamedTuple):
    """How one kind of question is asked, and what its answer means."""

    card: Callable[[Ask], Card]
    result: Callable[[Reply, Ask], Any]


def card_of(question: Question) -> Card:
    """The card of a question."""
    return KINDS[question.kind].card(question.ask)


def card_data(question: Question, now: float) -> dict[str, Any]:
    """The card of an open question as the page gets it. `now` in epoch seconds.

    `left` is the number of seconds to its end, None if it has none; the page counts down the last `countdown` of them.
    """
    left = None if question.expires is None else round(max(0.0, question.expires - now), 1)
    told = {"id": question.id, "kind": question.kind, "left": left, "countdown": COUNTDOWN}
    return card_of(question).wire() | told | {"note": str(question.ask.get("note") or "")}


def decide(question: Question, answer: Any, ask: Ask, now: float) -> Any:
    """What a page's answer to an open question means; None if it is none, or came before the card could be read.

    `ask` is the question with nothing redacted. `now` in epoch seconds.
    """
    if now - question.started < TOO_EARLY:
        logger.debug("an answer came %.2f s after its question and was ignored", now - question.started)
        return None
    reply = read(card_of(question), answer)
    if reply is None:
        logger.debug("an answer that the card does not offer was ignored")
        return None
    return meaning(question, reply, ask)


def meaning(question: Question, reply: Reply, ask: Ask) -> Any:
    """What a reply that the card offers means; None if what was typed into it makes no sense."""
    try:
        return KINDS[question.kind].result(reply, ask)
    except ValueError as error:
        logger.debug("an answer was ignored: %s", error)
        return None


# -- AskUserQuestion ----------------------------------------------------------------------------------------------

SKIPPED = "The user did not answer the questions."


def _choice_card(ask: Ask) -> Card:
    questions = _questions(ask)
    comment = Field("reason", "line", about="Say something else instead (optional)")
    skip = (Button("skip", "Do not answer", "n"), comment)
    return Card(
        title="The agent has a question" if len(questions) == 1 else f"The agent has {len(questions)} questions",
        fields=tuple(_choice(number, q) for number, q in enumerate(questions)),
        rows=((Button("answer", "Answer", "y", "primary", filled=True),), skip),
    )


def _choice(number: int, question: Ask) -> Field:
    header = shown(str(question.get("header") or ""))
    text = shown(str(question.get("question") or ""))
    options = tuple(
        Option(str(o.get("label")), shown(str(o.get("label"))), shown(str(o.get("description") or "")), _preview(o))
        for o in question.get("options") or []
        if isinstance(o, dict)
    )
    many = question.get("multiSelect") is True
    return Field(
        f"q{number}",
        "checks" if many else "radio",
        text,
        [] if many else "",
        options,
        other=True,
        required=True,
        about=header if header != text else "",
    )


def _preview(option: Ask) -> Body:
    preview = option.get("preview")
    return (Prose(visible(preview)),) if isinstance(preview, str) and preview.strip() else ()


def _questions(ask: Ask) -> list[Ask]:
    input = ask.get("input")
    asked = input.get("questions") if isinstance(input, dict) else None
    return [q for q in asked if isinstance(q, dict)] if isinstance(asked, list) else []


def _choice_result(reply: Reply, ask: Ask) -> PermissionResult:
    if reply.button != "answer":
        reason = reply.fields.get("reason")
        return PermissionResultDeny(message=f"{SKIPPED} They say: {reason}" if reason else SKIPPED)
    answers = {
        str(q.get("question")): reply.fields[f"q{n}"] for n, q in enumerate(_questions(ask)) if f"q{n}" in reply.fields
    }
    return PermissionResultAllow(updated_input={**ask["input"], "answers": answers})


# -- ExitPlanMode -------------------------------------------------------------------------------------------------

KEEP_PLANNING = "The user wants to keep planning and has not approved this plan."


def _plan_card(ask: Ask) -> Card:
    plan = _plan(ask)
    comments = Field("reason", "area", about="What should be different? (optional)")
    body: Body = (Prose(visible(plan)),) if plan else (Fields((("Plan", "as in the answer above"),)),)
    return Card(
        title="Approve this plan?",
        body=body,
        rows=(
            (
                Button("approve", "Approve", "y", "primary", about="Each edit is still asked about"),
                Button("edits", "Approve and accept edits", "a", about="Edits are not asked about in this session"),
            ),
            (Button("keep", "Keep planning", "n"), comments),
        ),
    )


def _plan(ask: Ask) -> str:
    input = ask.get("input")
    plan = (input.get("plan") if isinstance(input, dict) else None) or ask.get("plan")
    return plan if isinstance(plan, str) else ""


def _plan_result(reply: Reply, ask: Ask) -> PermissionResult:
    match reply.button:
        case "keep":
            reason = reply.fields.get("reason")
            return PermissionResultDeny(message=f"{KEEP_PLANNING} They say: {reason}" if reason else KEEP_PLANNING)
        case "edits":
            mode = PermissionUpdate(type="setMode", mode="acceptEdits", destination="session")
            return PermissionResultAllow(updated_permissions=[mode])
        case _:
            return PermissionResultAllow()


# -- our own questions --------------------------------------------------------------------------------------------


def _confirm_card(ask: Ask) -> Card:
    """A question of our own. `ask`: `title`, `facts` (lines), `warning`, `sections` and `choices`.

    A section is `{"heading": str}` and one of `text` (Markdown), `code`, `json`, `rows` (pairs), `items` (lines). A
    choice is `{"value", "label", "key"}` and, if wanted, `tone` ("primary", "danger"), `confirm` (what a second click
    confirms) and `about`.
    """
    body = tuple(part for section in ask.get("sections") or [] for part in _section(section))
    buttons = tuple(
        Button(
            c["value"],
            c["label"],
            c["key"],
            c.get("tone", "plain"),
            confirm=c.get("confirm", ""),
            about=c.get("about", ""),
        )
        for c in ask["choices"]
    )
    return Card(
        title=shown(str(ask.get("title") or "")),
        facts=tuple(shown(str(fact)) for fact in ask.get("facts") or []),
        warning=shown(str(ask.get("warning") or "")),
        body=body,
        rows=(buttons,),
    )


def _section(section: Ask) -> Body:
    heading: Body = (Prose(f"**{shown(section['heading'])}**"),) if section.get("heading") else ()
    match section:
        case {"text": text}:
            return (*heading, Prose(visible(text)))
        case {"code": code}:
            return (*heading, Code(visible(code), "", "in"))
        case {"json": value}:
            return (*heading, json_part(value))
        case {"rows": rows}:
            return (*heading, Fields(tuple((shown(str(k)), visible(str(v))) for k, v in rows)))
        case {"items": items}:
            return (*heading, Code("\n".join(shown(str(item)) for item in items), "", "in"))
        case _:
            return heading


KINDS: dict[str, Kind] = {
    "permission": Kind(permission_card, permission_result),
    "choice": Kind(_choice_card, _choice_result),
    "plan": Kind(_plan_card, _plan_result),
    "form": Kind(form_card, form_result),
    "confirm": Kind(_confirm_card, lambda reply, ask: reply.button),
}
