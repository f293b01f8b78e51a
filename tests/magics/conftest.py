"""A notebook with the extension loaded, the real CLI behind it, and a scripted model behind that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from claude_nb.testing import ScriptedModel
from tests.kernel.frontend import Cell, Frontend

VIEW = "application/vnd.jupyter.widget-view+json"


class Page:
    """A front end that shows widgets: it says `ready` when one is displayed, as the page script does."""

    def __init__(self, front: Frontend, model: ScriptedModel, folder: Path):
        self.front, self.model, self.folder = front, model, folder

    def ask(self, prompt: str, options: str = "", **how: Any) -> Cell:
        """Run a `%%claude` cell; returns at once."""
        return self.front.execute(f"%%claude {options}\n{prompt}", **how)

    def answer(self, prompt: str, options: str = "", **how: Any) -> str:
        """Run a `%%claude` cell to a good end; the Markdown it leaves."""
        return markdown(self.done(self.ask(prompt, options, **how)))

    def done(self, cell: Cell) -> Cell:
        reply = cell.reply()
        assert reply["status"] == "ok", f"{reply.get('ename')}: {reply.get('evalue')}\n{self.front.log()}"
        return cell

    def widget(self, cell: Cell) -> str:
        """The comm of the widget that the cell shows, once it is there."""
        shown = self.front.wait(lambda: [b for b in cell.bundles() if VIEW in b], what="a widget in the cell")
        return str(shown[0][VIEW]["model_id"])

    def left(self, cell: Cell) -> Cell:
        """Wait for what a turn leaves in its cell; where no page draws the widget, other updates come before it."""
        comm, published = self.widget(cell), self.front.published
        self.front.wait(
            lambda: any(m["content"]["comm_id"] == comm for m in published("comm_close")), what="the end of the turn"
        )
        return cell

    def watch(self, cell: Cell) -> Watched:
        """Be a page that draws the cell's widget."""
        comm = self.widget(cell)
        self.front.comm_msg(comm, {"k": "ready"})
        return Watched(self, comm)

    def run(self, code: str, **how: Any) -> str:
        """Run ordinary code to a good end; what it printed."""
        return self.front.run(code, **how).text


class Watched:
    """What a widget was sent."""

    def __init__(self, page: Page, comm: str):
        self.page, self.comm = page, comm

    def messages(self) -> list[dict[str, Any]]:
        sent = (m["content"] for m in self.page.front.published("comm_msg"))
        return [c["data"]["content"] for c in sent if c["comm_id"] == self.comm and c["data"]["method"] == "custom"]

    def wait_for(self, part: str) -> None:
        """Wait until some message to the page holds these words."""
        self.page.front.wait(lambda: any(part in repr(m) for m in self.messages()), what=f"{part!r} at the widget")

    def cards(self) -> list[tuple[str, dict[str, Any]]]:
        """Key and data of every card that came, in order; one that came again counts again."""
        return [(op[1], op[2]) for m in self.messages() for op in m.get("ops", []) if op[0] == "card"]

    def replaced(self) -> set[str]:
        """Keys of the blocks whose HTML came."""
        return {op[1] for m in self.messages() for op in m.get("ops", []) if op[0] == "set"}

    def status(self) -> str:
        """The running line as it is now."""
        return [op[1] for m in self.messages() for op in m.get("ops", []) if op[0] == "status"][-1]

    def send(self, content: dict[str, Any]) -> None:
        self.page.front.comm_msg(self.comm, content)


def final(cell: Cell) -> dict[str, Any]:
    """The bundle that stays in the cell: the last update of what was displayed, or the display itself."""
    updates = cell.messages("update_display_data") or cell.messages("display_data")
    return updates[-1]["content"]["data"]  # type: ignore[no-any-return]


def markdown(cell: Cell) -> str:
    return str(final(cell)["text/markdown"])


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel() as model:
        yield model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def loaded(model: ScriptedModel, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """One kernel for the tests of a module."""
    with Frontend(env=model.env(tmp_path_factory.mktemp("home")), cwd=folder) as front:
        front.run("%load_ext claude_nb")
        yield Page(front, model, folder)


@pytest.fixture
def page(loaded: Page) -> Page:
    """The module's notebook with a fresh conversation."""
    loaded.run("%reload_ext claude_nb\n%config ClaudeMagics.permission_policy = 'deny'")
    return loaded
