"""A question of our own, outside of any turn: shown as a card in the cell that asks it, else typed.

Layer 5, below `notebook`. Main thread; the cell waits. What is asked this way is broad (everything allowed, a folder's
hooks loaded), so it takes a click or a typed word: nothing that a cell's source could hold.
"""

from __future__ import annotations

import concurrent.futures
import secrets
import time
from typing import Any
from uuid import uuid4

from claude_nb.conversation import Conversation, Question, Turn
from claude_nb.conversation.model import QuestionStatus
from claude_nb.conversation.reduce import Reducer
from claude_nb.engine import portal
from claude_nb.kernel.cell import Kind, Place
from claude_nb.kernel.pump import Pump
from claude_nb.magics.asking import Asker, Seat
from claude_nb.magics.stages import Live, Schedule
from claude_nb.questions import decision
from claude_nb.render.style import Look

NO = "no"


def agreed(asker: Asker, pump: Pump, place: Place, schedule: Schedule, question: str, word: str) -> bool:
    """Whether a person agreed to `question`: by a click on the card's red button, or by typing `word`."""
    if place.kind is Kind.HEADLESS:
        return False
    if place.kind is Kind.LAB and pump.tap is not None:
        chosen = _by_card(asker, pump, place, schedule, confirmation(question, word))
        if chosen is not None:
            return chosen == word
    print(question, flush=True)
    try:
        return input(f"Type {word!r} to agree, anything else to leave it: ").strip().lower() == word
    except (EOFError, KeyboardInterrupt, RuntimeError):  # RuntimeError: a front end without stdin
        return False


def confirmation(question: str, word: str) -> dict[str, Any]:
    """The card's content: the last line is the warning, what stands before it is what it is about."""
    *about, warning = question.splitlines()
    return {
        "title": "Do you agree to this?",
        "warning": warning,
        "sections": [{"code": "\n".join(about)}] if about else [],
        "choices": [
            {"value": NO, "label": "No, leave it", "key": "n", "tone": "primary"},
            {"value": word, "label": word.capitalize(), "key": "y", "tone": "danger", "confirm": "Really? " + warning},
        ],
    }


def _by_card(asker: Asker, pump: Pump, place: Place, schedule: Schedule, ask: dict[str, Any]) -> str | None:
    """What was chosen on a card in this cell; `no` when it was left, None where no page draws it."""
    turn = Turn(id=str(uuid4()), status="running", started=time.time())

    def heard(message: dict[str, Any]) -> None:
        if message.get("k") == "stop":
            future.cancel()
        else:
            asker.heard(turn.id, message)

    stage = Live(place, Look(live=False), pump, schedule, heard)
    stage.open()
    future: concurrent.futures.Future[str | None] = portal.start(_ask, asker, turn, Seat(place, stage), ask)
    try:
        return pump.run_until(future)
    except (KeyboardInterrupt, concurrent.futures.CancelledError):
        return NO
    finally:
        turn.status = "done"
        stage.close(turn)


async def _ask(asker: Asker, turn: Turn, seat: Seat, ask: dict[str, Any]) -> str | None:
    if not await asker.sees_cards(seat):
        return None
    reducer = Reducer(Conversation())
    terms = asker.terms(seat)
    expires = None if terms.seconds is None else time.time() + terms.seconds
    question = Question(key="", id=secrets.token_urlsafe(16), kind="confirm", ask=ask, expires=expires)
    seat.stage.changed([*reducer.open(turn, time.time()), *reducer.ask(turn, question, None, time.time())])
    status: QuestionStatus = "cancelled"
    record = None
    try:
        chosen = str(await asker.answer(question, turn, ask, seat))
        status, record = "answered", decision(next(c["label"] for c in ask["choices"] if c["value"] == chosen))
    except TimeoutError:
        status, chosen = "expired", NO
    finally:
        changes = reducer.settle(turn, question, status, record, time.time())
        turn.started, turn.ended = 0.0, time.time()  # for how long it was asked is of no interest
        seat.stage.changed(changes)  # a page that was loaded again keeps what it shows: that must not be the open card
    return chosen
