"""One JupyterLab and one Chromium for all tests of this folder; a page for each.

Their scope ends with the folder: while Playwright runs, no other test can run an event loop in this thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect, sync_playwright

from tests.browser.lab import CHROMIUM_ARGS, WAIT_MS, LabServer, Notebook, chromium_path


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    it = LabServer(tmp_path_factory.mktemp("lab"))
    yield it
    it.close()


@pytest.fixture(scope="package")
def browser_context() -> Iterator[BrowserContext]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM_ARGS)
        context = browser.new_context(viewport={"width": 1200, "height": 900})
        expect.set_options(timeout=WAIT_MS)
        yield context
        context.close()
        browser.close()


@pytest.fixture
def open_notebook(
    server: LabServer, browser_context: BrowserContext, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Notebook]]:
    """`open_notebook("source of a cell", ...)`; every notebook has a kernel and a page of its own."""
    opened: list[Notebook] = []

    def make(*sources: str, lose: Callable[[str | bytes], bool] | None = None) -> Notebook:
        path: Path = server.notebook(f"{request.node.name}-{len(opened)}", *sources)
        opened.append(Notebook(server, browser_context, path, lose))
        return opened[-1]

    yield make
    for notebook in opened:
        notebook.close()
    server.end_kernels()
