"""Which clicks on the rewind panel count. Time is moved by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from claude_nb.widgets.rewind import STEADY_SECONDS, Button, Panel, PanelFace, Row


class FakeModel:
    comm_id = "comm-1"

    def __init__(self, receive: Callable[[dict[str, Any]], None], face: str):
        self.receive, self.face, self.sent, self.closed = receive, face, list[dict[str, Any]](), False

    def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    def view_bundle(self) -> dict[str, Any]:
        return {"text/plain": "(running)", "widget": {}}

    def close(self) -> None:
        self.closed = True


class Stage:
    def __init__(self) -> None:
        self.now = 10.0
        self.clicked: list[str] = []
        self.face = PanelFace(
            schedule=lambda delay, fn: fn(),
            on_click=self.clicked.append,
            model=self._make,  # type: ignore[arg-type]
            now=lambda: self.now,
        )

    def _make(self, receive: Callable[[dict[str, Any]], None], face: str) -> FakeModel:
        self.model = FakeModel(receive, face)
        return self.model

    @property
    def panel(self) -> dict[str, Any]:
        return self.model.sent[-1]["panel"]

    def id(self, label: str) -> str:
        buttons = [row["button"] for row in self.panel["rows"] if row["button"]] + list(self.panel["buttons"])
        return next(button["id"] for button in buttons if button["label"] == label)

    def click(self, id: Any) -> None:
        self.face.receive({"k": "click", "id": id})


ONE = Panel(
    title="Checkpoints",
    rows=(Row("first", button=Button("pick 1", "Rewind…")), Row("(current)")),
    buttons=(Button("never mind", "Close"),),
)


@pytest.fixture
def stage() -> Stage:
    stage = Stage()
    stage.face.show(ONE)
    stage.now += 1
    return stage


def test_a_click_names_its_button_by_an_id_made_up_for_this_showing(stage: Stage) -> None:
    first = stage.id("Rewind…")
    assert "pick 1" not in repr(stage.model.sent)
    stage.click(first)
    assert stage.clicked == ["pick 1"]
    stage.face.show(ONE)
    assert stage.id("Rewind…") != first


def test_one_click_counts_and_no_other_until_the_next_panel(stage: Stage) -> None:
    stage.click(stage.id("Rewind…"))
    stage.click(stage.id("Rewind…"))
    stage.click(stage.id("Close"))
    assert stage.clicked == ["pick 1"]
    stage.face.show(ONE)
    stage.now += STEADY_SECONDS
    stage.click(stage.id("Close"))
    assert stage.clicked == ["pick 1", "never mind"]


@pytest.mark.parametrize("id", ["pick 1", "", None, 7, ["x"], "0" * 16])
def test_an_id_that_was_not_given_out_does_nothing(stage: Stage, id: Any) -> None:
    stage.click(id)
    assert stage.clicked == []


def test_a_click_within_400_ms_of_a_showing_does_nothing(stage: Stage) -> None:
    stage.face.show(ONE)
    stage.now += STEADY_SECONDS - 0.001
    sent = len(stage.model.sent)
    stage.click(stage.id("Close"))
    assert stage.clicked == []
    assert len(stage.model.sent) == sent + 1, "the page, which waits for something to come of it, gets the panel again"
    stage.now += 0.001
    stage.click(stage.id("Close"))
    assert stage.clicked == ["never mind"]


def test_an_old_id_is_dead_once_something_else_is_shown(stage: Stage) -> None:
    old = stage.id("Rewind…")
    stage.face.show(Panel(title="Else", buttons=(Button("list", "Back"),)))
    stage.now += 1
    stage.click(old)
    assert stage.clicked == []


def test_a_page_that_comes_later_or_again_gets_what_is_shown_now_and_has_to_stand_still(stage: Stage) -> None:
    shown = stage.panel
    stage.face.receive({"k": "ready"})
    assert stage.face.ready.is_set()
    assert stage.panel == shown
    stage.click(stage.id("Close"))
    assert stage.clicked == []


def test_the_page_script_is_brought_on_demand_and_nothing_after_the_end(stage: Stage) -> None:
    stage.face.receive({"k": "script"})
    assert stage.model.sent[-1]["k"] == "script"
    count = len(stage.model.sent)
    stage.face.close()
    stage.face.receive({"k": "ready"})
    stage.face.receive({"k": "script"})
    assert (len(stage.model.sent), stage.model.closed) == (count, True)


def test_the_bundle_has_plain_words_for_front_ends_without_widgets(stage: Stage) -> None:
    assert stage.face.view_bundle("1 first")["text/plain"] == "1 first"
    assert stage.model.face == "rewind"


def test_a_page_that_was_loaded_again_keeps_what_it_shows_without_buttons(stage: Stage) -> None:
    for page in ("first", "again"):
        stage.face.receive({"k": "ready", "page": page})
    id = stage.id("Close")
    stage.now += 1
    stage.face.close()
    assert not stage.model.closed
    assert stage.panel["title"] == "Checkpoints"
    assert not stage.panel["buttons"]
    assert "This is over" in stage.panel["notes"][-1]
    assert stage.panel["rows"][0]["button"] is None
    stage.click(id)
    assert stage.clicked == []
