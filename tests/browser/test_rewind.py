"""Going back with real clicks: the real CLI, a scripted model, JupyterLab in Chromium."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from claude_nb.testing import ScriptedModel, Text, ToolUse
from tests.browser import lab
from tests.browser.lab import DARK, LIGHT, Notebook

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

Open = Callable[..., Notebook]


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel() as model:
        yield model


@pytest.fixture
def story(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder / "story.txt"


@pytest.fixture
def asked(open_notebook: Open, model: ScriptedModel, story: Path, tmp_path: Path) -> Callable[..., Notebook]:
    """A notebook in which two prompts have been answered, and the story was written and changed."""

    def make(*cells: str) -> Notebook:
        setup = (
            f"import os\nos.environ.update({model.env(tmp_path)!r})\nos.chdir({str(story.parent)!r})\n"
            "%load_ext claude_nb\n%config ClaudeMagics.permission_policy = lambda *asked: True"
        )
        edit = {"file_path": str(story), "old_string": "one\n", "new_string": "one\ntwo\n"}
        model.reply(ToolUse("Write", {"file_path": str(story), "content": "one\n"}))
        model.reply(Text("Begun."))
        model.reply(
            ToolUse("Edit", edit), ToolUse("Write", {"file_path": str(story.with_name("b.txt")), "content": "b"})
        )
        model.reply(Text("Went on."))
        notebook = open_notebook(setup, "%%claude\nBegin a story.", "%%claude\nGo on with it.", *cells)
        for index in range(3):
            notebook.run(index, index + 1)
        return notebook

    return make


def press(panel: Locator, name: str, act: Callable[[Locator], None] = Locator.click) -> None:
    """Press a button of the panel, and wait for what comes in its place."""
    element, title = panel.element_handle(), panel.locator(".cnb-rewind-title").inner_text()
    lab.press(panel, panel.get_by_role("button", name=name), act)
    panel.page.wait_for_function(
        "([el, title]) => !el.isConnected || el.querySelector('.cnb-rewind-title').innerText !== title",
        arg=[element, title],
    )


def test_checkpoints_are_listed_chosen_confirmed_gone_back_to_and_undone_between_cells(
    asked: Callable[..., Notebook], story: Path, tmp_path: Path
) -> None:
    notebook = asked("%claude checkpoints")
    notebook.run(3, 4)
    panel = notebook.output(3).locator(".cnb-rewind")
    expect(panel.locator(".cnb-rewind-text")).to_have_text(["1  “Begin a story.”", "2  “Go on with it.”", "(current)"])
    expect(panel.locator(".cnb-rewind-facts").nth(1)).to_contain_text("b.txt")
    story.write_text("one\ntwo\nmine\n")
    for theme in (LIGHT, DARK):
        notebook.theme(theme)
        notebook.output(3).screenshot(path=tmp_path / f"list-{theme}.png")
    press(panel, "Rewind…: to before prompt 2")
    expect(panel).to_contain_text("changed since the agent wrote it")
    expect(panel).to_contain_text("the variables of this notebook's kernel")
    for theme in (LIGHT, DARK):
        notebook.theme(theme)
        notebook.output(3).screenshot(path=tmp_path / f"confirm-{theme}.png")
    press(panel, "Restore files and conversation")
    assert story.read_text() == "one\n"
    expect(panel.get_by_role("textbox")).to_have_value("%%claude\nGo on with it.")
    notebook.output(3).screenshot(path=tmp_path / "done.png")
    press(panel, "Undo this rewind")
    press(panel, "Undo the rewind")
    expect(panel.locator(".cnb-rewind-title")).to_have_text("The rewind was undone")
    assert story.read_text() == "one\ntwo\nmine\n"
    press(panel, "Close")
    expect(notebook.output(3).locator(".cnb-rewind")).to_have_count(0)
    expect(notebook.output(3)).to_contain_text("has that prompt again")
    assert notebook.errors == []


def test_a_panel_that_a_cell_waits_for_floats_on_a_page_that_was_loaded_again(
    asked: Callable[..., Notebook], story: Path, tmp_path: Path
) -> None:
    notebook = asked("%claude rewind 2")
    notebook.start(3)
    expect(notebook.output(3).locator(".cnb-rewind")).to_be_visible()
    notebook.open()
    floating = notebook.page.locator(".cnb-floating")
    panel = floating.locator(".cnb-rewind")
    expect(panel.get_by_role("blockquote")).to_have_text("Go on with it.")
    notebook.page.screenshot(path=tmp_path / "floating.png")
    press(panel, "Restore files and conversation")
    assert story.read_text() == "one\n"
    expect(panel.get_by_role("textbox")).to_have_value("%%claude\nGo on with it.")
    floating.get_by_role("button", name="Close").click()
    expect(floating).to_have_count(0)
    assert notebook.errors == []


def test_a_waiting_cell_goes_back_and_puts_the_prompt_into_the_next_cell(
    asked: Callable[..., Notebook], model: ScriptedModel, story: Path
) -> None:
    notebook = asked("%claude rewind 2")
    notebook.start(3)
    panel = notebook.output(3).locator(".cnb-rewind")
    expect(panel.get_by_role("blockquote")).to_have_text("Go on with it.")
    panel.get_by_role("button", name="Restore conversation").evaluate("(button) => button.click()")
    expect(notebook.cell(3).locator(".jp-InputPrompt")).to_have_text("[*]:")
    press(panel, "Restore conversation")
    notebook.wait_prompt(3, "4")
    assert story.read_text() == "one\ntwo\n"
    expect(notebook.cell(4).locator(".cm-content")).to_contain_text("Go on with it.")
    model.reply(Text("Another way."))
    notebook.run(4, 5)
    sent = str(model.requests[-1]["messages"])
    assert sent.count("Go on with it.") == 1
    saved = notebook.save()
    assert set(saved.cells[3].outputs[0].data) == {"text/plain", "text/html"}


def test_the_keyboard_walks_through_the_panel(asked: Callable[..., Notebook], story: Path) -> None:
    notebook = asked("%claude checkpoints")
    notebook.run(3, 4)
    panel = notebook.output(3).locator(".cnb-rewind")
    panel.get_by_role("button", name="Rewind…: to before prompt 1").focus()
    press(panel, "Rewind…: to before prompt 1", lambda button: button.press("Enter"))
    expect(panel.locator(".cnb-rewind-title")).to_contain_text("Go back")
    expect(panel.get_by_role("button", name="Restore files and conversation")).to_be_focused()
    notebook.page.keyboard.press("Tab")
    expect(panel.get_by_role("button", name="Restore conversation")).to_be_focused()
