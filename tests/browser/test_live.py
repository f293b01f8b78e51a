"""The live output in JupyterLab, in a real Chromium."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.lab import DARK, LIGHT, Notebook, gate

pytestmark = pytest.mark.browser

Open = Callable[..., Notebook]


def cell(script: str) -> str:
    """Source of a cell that plays a script of tests/browser/scripts.py."""
    return f"from tests.browser import scripts, stage\nface = stage.play(scripts.{script})"


def test_text_is_in_the_page_while_the_cell_still_runs(open_notebook: Open) -> None:
    with gate() as first:
        notebook = open_notebook(cell(f"two_parts({first.port})"))
        notebook.start(0)
        live = notebook.output(0).locator(".cnb-live")
        expect(live.locator("h2")).to_have_text("Part one")
        expect(live.locator(".cnb-activity")).to_contain_text("Writing")
        assert notebook.cell(0).locator(".jp-InputPrompt").inner_text() == "[*]:"
        first.open()
        notebook.wait_prompt(0, "1")
    expect(live).to_have_count(0)
    expect(notebook.output(0)).to_contain_text("Part two")
    assert notebook.errors == []
