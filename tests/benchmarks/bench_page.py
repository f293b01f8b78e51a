"""What a streaming answer costs between kernel and page, beside the two ways one would do it without a widget.

    python -m tests.benchmarks.bench_page          8 s of text in 800 deltas (4 kB)
    python -m tests.benchmarks.bench_page --full   40 s, 4,000 deltas, 20 kB: the figures of the README

JupyterLab in Chromium, a page per method. Bytes are those of the page's websocket from the start of the cell until the
end of the text is shown, final bundle included, after a first cell that brought the page script. Renderer CPU is that
of the page's own process, as Chromium reports it.
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, CDPSession, sync_playwright

from claude_nb.engine.locate import find_cli
from claude_nb.testing import Gate, ScriptedModel, Text
from tests.benchmarks.figure import Figure, beside, table
from tests.benchmarks.page_cells import END
from tests.browser.lab import CHROMIUM_ARGS, LabServer, Notebook, chromium_path

SHORT, FULL = 8.0, 40.0
# Budgets of the design for 40 s; shorter runs get their share of them.
BYTES, RENDERER = 600_000, 6.0
LATENCY_MS = 100.0
OURS = "live face"
METHODS = {
    OURS: "page_cells.face({seconds})",
    "display update at 10 Hz": "page_cells.updates({seconds}, 0.1)",
    "display update per delta": "page_cells.updates({seconds}, 0)",
}
PREPARE = "from tests.benchmarks import page_cells\npage_cells.stamps({count}, 0.35)"
STAMPS = 15
ASK = "import os\nos.environ.update({env!r})\nos.chdir({folder!r})\n%load_ext claude_nb"
# Writes down when each stamp, the time at which it was written or a number, was painted.
WATCH = """() => {
    window.latencies = [];
    window.painted = {};
    const seen = new Set();
    new MutationObserver(() => {
        const text = document.querySelector(".cnb-live")?.textContent ?? "";
        for (const [, stamp] of text.matchAll(/@(\\d+)@/g)) {
            if (seen.has(stamp)) continue;
            seen.add(stamp);
            requestAnimationFrame(() => {
                window.painted[stamp] = Date.now();
                window.latencies.push(Date.now() - Number(stamp));
            });
        }
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


@dataclass(frozen=True)
class Figures:
    """What one method cost: bytes, and seconds of CPU in kernel and page."""

    received: int
    kernel: float
    renderer: float


@dataclass(frozen=True)
class Report:
    """All figures of a run of `seconds`. Medians in milliseconds: `latency` from a delta in the kernel to its paint,
    `through` from the model's delta to its paint, `bare` from the model's delta to the stdout of a CLI alone.
    """

    seconds: float
    methods: dict[str, Figures]
    latency: float
    through: float
    bare: float

    def figures(self) -> list[Figure]:
        """Beside each of the other ways."""
        share, what = self.seconds / FULL, f"{self.seconds / 2:.0f} kB of text in {self.seconds:.0f} s"
        kilobytes, seconds = BYTES / 1000 * share, RENDERER * share
        ours, found = self.methods[OURS], []
        for name, its in self.methods.items():
            if name != OURS:
                found += [
                    beside(f"{what}: websocket", ours.received / 1000, name, its.received / 1000, "kB", most=kilobytes),
                    beside(f"{what}: CPU of the page", ours.renderer, name, its.renderer, "s", most=seconds),
                    beside(f"{what}: CPU of the kernel", ours.kernel, name, its.kernel, "s"),
                ]
        return [
            *found,
            Figure("a delta of the kernel until it is painted", self.latency, "ms", most=LATENCY_MS),
            beside(
                "a delta of the model until it is painted, real CLI",
                self.through,
                "until the CLI alone prints it",
                self.bare,
                "ms",
                most=LATENCY_MS + self.bare,
            ),
        ]

    def table(self) -> str:
        """As a Markdown table."""
        return table(self.figures())


def measure(seconds: float) -> Report:
    """Run all methods, one after the other."""
    with _chromium() as (context, cdp), tempfile.TemporaryDirectory() as home, ScriptedModel() as model:
        server = LabServer(Path(home) / "lab")
        try:
            latency, methods = 0.0, {}
            for number, (name, call) in enumerate(METHODS.items()):
                source = call.format(seconds=seconds)
                path = server.notebook(f"bench-{number}", PREPARE.format(count=STAMPS if not number else 1), source)
                notebook = Notebook(server, context, path)
                if not number:
                    latency = _latency(notebook)
                else:
                    notebook.run(0, 1)
                methods[name] = _figures(notebook, cdp, seconds)
                notebook.close()
                server.end_kernels()
            through = _through_cli(server, context, model, Path(home))
            bare = _bare_cli(model, Path(home))
        finally:
            server.close()
    return Report(seconds, methods, latency, through, bare)


def _latency(notebook: Notebook) -> float:
    notebook.page.evaluate(WATCH)
    notebook.run(0, 1)
    latencies: list[float] = notebook.page.evaluate("() => window.latencies")
    assert len(latencies) == STAMPS
    return statistics.median(latencies)


def _through_cli(server: LabServer, context: BrowserContext, model: ScriptedModel, home: Path) -> float:
    """The median from the model's delta to its paint in a `%%claude` cell."""
    setup = ASK.format(env=model.env(home), folder=str(home))
    notebook = Notebook(server, context, server.notebook("bench-cli", setup, "%%claude\nCount."))
    notebook.run(0, 1)
    notebook.page.evaluate(WATCH)
    gates = _count(model)
    notebook.start(1)

    def painted(number: int) -> float:
        # Polled at each frame: it cannot be painted between two.
        notebook.page.wait_for_function("(n) => n in window.painted", arg=str(number))
        return float(notebook.page.evaluate("(n) => window.painted[n]", str(number)))

    waited = _each(gates, painted)
    notebook.close()
    server.end_kernels()
    return waited


def _bare_cli(model: ScriptedModel, home: Path) -> float:
    """The median from the model's delta to the line in which the CLI passes it on."""
    flags = [
        "--output-format",
        "stream-json",
        "--input-format",
        "stream-json",
        "--verbose",
        "--include-partial-messages",
    ]
    gates = _count(model)
    pipe = subprocess.PIPE
    with subprocess.Popen([find_cli(None), *flags], env=model.env(home), cwd=home, stdin=pipe, stdout=pipe) as cli:
        assert cli.stdin is not None
        assert cli.stdout is not None
        frame = {"type": "user", "message": {"role": "user", "content": "Count."}, "session_id": ""}
        cli.stdin.write(json.dumps(frame).encode() + b"\n")
        cli.stdin.flush()
        lines = cli.stdout

        def printed(number: int) -> float:
            next(line for line in lines if f"@{number}@".encode() in line)
            return time.time() * 1000

        waited = _each(gates, printed)
        cli.stdin.close()
        lines.read()
    return waited


def _count(model: ScriptedModel) -> list[Gate]:
    """Have the model say one number behind each of these gates but the last, which its turn ends behind.

    The end of a turn replaces the live view: without that gate the last number might never be painted in it.
    """
    gates = [model.gate() for _ in range(STAMPS + 1)]
    model.reply(*(part for n, gate in enumerate(gates[:-1]) for part in (gate, Text(f"@{n}@ ", chunk=100))), gates[-1])
    return gates


def _each(gates: list[Gate], seen: Callable[[int], float]) -> float:
    waited = []
    for number, gate in enumerate(gates[:-1]):
        assert gate.reached.wait(60)
        opened = time.time() * 1000
        gate.open()
        waited.append(seen(number) - opened)
    gates[-1].open()
    return statistics.median(waited)


def _figures(notebook: Notebook, cdp: CDPSession, seconds: float) -> Figures:
    received, renderer = notebook.received, _renderer_seconds(cdp)
    notebook.start(1)
    # A page that is updated for each delta falls far behind the kernel.
    notebook.page.wait_for_function(
        "([end]) => { const text = document.querySelectorAll('.jp-Notebook .jp-Cell')[1]?.innerText ?? '';"
        " return text.includes(end) && text.includes('kernel cpu') }",
        arg=[END],
        timeout=(60 + 25 * seconds) * 1000,
        polling=500,
    )
    said = re.search(r"kernel cpu ([\d.]+) s", notebook.output(1).inner_text())
    assert said is not None
    return Figures(notebook.received - received, float(said[1]), _renderer_seconds(cdp) - renderer)


def _renderer_seconds(cdp: CDPSession) -> float:
    """CPU of all pages so far; there is one at a time."""
    processes: list[dict[str, Any]] = cdp.send("SystemInfo.getProcessInfo")["processInfo"]
    return sum(it["cpuTime"] for it in processes if it["type"] == "renderer")


@contextmanager
def _chromium() -> Iterator[tuple[BrowserContext, CDPSession]]:
    with sync_playwright() as playwright:
        browser: Browser = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM_ARGS)
        try:
            yield browser.new_context(viewport={"width": 1200, "height": 900}), browser.new_browser_cdp_session()
        finally:
            browser.close()


if __name__ == "__main__":
    print(measure(FULL if "--full" in sys.argv else SHORT).table())
