"""The demo as a person sees it: JupyterLab in Chromium, Run All, and an answer to the one question asked."""

import re
import time
from contextlib import suppress
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.reader import NotJSONError
from playwright.sync_api import Page, expect, sync_playwright

from claude_nb.demo.check import find_problems
from tests.browser.lab import CHROMIUM_ARGS, chromium_path, may_be_ours, press

from .conftest import running_demo

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def read_when_saved(path: Path, before: int, seconds: float = 20) -> NotebookNode:
    """The notebook once it has been written anew; polled, as no event tells of a file of another process."""
    deadline = time.monotonic() + seconds
    while True:
        if path.stat().st_mtime_ns != before:
            with suppress(NotJSONError):  # half written
                return nbformat.read(path, as_version=4)
        assert time.monotonic() < deadline, "the notebook was not saved in time"
        time.sleep(0.05)


def deny(page: Page) -> None:
    """Refuse the tool call that the tour asks about, with the card's button or, without cards, by typing."""
    button, typed = page.get_by_role("button", name=re.compile("^Deny")).first, page.locator(".jp-Stdin-input")
    expect(button.or_(typed).first).to_be_visible(timeout=60_000)
    if typed.count():
        typed.fill("n")
        typed.press("Enter")
        return
    press(page.locator(".cnb-card").first, button)
    expect(button).to_be_hidden(timeout=20_000)


def test_every_cell_answers_in_jupyterlab_and_the_saved_notebook_holds_it(tmp_path: Path) -> None:
    with running_demo(tmp_path / "demo") as demo, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM_ARGS)
        page = browser.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)) if may_be_ours(error) else None)
        page.goto(demo.url)
        expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=60_000)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        expect(page.locator(".jp-CodeCell .jp-InputPrompt").first).to_have_text(re.compile(r"\[[\d*]+\]"))
        deny(page)
        # A number in place of the star: the last cell has run. (The kernel says "Idle" after every click, too.)
        expect(page.locator(".jp-CodeCell .jp-InputPrompt").last).to_have_text(re.compile(r"\[\d+\]"), timeout=60_000)
        saved = demo.folder / "tour" / "tour.ipynb"
        before = saved.stat().st_mtime_ns
        page.keyboard.press("Control+s")
        problems = list(find_problems(read_when_saved(saved, before)))
        browser.close()
    assert (problems, errors) == ([], [])
    assert not (demo.folder / "hello.txt").exists()
