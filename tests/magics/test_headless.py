"""Notebooks that run without a person: nbclient, nbconvert --execute, papermill. Static output, never a hang."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from claude_nb.testing import ApiError, ScriptedModel, Text, ToolUse


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel() as model:
        yield model


@pytest.fixture
def env(model: ScriptedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    made = {**model.env(tmp_path), "IPYTHONDIR": str(tmp_path / "ipython"), "JUPYTER_PLATFORM_DIRS": "1"}
    for name, value in made.items():
        monkeypatch.setenv(name, value)
    return {**os.environ, **made}


def notebook(*cells: str) -> Any:
    made = new_notebook(cells=[new_code_cell(cell) for cell in ("%load_ext claude_nb", *cells)])
    made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return made


def outputs(cell: Any) -> list[Any]:
    return [out for out in cell.outputs if out.output_type == "display_data"]


def test_nbclient_leaves_one_static_output_and_no_widget(model: ScriptedModel, env: dict[str, str]) -> None:
    model.reply(Text("It is **four**."))
    executed = NotebookClient(notebook("%%claude\nWhat is two and two?"), timeout=60).execute()
    (output,) = outputs(executed.cells[1])
    assert set(output.data) == {"text/html", "text/markdown", "text/plain"}
    assert "<strong>four</strong>" in output.data["text/html"]
    assert "widgets" not in executed.metadata


def test_background_prompts_wait_for_their_end_when_nobody_watches(model: ScriptedModel, env: dict[str, str]) -> None:
    model.reply(Text("all there"))
    executed = NotebookClient(notebook("%%claude --bg\nTake your time."), timeout=60).execute()
    assert "all there" in outputs(executed.cells[1])[0].data["text/plain"]


def test_a_failed_turn_stops_the_run_and_its_output_is_kept(model: ScriptedModel, env: dict[str, str]) -> None:
    model.reply(ApiError(400, "invalid_request_error", "out of cheese"))
    client = NotebookClient(notebook("%%claude\nCheese?", "reached = True"), timeout=60, allow_errors=True)
    executed = client.execute()
    error = next(out for out in executed.cells[1].outputs if out.output_type == "error")
    assert error.ename == "ResultError"
    assert "out of cheese" in outputs(executed.cells[1])[0].data["text/plain"]


def test_nbconvert_executes_and_converts(model: ScriptedModel, env: dict[str, str], tmp_path: Path) -> None:
    model.reply(ToolUse("Bash", {"command": "touch made.txt"}))
    model.reply(Text("It was *denied*."))
    nbformat.write(notebook("%%claude\nMake a file."), tmp_path / "run.ipynb")
    command = [sys.executable, "-m", "nbconvert", "--execute", "--to", "html", "run.ipynb"]
    subprocess.run(command, cwd=tmp_path, env=env, check=True, timeout=90, capture_output=True)
    page = (tmp_path / "run.html").read_text()
    assert "<em>denied</em>" in page
    assert "touch made.txt" in page
    assert not (tmp_path / "made.txt").exists()


def test_papermill_executes(model: ScriptedModel, env: dict[str, str], tmp_path: Path) -> None:
    model.reply(Text("from papermill"))
    nbformat.write(notebook("%%claude\nHello?"), tmp_path / "run.ipynb")
    command = [sys.executable, "-m", "papermill", "run.ipynb", "done.ipynb"]
    subprocess.run(command, cwd=tmp_path, env=env, check=True, timeout=90, capture_output=True)
    done = nbformat.read(tmp_path / "done.ipynb", as_version=4)
    assert any("from papermill" in out.data["text/plain"] for cell in done.cells for out in outputs(cell))
