"""`claude-nb demo --check`: every cell of the tour is answered, and a check that can fail."""

import json
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from claude_nb.cli import main
from claude_nb.demo.check import check, find_problems, prompts
from claude_nb.demo.place import tour_notebook
from claude_nb.demo.scripts import SCENES, scene_for

ROLLING = "%%claude\nWhat is a rolling mean?"


@pytest.fixture(scope="module")
def tour() -> NotebookNode:
    return nbformat.read(tour_notebook(), as_version=4)


def answered(source: str, *texts: str) -> NotebookNode:
    outputs = [new_output("display_data", {"text/markdown": text, "text/plain": "plain"}) for text in texts]
    return new_code_cell(source, outputs=outputs)


def problems(*cells: NotebookNode, scripted: bool = True) -> list[str]:
    return list(find_problems(new_notebook(cells=list(cells)), scripted=scripted))


def test_a_right_answer_is_no_problem() -> None:
    right = "\n".join(scene_for(ROLLING).expect)
    assert problems(new_markdown_cell("hello"), answered(ROLLING, "intro", right)) == []


def test_an_answer_to_something_else_is_a_problem() -> None:
    assert problems(answered(ROLLING, "rolling(window=3) and \\sum")) == ["cell 1 does not show 'weekly rhythm'"]


def test_no_answer_is_a_problem_for_the_real_service_too() -> None:
    assert problems(answered(ROLLING), scripted=False) == ["cell 1 has no answer"]
    assert problems(answered(ROLLING, " "), scripted=False) == ["cell 1 has no answer"]
    assert problems(answered(ROLLING, "anything"), scripted=False) == []


def test_an_error_in_any_cell_is_a_problem() -> None:
    failed = new_code_cell(
        "1 / 0", outputs=[new_output("error", ename="ZeroDivisionError", evalue="by zero", traceback=[])]
    )
    assert problems(failed) == ["cell 1 failed: ZeroDivisionError: by zero"]


def test_the_tour_has_a_cell_for_every_scene_and_is_saved_without_outputs(tour: NotebookNode) -> None:
    assert {scene_for(prompt).prompt for _, prompt, _ in prompts(tour)} == {scene.prompt for scene in SCENES}
    assert [cell.id for cell in tour.cells if cell.cell_type == "code" and (cell.outputs or cell.execution_count)] == []
    assert "scripted model" in tour.cells[0].source


def test_every_cell_of_the_tour_is_answered_and_both_files_tell(tmp_path: Path) -> None:
    checked = check(tmp_path / "out")
    assert checked.problems == ()
    assert checked.prompts == len(SCENES)
    notebook = nbformat.read(checked.notebook, as_version=4)
    page = checked.page.read_text(encoding="utf-8")
    shown = json.dumps(notebook, ensure_ascii=False)
    for text in ("A scripted model on this machine answers", "Your function ran", "report.py"):
        assert text in shown
        assert text in page
    # Static output only: a saved notebook must not need a widget, and a page no script of ours.
    assert "application/vnd.jupyter.widget-view+json" not in shown


def test_a_tour_that_fails_exits_1_and_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("print('fine')"), new_code_cell("1 / 0")]), broken)
    monkeypatch.setattr("claude_nb.demo.place.tour_notebook", lambda: broken)
    assert main(["demo", "--check", "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr()
    assert "cell 2 failed: ZeroDivisionError" in said.err
    assert "fine" in (tmp_path / "out" / "tour.html").read_text(encoding="utf-8")
