"""When the face speaks, and what it answers. Time is a list of callbacks here."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

import pytest

from claude_nb.render import Look
from claude_nb.widgets.live import INTERVAL, SILENCE, LiveFace
from tests.widgets.scribe import Scribe

pytestmark = pytest.mark.usefixtures("toy")


class Clock:
    """A schedule whose time is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._count = 0
        self._queue: list[tuple[float, int, Callable[[], None]]] = []

    def __call__(self, delay: float, fn: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._queue, (self.now + delay, self._count, fn))

    def advance(self, seconds: float = 0) -> None:
        """Run all that is due until then, in order."""
        end = self.now + seconds
        while self._queue and self._queue[0][0] <= end:
            self.now, _, fn = heapq.heappop(self._queue)
            fn()
        self.now = end


class FakeModel:
    """What the face says to the page."""

    comm_id = "comm-1"

    def __init__(self, receive: Callable[[dict[str, Any]], None]):
        self.receive, self.sent, self.closed = receive, list[dict[str, Any]](), 0

    def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    def view_bundle(self) -> dict[str, Any]:
        return {"text/plain": "(running)"}

    def close(self) -> None:
        self.closed += 1


class Stage:
    """A face, its page and the turn it follows."""

    def __init__(self, **options: Any):
        self.clock = Clock()
        self.face = LiveFace(
            Look(live=True), schedule=self.clock, model=FakeModel, now=lambda: self.clock.now, **options
        )
        self.model: FakeModel = self.face._model  # type: ignore[assignment]
        self.scribe = Scribe(self.face.changed, lambda: self.clock.now)

    def get_ready(self) -> None:
        self.model.receive({"k": "ready", "page": "one"})
        self.clock.advance(1)
        self.model.sent.clear()

    def kinds(self) -> list[str]:
        return [message["k"] for message in self.model.sent]


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_nothing_is_sent_before_a_page_is_ready_and_then_everything_at_once(stage: Stage) -> None:
    text = stage.scribe.text("b1")
    stage.scribe.grow(text, ["hello"])
    stage.clock.advance(10)
    assert stage.model.sent == []
    assert not stage.face.ready.is_set()
    stage.model.receive({"k": "ready", "page": "one"})
    assert stage.model.sent == [], "answered on the engine's thread, not in the one that brought the message"
    stage.clock.advance()
    assert stage.face.ready.is_set()
    assert stage.kinds() == ["full"]
    assert ["tail", "b1", "<p>hello</p>"] in stage.model.sent[0]["ops"]


def test_the_first_delta_is_sent_at_once_and_the_next_ones_ten_times_a_second(stage: Stage) -> None:
    stage.get_ready()
    text = stage.scribe.text("b1")
    stage.clock.advance()
    assert stage.kinds() == ["patch"]
    for _ in range(200):  # 200 deltas in two seconds
        stage.scribe.grow(text, ["word "])
        stage.clock.advance(0.01)
    assert 19 <= len(stage.model.sent) <= 22
    numbers = [message["s"] for message in stage.model.sent]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_after_a_pause_a_delta_is_sent_at_once_again(stage: Stage) -> None:
    stage.get_ready()
    text = stage.scribe.text("b1")
    stage.clock.advance(INTERVAL * 3)
    stage.model.sent.clear()
    stage.scribe.grow(text, ["x"])
    stage.clock.advance()
    assert stage.kinds() == ["patch"]


def test_after_a_silence_the_page_is_told_the_last_number_once(stage: Stage) -> None:
    stage.get_ready()
    stage.scribe.text("b1")
    stage.clock.advance(SILENCE * 5)
    assert stage.kinds() == ["patch", "at"]
    assert stage.model.sent[0]["s"] == stage.model.sent[1]["s"]


def test_a_gap_is_answered_by_the_whole_and_the_numbers_go_on(stage: Stage) -> None:
    stage.get_ready()
    text = stage.scribe.text("b1")
    stage.scribe.grow(text, ["one"])
    stage.clock.advance(1)
    stage.model.receive({"k": "gap"})
    stage.clock.advance()
    whole = stage.model.sent[-1]
    stage.scribe.grow(text, ["two"])
    stage.clock.advance(1)
    assert whole["k"] == "full"
    assert stage.model.sent[-1]["s"] == whole["s"] + 1


def test_a_page_that_asks_for_the_script_gets_it(stage: Stage) -> None:
    stage.model.receive({"k": "script"})
    stage.clock.advance()
    assert stage.kinds() == ["script"]
    assert "export" in stage.model.sent[0]["code"]
    assert not stage.face.ready.is_set()


def test_the_page_shows_stop_only_where_somebody_listens_and_his_ears_are_on_the_engines_thread() -> None:
    heard: list[dict[str, Any]] = []
    for on_message, expected in ((heard.append, True), (None, False)):
        stage = Stage(on_message=on_message)
        stage.model.receive({"k": "ready", "page": "one"})
        stage.model.receive({"k": "stop"})
        assert heard == ([] if on_message else [{"k": "stop"}])
        stage.clock.advance()
        assert stage.model.sent[0]["stop"] is expected
    assert heard == [{"k": "stop"}]


def test_a_message_without_sense_is_ignored(stage: Stage) -> None:
    for nonsense in ({}, {"k": 7}, {"k": "nothing of ours"}):
        stage.model.receive(nonsense)
    stage.clock.advance(1)
    assert stage.model.sent == []


def test_a_closed_face_is_silent_and_closes_its_model_once(stage: Stage) -> None:
    stage.get_ready()
    text = stage.scribe.text("b1")
    stage.face.close()
    stage.face.close()
    stage.scribe.grow(text, ["late"])
    stage.model.receive({"k": "gap"})
    stage.clock.advance(SILENCE * 2)
    assert stage.model.sent == []
    assert stage.model.closed == 1


def test_a_page_that_was_reloaded_keeps_its_widget_and_gets_the_end_of_the_turn(stage: Stage) -> None:
    stage.get_ready()
    stage.model.receive({"k": "ready", "page": "one"})  # asked twice: the same page
    stage.model.receive({"k": "ready", "page": "reloaded"})
    stage.clock.advance(1)
    stage.scribe.end()
    stage.face.close()
    stage.clock.advance()
    assert stage.model.closed == 0
    assert ["end", "<p>done</p>"] in stage.model.sent[-1]["ops"]


def test_a_face_prints_the_same_in_every_run(stage: Stage) -> None:
    assert repr(stage.face) == "<LiveFace waiting>"
    stage.get_ready()
    assert repr(stage.face) == "<LiveFace ready>"
    assert stage.face.view_bundle()["text/plain"] == "(running)"
