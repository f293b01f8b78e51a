"""The tour's script, played by the real CLI."""

import base64
import struct
from pathlib import Path

import pytest

from claude_nb.demo.request import Request
from claude_nb.demo.scripts import NOT_IN_SCRIPT, chart, growth, png_size, report, revenue, scene_for, tour
from claude_nb.testing import ScriptedModel, Text, ToolUse

from .conftest import Ask

SALES = """region,month,revenue
North,Jan,1200
South,Jan,950
East,Jan,780
North,Feb,1250
East,Feb,1080
"""
REPORT_PROMPT = "Write report.py, which prints the total revenue by region, and run it."


@pytest.fixture(autouse=True)
def script(model: ScriptedModel) -> None:
    model.script = tour(pace=0)


def test_the_report_is_read_written_run_edited_and_run_again(ask: Ask, folder: Path) -> None:
    (folder / "sales.csv").write_text(SALES)
    run = ask(REPORT_PROMPT, "--allowedTools", "Read,Write,Edit,Bash")
    assert [block["name"] for block in run.blocks("tool_use")] == ["Read", "Write", "Bash", "Edit", "Bash"]
    assert run.result["result"].endswith("North   2,450 EUR\nEast    1,860 EUR\nSouth     950 EUR\n```")
    assert "sorted(" in (folder / "report.py").read_text()


def test_the_report_cell_runs_again_in_a_new_session_over_the_old_file(ask: Ask, folder: Path) -> None:
    (folder / "sales.csv").write_text(SALES)
    (folder / "report.py").write_text("print('left over')\n")
    run = ask(REPORT_PROMPT, "--allowedTools", "Read,Write,Edit,Bash")
    assert "North   2,450 EUR" in run.result["result"]
    assert "sorted(" in (folder / "report.py").read_text()


def test_a_write_that_must_be_preceded_by_a_read_is_tried_again_after_one() -> None:
    messages = [{"role": "user", "content": REPORT_PROMPT}]

    def step(*, error: str | None = None) -> ToolUse:
        call = report(Request(messages=messages))[-1]
        assert isinstance(call, ToolUse)
        made = {"type": "tool_use", "id": str(len(messages)), "name": call.name, "input": call.input}
        result = {"type": "tool_result", "tool_use_id": made["id"], "content": error or "ok", "is_error": bool(error)}
        messages.extend([{"role": "assistant", "content": [made]}, {"role": "user", "content": [result]}])
        return call

    assert step().name == "Read"
    write = step(error="File has not been read yet. Read it first before writing to it.")
    assert write.name == "Write"
    again = step()
    assert (again.name, again.input["file_path"]) == ("Read", write.input["file_path"])
    assert step() == write
    assert step().name == "Bash"


def test_a_refused_tool_ends_the_report_with_the_reason(ask: Ask, folder: Path) -> None:
    (folder / "sales.csv").write_text(SALES)
    result = ask(REPORT_PROMPT, "--permission-mode", "default").result
    assert result["result"].startswith("I stop here: `Write` did not work out.")
    assert not (folder / "report.py").exists()


def test_a_file_outside_the_folder_is_reported_as_refused_or_as_written(ask: Ask, folder: Path) -> None:
    prompt = "Write a note outside this folder."
    assert "nothing was written" in ask(prompt, "--permission-mode", "default").result["result"]
    assert not (folder.parent / "hello.txt").exists()
    allowed = ask(prompt, "--permission-mode", "acceptEdits", "--add-dir", str(folder.parent))
    assert "It was allowed" in allowed.result["result"]
    assert (folder.parent / "hello.txt").read_text() == "Hello from the notebook.\n"


def test_any_other_prompt_gets_an_honest_answer(ask: Ask) -> None:
    said = ask("Who won the world cup?").result["result"]
    assert said == NOT_IN_SCRIPT.strip() or said == NOT_IN_SCRIPT
    assert "claude-nb demo --real" in said


@pytest.mark.parametrize(
    ("prompt", "shown"),
    [
        ("What is a rolling mean?", ["$$", "```python", "| window |"]),
        ("And an exponential one, when would I prefer it?", ["\\alpha", "1. "]),
    ],
)
def test_the_explaining_scenes_show_what_the_tour_promises(ask: Ask, prompt: str, shown: list[str]) -> None:
    run = ask(prompt)
    assert run.blocks("thinking")
    assert [text for text in shown if text not in run.result["result"]] == []
    assert [text for text in scene_for(prompt).expect if text not in run.result["result"]] == []


def asked(*content: dict, system: str = "") -> Request:
    return Request(system=system, messages=[{"role": "user", "content": list(content)}])


def test_the_growth_scene_does_not_pretend_about_a_table_it_does_not_know() -> None:
    known, other = ({"type": "text", "text": text} for text in ("East 780 900 1080", "East 1 2 3"))
    assert "+38%" in str(growth(asked(known)))
    assert "not the table" in str(growth(asked(other)))


def test_the_chart_scene_measures_the_picture_that_came() -> None:
    png = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + struct.pack(">II", 640, 480)
    source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(png).decode()}
    assert "640 × 480 pixels" in str(chart(asked({"type": "image", "source": source})))
    assert "No picture" in str(chart(asked({"type": "text", "text": "this chart"})))
    assert png_size(b"GIF89a") is None


def test_the_revenue_scene_calls_the_notebooks_function_only_if_it_was_given() -> None:
    given = "The following deferred tools are now available:\nWebFetch\nmcp__notebook__revenue\n"
    question = {"type": "text", "text": "What is the revenue of the East?"}
    call = revenue(asked(question, system=given))[-1]
    assert isinstance(call, ToolUse)
    assert (call.name, call.input) == ("mcp__notebook__revenue", {"region": "East"})
    assert "--tool revenue" in str(revenue(asked(question)))


def test_pace_is_the_delay_of_every_piece_of_text() -> None:
    parts = tour(pace=0.5)(asked({"type": "text", "text": "rolling mean"}))
    assert {part.delay for part in parts if isinstance(part, Text)} == {0.5}
