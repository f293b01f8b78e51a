"""JupyterLab in a real Chromium, for tests: a server, notebooks, and pages that know when something has happened.

Every wait is for an event (a selector, the kernel's status, a file of the server) and bounded. The front end's own
`window.jupyterapp` (switched on by `--expose-app-in-browser`) runs commands and tells the state of the kernel.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import BrowserContext, Error, Locator, Page, WebSocketRoute

REPO = Path(__file__).resolve().parents[2]
START_SECONDS = 120
# Generous: a machine that does other things too may take long for what is done at once on a quiet one.
WAIT_MS = 60_000
LIGHT, DARK = "JupyterLab Light", "JupyterLab Dark"
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
]


def chromium_path() -> str:
    """The system's Chromium; a clear message if there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    raise RuntimeError("no Chromium found: `apt-get install chromium` (or put one on PATH)")


class LabServer:
    """`jupyter lab` on a free port, with settings of its own under `home`. Notebooks live in `home/work`."""

    def __init__(self, home: Path, env: dict[str, str] | None = None):
        self.root = home / "work"
        self._runtime = home / "runtime"
        for folder in (self.root, self._runtime):
            folder.mkdir(parents=True)
        self._log = (home / "lab.log").open("w")
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", "--ip=127.0.0.1"),
                *("--ServerApp.port=0", f"--ServerApp.root_dir={self.root}", "--IdentityProvider.token="),
                *("--ServerApp.password=", "--ServerApp.disable_check_xsrf=True", "--LabApp.news_url="),
                *("--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", "--expose-app-in-browser"),
            ],
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
            cwd=self.root,
            env={
                **os.environ,
                "JUPYTER_RUNTIME_DIR": str(self._runtime),
                "JUPYTER_CONFIG_DIR": str(home / "config"),
                "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
                "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
                "IPYTHONDIR": str(home / "ipython"),
                "PYTHONPATH": str(REPO),
                **(env or {}),
            },
        )
        self.url = self._wait_for_url()

    def _wait_for_url(self) -> str:
        # With port 0 only the server knows its port: it writes it to a file once it listens.
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            for info in self._runtime.glob("jpserver-*.json"):
                try:
                    data = json.loads(info.read_text())
                    url = f"http://127.0.0.1:{data['port']}/"
                    urllib.request.urlopen(url + "api/status", timeout=5).read()
                except (OSError, ValueError):
                    continue  # half written, or not listening yet
                return url
            time.sleep(0.05)
        raise RuntimeError(f"JupyterLab did not start; its log is {self._log.name}")

    def notebook(self, name: str, *sources: str) -> Path:
        """Write a notebook with these code cells."""
        cells = [nbformat.v4.new_code_cell(source, id=f"cell-{i}") for i, source in enumerate(sources)]
        metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        path = self.root / f"{name}.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), path)
        return path

    def kernels(self) -> list[dict[str, Any]]:
        """The running kernels."""
        with urllib.request.urlopen(self.url + "api/kernels", timeout=10) as answer:
            return json.load(answer)

    def end_kernels(self) -> None:
        """Shut all kernels down."""
        for kernel in self.kernels():
            request = urllib.request.Request(f"{self.url}api/kernels/{kernel['id']}", method="DELETE")
            urllib.request.urlopen(request, timeout=20).read()

    def close(self) -> None:
        """End the server and its kernels."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)
        self._log.close()


# anywidget says so two seconds after a model came that was closed before it was there: that of a very short turn.
CLOSED_EARLY = "[anywidget] Failed to initialize model."


def may_be_ours(error: Error) -> bool:
    """Whether a page error can come from the page script (a `blob:` module): others have some of their own.

    Seen from JupyterLab 4.6 on a loaded machine: removeChild on an output that was just replaced.
    """
    frames = [line for line in (error.stack or "").splitlines() if "://" in line]
    return str(error) != CLOSED_EARLY and (not frames or any("/static/lab/" not in line for line in frames))


class Notebook:
    """One open notebook in a browser page. Messages from the kernel for which `lose` is true never reach it."""

    def __init__(
        self,
        server: LabServer,
        context: BrowserContext,
        path: Path,
        lose: Callable[[str | bytes], bool] | None = None,
    ):
        self.server, self.path = server, path
        self.errors: list[str] = []
        """What the page's scripts raised."""
        self.frames: list[str | bytes] = []
        """What came over the page's websockets."""
        self.page: Page = context.new_page()
        self.page.set_default_timeout(WAIT_MS)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)) if may_be_ours(error) else None)
        self.page.on("websocket", lambda socket: socket.on("framereceived", self._note))
        if lose is not None:
            self.page.route_web_socket(re.compile("/channels"), lambda socket: _leaky(socket, lose))
        self.open()

    def _note(self, frame: str | bytes) -> None:
        self.frames.append(frame)

    @property
    def received(self) -> int:
        """Bytes that came over the page's websockets."""
        return sum(len(frame) for frame in self.frames)

    def open(self, *, kernel: bool = True) -> None:
        """Load the page (again) and wait until the notebook is there and, with `kernel`, its kernel answers."""
        self.page.goto(f"{self.server.url}lab/tree/{self.path.name}?reset")
        self.page.wait_for_selector(".jp-Notebook .jp-Cell")
        if kernel:
            self.page.wait_for_function(
                "() => window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
                " || window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'busy'"
            )

    def command(self, name: str, args: dict[str, Any] | None = None) -> None:
        """Run a command of JupyterLab and wait for its end."""
        self.page.evaluate("([name, args]) => window.jupyterapp.commands.execute(name, args)", [name, args or {}])

    def theme(self, name: str) -> None:
        """Switch to LIGHT or DARK."""
        self.command("apputils:change-theme", {"theme": name})
        light = "true" if name == LIGHT else "false"
        self.page.wait_for_selector(f'body[data-jp-theme-light="{light}"]', state="attached")

    def cell(self, index: int) -> Locator:
        """The cell's element."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def output(self, index: int) -> Locator:
        """The cell's output area."""
        return self.cell(index).locator(".jp-OutputArea")

    def start(self, index: int) -> None:
        """Run a cell without waiting for its end."""
        self.page.evaluate(
            """(index) => {
                const panel = window.jupyterapp.shell.currentWidget;
                panel.content.activeCellIndex = index;
                panel.content.mode = "command";
                void window.jupyterapp.commands.execute("notebook:run-cell");
            }""",
            index,
        )

    def wait_prompt(self, index: int, text: str) -> None:
        """Wait until the cell's prompt is `[text]:` (`*` while it runs)."""
        self.page.wait_for_function(
            "([index, text]) => document.querySelectorAll('.jp-Notebook .jp-Cell')[index]"
            "?.querySelector('.jp-InputPrompt')?.innerText === text",
            arg=[index, f"[{text}]:"],
        )

    def run(self, index: int, count: int) -> None:
        """Run a cell to its end; `count` is the execution count that it gets."""
        self.start(index)
        self.wait_prompt(index, str(count))

    def save(self) -> nbformat.NotebookNode:
        """Save, and read what is on the disk."""
        self.command("docmanager:save")
        return nbformat.read(self.path, as_version=4)

    def close(self) -> None:
        """Close the page."""
        self.page.close()


def steady(root: Locator) -> None:
    """Wait until clicks on the card or panel `root` count: not right after it appeared or moved."""
    root.page.wait_for_function("(el) => el.querySelector('[data-steady]') !== null", arg=root.element_handle())


def press(root: Locator, button: Locator, act: Callable[[Locator], None] = Locator.click) -> None:
    """Press a button of the card or panel `root` so that it counts."""
    element = root.element_handle()
    for _ in range(20):
        with contextlib.suppress(Error):  # it was drawn anew meanwhile, and is looked for again
            button.scroll_into_view_if_needed()
        steady(root)
        act(button)
        # What is said there has changed when the press returns: the page's own code answers it.
        if "once more" not in element.evaluate("(el) => el.querySelector('.cnb-says')?.textContent ?? ''"):
            return
    raise AssertionError(f"pressing {button} came to nothing")


def _leaky(socket: WebSocketRoute, lose: Callable[[str | bytes], bool]) -> None:
    """Connect the page to its server, less the messages that `lose` says get lost on their way to the page."""
    server = socket.connect_to_server()
    socket.on_message(lambda message: server.send(message))
    server.on_message(lambda message: None if lose(message) else socket.send(message))


class Gate:
    """Something that code in a kernel waits for and a test opens: `await stage.passed(gate.port)` there."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._waiting: socket.socket | None = None
        self.reached = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        try:
            self._waiting, _ = self._server.accept()
        except OSError:
            return  # closed before anybody came
        self.reached.set()

    def open(self) -> None:
        """Let the waiting code go on; waits for it to come first."""
        if not self.reached.wait(WAIT_MS / 1000):
            raise TimeoutError("nobody came to the gate")
        self.close()

    def close(self) -> None:
        """The end of the gate: whoever waits there goes on."""
        if self._waiting is not None:
            self._waiting.close()
        self._server.close()


@contextlib.contextmanager
def gate() -> Iterator[Gate]:
    """A gate that is closed for good at the end."""
    it = Gate()
    try:
        yield it
    finally:
        it.close()
