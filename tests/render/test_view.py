"""What each kind of tool shows."""

from __future__ import annotations

from typing import Any

import pytest

from claude_nb.conversation.model import Tool
from claude_nb.render.diff import Diff
from claude_nb.render.view import Checks, Code, Fields, Picture, Prose, short_path, title, tool_view

from . import samples


def tool(name: str, input: dict[str, Any], result: Any = "", **more: Any) -> Tool:
    return Tool(
        key="k", id="i", name=name, input=input, input_done=True, **{"status": "done", "result": result, **more}
    )


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (samples.bash(), "Bash List tracked files"),
        (samples.failed_bash(), "Bash ls nowhere"),
        (samples.read(), "Read src/load.py"),
        (samples.edit(), "Edit src/load.py"),
        (samples.write(), "Write notes.txt"),
        (samples.agent()[0], "Agent Explore Look for other readers"),
        (samples.agent()[1], "Search csv.reader in src"),
        (samples.mcp(), "notebook · describe"),
        (tool("Glob", {"pattern": "**/*.py"}), "Find files **/*.py"),
        (tool("LS", {"path": "/home/ada/project/src"}), "List src"),
        (tool("WebFetch", {"url": "https://a.example", "prompt": "sum up"}), "Fetch https://a.example"),
        (tool("WebSearch", {"query": "csv speed"}), "Web search csv speed"),
        (tool("NotebookEdit", {"notebook_path": "/home/ada/project/a.ipynb", "new_source": "x"}), "Edit a.ipynb"),
        (tool("MultiEdit", {"file_path": "/other/a.py", "edits": []}), "Edit /other/a.py"),
        (tool("mcp__lonely", {}), "lonely"),
        (tool("Brand\u202eNew", {"a": 1}), "Brand\\u202eNew 1"),
    ],
)
def test_a_call_has_a_title_for_people(call: Tool, line: str):
    assert title(call, samples.ROOT) == line


@pytest.mark.parametrize(
    ("call", "preview"),
    [
        (samples.bash(), "3 lines"),
        (samples.long_bash(), "60 lines"),
        (samples.failed_bash(), "exit 2"),
        (samples.read(), "5 lines"),
        (samples.edit(), "+3 −2"),
        (samples.write(), "+30"),
        (samples.todo(), "1 of 3 done"),
        (samples.agent()[0], "1 tool call"),
        (samples.agent()[1], "2 lines"),
        (tool("Bash", {"command": "true"}), "no output"),
        (tool("Bash", {"command": "serve", "run_in_background": True}, "started"), "in the background"),
        (tool("Glob", {"pattern": "*"}, "a\nb", detail={"numFiles": 2, "filenames": ["a", "b"]}), "2 files"),
        (tool("WebFetch", {"url": "https://a.example"}, "x", detail={"code": 200, "bytes": 1234}), "200 · 1.2 kB"),
        (tool("X", {}, "<tool_use_error>No such tool</tool_use_error>", status="failed"), "No such tool"),
    ],
)
def test_a_result_shows_in_a_word_or_two(call: Tool, preview: str):
    assert tool_view(call).preview == preview


def test_a_command_shows_itself_its_output_and_apart_from_it_its_errors():
    call = tool("Bash", {"command": "make"}, "mixed", detail={"stdout": "\x1b[1mok\x1b[0m", "stderr": "careful"})
    view = tool_view(call)
    assert view.input == (Code("make", "bash", "in"),)
    assert view.output == (Code("ok"), Code("careful", role="err"))


def test_a_file_shows_without_line_numbers_and_reminders():
    call = tool(
        "Read", {"file_path": "a.py"}, "     1→x = 1\n     2→y = 2\n\n<system-reminder>be good</system-reminder>\n"
    )
    assert tool_view(call).output == (Code("x = 1\ny = 2", "py"),)


def test_an_edit_shows_the_patch_that_was_made_with_its_place():
    (diff,) = tool_view(samples.edit()).input
    assert isinstance(diff, Diff)
    assert diff.rows[0] == "@ line 1"
    assert (diff.added, diff.removed) == (3, 2)


def test_an_edit_not_made_yet_shows_what_it_would_change():
    call = tool("Edit", {"file_path": "a", "old_string": "a\nb\nc", "new_string": "a\nB\nc"}, None, status="waiting")
    (diff,) = tool_view(call).input
    assert isinstance(diff, Diff)
    assert diff.rows == (" a", "-b", "+B", " c")


def test_several_edits_and_replacing_everywhere_are_told():
    edits = [{"old_string": "a", "new_string": "b"}, {"old_string": "c", "new_string": "", "replace_all": True}]
    (diff,) = tool_view(tool("MultiEdit", {"file_path": "a", "edits": edits})).input
    assert isinstance(diff, Diff)
    assert diff.rows == ("-a", "+b", "@", "-c", "@ wherever it occurs")


def test_a_huge_edit_is_compared_in_no_time():
    old, new = ("\n".join(f"{n % 7}{sign}" for n in range(20_000)) for sign in "ab")
    (diff,) = tool_view(tool("Edit", {"file_path": "a", "old_string": old, "new_string": new})).input
    assert isinstance(diff, Diff)
    assert diff.added == diff.removed == 20_000


def test_a_checklist_shows_where_each_item_stands():
    (checks,) = tool_view(samples.todo()).input
    assert isinstance(checks, Checks)
    assert [state for state, _ in checks.items] == ["done", "doing", "open"]


def test_a_plan_and_a_question_show_what_they_say():
    assert tool_view(tool("ExitPlanMode", {"plan": "1. *go*"})).input == (Prose("1. *go*"),)
    asked = {"questions": [{"header": "Colour", "question": "Which one?"}]}
    assert tool_view(tool("AskUserQuestion", asked)).input == (Fields((("Colour", "Which one?"),)),)


def test_pictures_of_a_result_are_parts_of_their_own():
    assert tool_view(samples.picture()).output == (Code("1 figure"), Picture("image/png", samples.PICTURE))


def test_a_half_written_input_shows_its_finished_fields():
    call = Tool(key="k", id="i", name="Write", input_json='{"file_path": "/r/a\\u00e9.py", "content": "x = ')
    assert title(call, "/r") == "Write aé.py"
    assert title(Tool(key="k", id="i", name="Bash", input_json='{"comm'), "/r") == "Bash"


def test_what_a_person_decides_on_hides_nothing():
    call = tool("Bash", {"command": "ls\u200b" + " " * 80 + "; rm -rf ~"}, None, status="waiting")
    (code,) = tool_view(call).input
    assert isinstance(code, Code)
    assert code.text == "ls\\u200b ⟨80 blanks⟩ ; rm -rf ~"


@pytest.mark.parametrize("value", [None, 3, True, [], {}, [1], {"a": [None]}, "text", "\ud800"])
@pytest.mark.parametrize(
    "name", ["Bash", "Read", "Edit", "MultiEdit", "Write", "Grep", "WebFetch", "TodoWrite", "Task", "X"]
)
def test_no_shape_of_input_detail_or_result_is_a_surprise(name: str, value: Any):
    keys = ["command", "file_path", "edits", "todos", "questions", "plan", "content", "old_string", "url", "pattern"]
    detail = {
        "stdout": value,
        "stderr": value,
        "file": value,
        "structuredPatch": value,
        "numFiles": value,
        "bytes": value,
    }
    for result in (None, "x", [value], [{"type": "image", "source": value}], [{"type": "text", "text": "x"}]):
        for shape in (detail, value):
            tool_view(tool(name, dict.fromkeys(keys, value), result, detail=shape))


@pytest.mark.parametrize(
    ("path", "root", "shown"),
    [
        ("/a/b/c.py", "/a/b", "c.py"),
        ("/a/b/c.py", "/a/b/", "c.py"),
        ("/a/bc.py", "/a/b", "/a/bc.py"),
        ("C:\\w\\x.py", "C:\\w", "x.py"),
        ("/a/b", None, "/a/b"),
        ("/a", "/", "/a"),
        ("/a/b", "/a/b", "/a/b"),
    ],
)
def test_paths_below_the_root_are_relative(path: str, root: str | None, shown: str):
    assert short_path(path, root) == shown
