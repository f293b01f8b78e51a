"""Who answers an open question: the page's card, else the person who types, else nobody.

Layer 5, below `notebook`. Runs on the engine's loop; what is typed is read on the main thread, through the pump. The
rung of the ladder is found out, not guessed: a page that shows our widget says so within seconds, and one that does
not is remembered, so that only its first question waits. `chat` and the cards' own rules stand behind every rung.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import anyio

from claude_nb.conversation import Question, Turn
from claude_nb.kernel.cell import Kind, Place
from claude_nb.kernel.pump import CallInterrupted, Pump
from claude_nb.magics.frontends import FrontEnds
from claude_nb.magics.stages import Stage
from claude_nb.magics.typed import ask_by_typing, refusal
from claude_nb.questions import NobodyToAsk, Terms
from claude_nb.widgets.question import card_of, decide, meaning

logger = logging.getLogger(__name__)

NO_BUTTONS = "This front end shows no buttons, so questions are asked here, by typing."
QUIET = "This cell shows nothing while it runs (--quiet), so its questions are asked here, by typing."
NO_TAP = "This kernel hears no clicks while a cell runs, so questions are asked here, by typing."
LATE = "While a cell runs, this kernel hears a click only at that cell's end."
UNSEEN = (
    "no page shows buttons for it, and a cell that does not wait (--bg) has no other way to ask. Do not try it again."
)


@dataclass(slots=True, frozen=True)
class Seat:
    """Where a turn is followed by a person: the place of its cell, the stage in it, and whether the cell waits."""

    place: Place
    stage: Stage
    waits: bool = True


@dataclass(slots=True)
class _Open:
    question: Question
    turn_id: str
    ask: dict[str, Any]
    answered: asyncio.Future[Any]


class Asker:
    """Gets answers to the questions of all chats of a notebook. `patience` is how many seconds a card stays open."""

    def __init__(self, pump: Pump, patience: Callable[[], float | None]):
        self._pump = pump
        self._patience = patience
        self._open: dict[str, _Open] = {}
        self.front_ends = FrontEnds()

    def terms(self, seat: Seat | None, *, trusted: bool = True) -> Terms:
        """How a question of a turn in that seat is asked, in a folder that is trusted or not."""
        if seat is None or seat.place.kind is Kind.HEADLESS:
            return Terms()
        late = not seat.waits and (self._pump.tap is None or self._pump.tap.needs_poll)
        return Terms(self._patience() or None, LATE if late else "", trusted)

    async def answer(self, question: Question, turn: Turn, ask: dict[str, Any], seat: Seat | None) -> Any:
        """The answer to an open question. Raises TimeoutError when nobody gave one in time, and NobodyToAsk."""
        if seat is None or seat.place.kind is Kind.HEADLESS:
            return self._refuse(question, ask)
        seen = await self._seen(seat)
        if seen:
            return await self._by_card(question, turn, ask)
        if not seat.waits:
            raise NobodyToAsk(UNSEEN)
        question.ask["typed"] = True  # a page that wakes up now must not ask as well
        return await self._by_typing(question, ask, seat, QUIET if seen is None else NO_BUTTONS)

    # -- cards --------------------------------------------------------------------------------------------------

    async def sees_cards(self, seat: Seat) -> bool:
        """Whether a page shows this seat's cards and their clicks are heard; finding out may take seconds, once."""
        return bool(await self._seen(seat))

    async def _seen(self, seat: Seat) -> bool | None:
        """The same; None where the stage draws nothing, whatever the page could."""
        if seat.place.kind is not Kind.LAB or (seat.waits and self._pump.tap is None):
            return False
        seen = await seat.stage.watched(self.front_ends.patience(seat.place))
        if seen is not None:
            self.front_ends.learn(seat.place, seen)
        return seen

    async def _by_card(self, question: Question, turn: Turn, ask: dict[str, Any]) -> Any:
        answered = asyncio.get_running_loop().create_future()
        self._open[question.id] = _Open(question, turn.id, ask, answered)
        try:
            with anyio.fail_after(_seconds_left(question)):
                return await answered
        finally:
            del self._open[question.id]

    def heard(self, turn_id: str, message: dict[str, Any]) -> None:
        """A page answered; the engine's thread. What is no answer to an open question of that turn is ignored."""
        found = self._open.get(str(message.get("id")))
        if found is None or found.turn_id != turn_id or found.answered.done():
            logger.debug("an answer to no open question was ignored")
            return
        result = decide(found.question, message.get("a"), found.ask, time.time())
        if result is not None:
            found.answered.set_result(result)

    def settle(self, turns: Collection[str], settled: Callable[[dict[str, Any]], Any]) -> None:
        """Answer the open permission questions of these turns where `settled(ask)` is not None; the engine's thread."""
        for it in list(self._open.values()):
            if it.question.kind != "permission" or it.turn_id not in turns or it.answered.done():
                continue
            if (result := settled(it.ask)) is not None:
                it.answered.set_result(result)

    # -- typing and nobody --------------------------------------------------------------------------------------

    async def _by_typing(self, question: Question, ask: dict[str, Any], seat: Seat, why: str) -> Any:
        why = NO_TAP if self._pump.tap is None else why
        said = self.front_ends.once(seat.place, why) if seat.place.kind is Kind.LAB else ""
        seat.stage.make_room()
        try:
            with anyio.fail_after(_seconds_left(question)):
                reply = await self._pump.call(ask_by_typing, card_of(question), said, context=seat.place.context)
        except CallInterrupted:
            return self._refuse(question, ask)
        result = meaning(question, reply, ask)
        return self._refuse(question, ask) if result is None else result

    def _refuse(self, question: Question, ask: dict[str, Any]) -> Any:
        return meaning(question, refusal(card_of(question)), ask)


def _seconds_left(question: Question) -> float | None:
    return None if question.expires is None else max(0.0, question.expires - time.time())
