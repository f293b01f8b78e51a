"""`%claude checkpoints` and `%claude rewind` on a real kernel with the real CLI: files, conversation, undo."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path

import pytest

from claude_nb.testing import ScriptedModel, Text, ToolUse
from tests.kernel.frontend import VERSIONS, Cell, Frontend
from tests.magics.conftest import Page, Watched, final


@pytest.fixture
def project(page: Page, tmp_path: Path) -> Path:
    """A folder of its own for the session, where the agent may write; three prompts have been answered."""
    page.run(
        f"import os; os.chdir({str(tmp_path)!r})\nimport claude_nb\n"
        "%config ClaudeMagics.permission_policy = lambda *asked: True"
    )
    story = tmp_path / "story.txt"
    page.model.reply(ToolUse("Write", {"file_path": str(story), "content": "one\n"}))
    page.model.reply(Text("Begun."))
    page.answer("Begin a story.")
    edit = {"file_path": str(story), "old_string": "one\n", "new_string": "one\ntwo\n"}
    page.model.reply(
        ToolUse("Edit", edit), ToolUse("Write", {"file_path": str(tmp_path / "notes.txt"), "content": "n\n"})
    )
    page.model.reply(Text("Went on."))
    page.answer("Go on with it.")
    page.model.reply(Text("It is good."))
    page.answer("Is it good?")
    return tmp_path


def headless(page: Page, code: str) -> str:
    return page.run(code, allow_stdin=False)


def asked_last(page: Page) -> str:
    return json.dumps(page.model.requests[-1]["messages"])


def next_input(cell: Cell) -> str | None:
    payloads = cell.reply()["payload"]
    return next((p["text"] for p in payloads if p["source"] == "set_next_input"), None)


def test_checkpoints_lists_every_prompt_newest_last_with_what_going_back_changes(page: Page, project: Path) -> None:
    listed = headless(page, "%claude checkpoints").splitlines()
    assert [line.split()[0] for line in listed if "“" in line] == ["1", "2", "3"]
    assert "“Begin a story.”" in listed[1]
    assert "just now · notes.txt, story.txt −3" in listed[2] or "just now · story.txt, notes.txt −3" in listed[2]
    assert "−2" in listed[4]
    assert "no file changes" in listed[6]
    assert listed[7].strip() == "(current)"


def test_nothing_is_rewound_without_a_person_or_yes(page: Page, project: Path) -> None:
    reply = page.front.execute("%claude rewind 2", allow_stdin=False).reply()
    assert "--yes" in reply["evalue"]
    assert (project / "story.txt").read_text() == "one\ntwo\n"


def test_both_brings_files_back_and_the_next_prompt_goes_on_from_there(page: Page, project: Path) -> None:
    said = headless(page, "%claude rewind 2 --yes")
    assert (project / "story.txt").read_text() == "one\n"
    assert not (project / "notes.txt").exists()
    assert "kernel" in said
    assert "%%claude\nGo on with it." in said
    page.model.reply(Text("Another way."))
    page.answer("Go on in another way.")
    sent = asked_last(page)
    assert "Begin a story." in sent
    assert "Go on with it." not in sent
    assert "Is it good?" not in sent
    listed = headless(page, "%claude checkpoints")
    assert "“Go on in another way.”" in listed
    assert "“Go on with it.”" not in listed


def test_files_alone_leaves_the_conversation(page: Page, project: Path) -> None:
    headless(page, "%claude rewind 1 --files --yes")
    assert not (project / "story.txt").exists()
    page.model.reply(Text("Yes."))
    page.answer("Still there?")
    assert "Is it good?" in asked_last(page)


def test_conversation_alone_leaves_the_files_and_the_first_prompt_means_afresh(page: Page, project: Path) -> None:
    headless(page, "%claude rewind 1 --conversation --yes")
    assert (project / "story.txt").read_text() == "one\ntwo\n"
    page.model.reply(Text("Hello."))
    page.answer("Hello?")
    assert "Begin a story." not in asked_last(page)


def test_undo_brings_back_files_and_conversation(page: Page, project: Path) -> None:
    headless(page, "%claude rewind 2 --yes")
    headless(page, "%claude rewind --undo --yes")
    assert (project / "story.txt").read_text() == "one\ntwo\n"
    assert (project / "notes.txt").read_text() == "n\n"
    page.model.reply(Text("Yes."))
    page.answer("Still there?")
    assert "Is it good?" in asked_last(page)
    reply = page.front.execute("%claude rewind --undo --yes", allow_stdin=False).reply()
    assert "undone" in reply["evalue"]


def test_python_code_lists_goes_back_and_undoes(page: Page, project: Path) -> None:
    said = headless(
        page,
        "points = claude_nb.checkpoints()\n"
        "print([(p.number, p.prompt, len(p.files)) for p in points])\n"
        "done = claude_nb.rewind(points[1], conversation=False)\n"
        "print(done.scope, sorted(f.rsplit('/')[-1] for f in done.files), done.dropped, done.prompt)\n"
        "print(open('story.txt').read().split())\n"
        "print(claude_nb.undo_rewind().undone)\n"
        "print(open('story.txt').read().split())",
    )
    assert said.splitlines() == [
        "[(1, 'Begin a story.', 2), (2, 'Go on with it.', 2), (3, 'Is it good?', 0)]",
        "files ['notes.txt', 'story.txt'] 0 Go on with it.",
        "['one']",
        "True",
        "['one', 'two']",
    ]


def test_a_rewind_that_cannot_be_done_says_why_and_changes_nothing(page: Page, project: Path) -> None:
    for code, reason in (
        ("claude_nb.rewind(9)", "checkpoints 1 to 3"),
        ("claude_nb.undo_rewind()", "nothing|none was done"),
        ("claude_nb.rewind(1, files=False, conversation=False)", "nothing to do"),
        ("claude_nb.rewind(1, conversation=False, summarise=True)", "summary"),
        ("%claude rewind 1 --files --both", "not allowed with"),
        ("%claude rewind 1 --session nobody", "no session 'nobody'"),
    ):
        reply = page.front.execute(code, allow_stdin=False).reply()
        assert re.search(reason, reply["evalue"]), reply["evalue"]
    assert (project / "story.txt").read_text() == "one\ntwo\n"


def test_a_running_turn_is_not_pulled_away_from_under_the_agent(page: Page, project: Path) -> None:
    gate = page.model.gate()
    page.model.reply(Text("part "), gate, Text("end"))
    cell = page.done(page.ask("Slowly.", "--bg"))
    assert gate.reached.wait(60)
    reply = page.front.execute("claude_nb.rewind(1)", allow_stdin=False).reply()
    assert (reply["ename"], "claude stop" in reply["evalue"]) == ("RewindError", True)
    refused = page.front.execute("%claude rewind 1").reply()  # before anybody is asked
    assert (refused["ename"], "claude stop" in refused["evalue"]) == ("UsageError", True)
    assert "“Slowly.”" in headless(page, "%claude checkpoints")
    gate.open()
    page.left(cell)


def test_a_summary_of_what_is_cut_off_goes_with_the_next_prompt(page: Page, project: Path) -> None:
    said = headless(page, "%claude rewind 2 --conversation --summarise --yes")
    assert "summary" in said
    asked = json.dumps(page.model.side_requests[-1]["messages"])
    assert "Sum up this conversation" in asked
    assert "Is it good?" in asked
    for prompt, told in (("First after.", True), ("Second after.", False)):
        page.model.reply(Text("ok"))
        page.answer(prompt)
        shown = page.run("%claude last --sent")
        assert ("A scripted model answers here" in shown) is told
    assert "A scripted model answers here" in asked_last(page)
    assert "Is it good?" not in asked_last(page)


def test_costs_of_turns_that_were_taken_back_stay_counted(page: Page, project: Path) -> None:
    page.run("notebook = get_ipython().find_line_magic('claude').__self__.notebook")

    def spent() -> tuple[float, float]:
        """By the conversation and by the notebook's budget."""
        said = page.run("print(notebook.chats['default'].conversation.spent_usd, notebook.budget.spent_usd)")
        conversation, budget = map(float, said.split())
        return conversation, budget

    for number in (3, 1):
        before = spent()
        headless(page, f"%claude rewind {number} --yes")
        assert spent() == before
        page.model.reply(Text("ok"))
        page.answer("And now?", "-o turn")
        cost = float(page.run("print(turn.cost_usd)"))
        assert 0 < cost < 0.2
        assert spent() == pytest.approx((before[0] + cost, before[1] + cost))


def test_an_edit_of_the_persons_own_and_another_sessions_work_are_warned_of(page: Page, project: Path) -> None:
    notes = project / "notes.txt"
    page.model.reply(ToolUse("Read", {"file_path": str(notes)}))
    page.model.reply(ToolUse("Write", {"file_path": str(notes), "content": "of the other\n"}))
    page.model.reply(Text("Done."))
    page.answer("Change the notes.", "--session other")
    (project / "story.txt").write_text("mine\n")
    cell = page.front.execute("%claude rewind 2")
    page.front.answer_input("n")
    said = page.done(cell).text
    assert "story.txt (changed since the agent wrote it: those changes would be lost)" in said
    assert "notes.txt (session 'other' changed it too)" in said
    assert "Nothing was changed." in said
    assert (project / "story.txt").read_text() == "mine\n"


def test_an_open_notebook_is_left_as_it_is(page: Page, project: Path) -> None:
    book = project / "book.ipynb"
    page.model.reply(ToolUse("Bash", {"command": "echo '{}' > elsewhere.txt"}))
    page.model.reply(Text("ok"))
    page.answer("Something else.")
    book.write_text("{}\n")
    # The guard refuses the agent's tools here; a session begun before the file was known to be open could still write.
    page.run(
        "notebook = get_ipython().find_line_magic('claude').__self__.notebook\n"
        "notebook.rewinds._rewinder.keep = lambda chat, path: path.endswith('story.txt')"
    )
    said = headless(page, "%claude rewind 1 --files --yes")
    assert (project / "story.txt").read_text() == "one\ntwo\n"
    assert not (project / "notes.txt").exists()
    assert "story.txt" in next(line for line in said.splitlines() if "open notebook" in line)


def test_typed_keys_choose_where_no_page_shows_widgets(page: Page, project: Path) -> None:
    cell = page.front.execute("%claude rewind 2")
    page.front.answer_input("c")
    page.done(cell)
    assert (project / "story.txt").read_text() == "one\ntwo\n"
    assert next_input(cell) == "%%claude\nGo on with it."
    cell = page.front.execute("%claude rewind --undo")
    page.front.answer_input("u")
    assert "that prompt and the one after it again" in page.done(cell).text
    assert final(cell)["text/plain"] == ""  # what was tried and not drawn says nothing, least of all something false


class Panel(Watched):
    """A page that shows the rewind panel of a cell."""

    def __init__(self, page: Page, cell: Cell):
        super().__init__(page, page.widget(cell))
        self.cell = cell
        self.send({"k": "ready"})
        page.front.wait(self.shown, what="the panel")

    def shown(self) -> dict:
        panels = [m["panel"] for m in self.messages() if m["k"] == "panel"]
        return panels[-1] if panels else {}

    @property
    def closed(self) -> bool:
        """Static output has taken the panel's place."""
        return bool(self.cell.messages("update_display_data"))

    def buttons(self) -> dict[str, str]:
        """Ids by label."""
        rows = [
            (f"{row['text'].split()[0]} {row['button']['label']}", row["button"])
            for row in self.shown()["rows"]
            if row["button"]
        ]
        return {label: b["id"] for label, b in [*rows, *((b["label"], b) for b in self.shown()["buttons"])]}

    def press(self, label: str) -> None:
        """Click until it counts: a click in the first 400 ms does not."""
        id = self.buttons()[label]
        for _ in range(100):
            self.send({"k": "click", "id": id})
            with contextlib.suppress(AssertionError):
                self.page.front.wait(lambda: id not in self.buttons().values() or self.closed, 0.1)
                return
        raise AssertionError(f"clicks on {label!r} came to nothing")


def test_buttons_of_the_panel_go_back_while_the_cell_waits(page: Page, project: Path) -> None:
    cell = page.front.execute("%claude rewind 2")
    panel = Panel(page, cell)
    assert list(panel.buttons()) == [
        "Restore files and conversation",
        "Restore conversation",
        "Restore files",
        "Summarise from here",
        "Never mind",
    ]
    assert panel.shown()["quote"] == "Go on with it."
    panel.press("Restore files and conversation")
    page.done(cell)
    assert (project / "story.txt").read_text() == "one\n"
    assert next_input(cell) == "%%claude\nGo on with it."
    assert "kernel" in final(cell)["text/plain"]
    assert set(final(cell)) == {"text/plain", "text/html"}


def test_the_list_of_checkpoints_can_be_used_between_cells_and_turns_static_with_the_next_prompt(
    page: Page, project: Path
) -> None:
    cell = page.done(page.front.execute("%claude checkpoints"))
    panel = Panel(page, cell)
    assert [row["text"] for row in panel.shown()["rows"]][-1] == "(current)"
    panel.press("3 Rewind…")
    assert list(panel.buttons()) == ["Restore conversation", "Summarise from here", "Never mind"]
    panel.press("Restore conversation")
    assert panel.shown()["text"] == "%%claude\nIs it good?"
    panel.press("Undo this rewind")
    panel.press("Undo the rewind")
    assert panel.shown()["title"] == "The rewind was undone"
    page.model.reply(Text("ok"))
    page.answer("Next.")
    assert "Is it good?" in asked_last(page)
    assert "again" in final(cell)["text/plain"]


def test_a_click_works_while_another_cell_blocks(page: Page, project: Path) -> None:
    panel = Panel(page, page.done(page.front.execute("%claude checkpoints")))
    gate = page.model.gate()
    page.model.reply(Text("part "), gate, Text("end"))
    blocking = page.ask("Slowly.", "--session other")
    assert gate.reached.wait(60)
    panel.press("2 Rewind…")
    panel.press("Restore files and conversation")
    assert (project / "story.txt").read_text() == "one\n"
    assert not blocking.answered
    gate.open()
    page.done(blocking)


def test_ids_that_were_not_given_out_do_nothing(page: Page, project: Path) -> None:
    cell = page.front.execute("%claude rewind 2")
    panel = Panel(page, cell)
    stale = panel.buttons()["Restore files"]
    panel.send({"k": "ready"})
    for message in (
        {"k": "click", "id": "both 2"},
        {"k": "click"},
        {"k": "click", "id": 7},
        {"k": "pick", "id": stale},
    ):
        panel.send(message)
    panel.press("Never mind")
    page.done(cell)
    panel.send({"k": "click", "id": stale})
    assert (project / "story.txt").read_text() == "one\ntwo\n"
    assert final(cell)["text/plain"] == "Nothing was changed."


def test_a_session_of_an_earlier_kernel_can_be_gone_back_in_once_it_is_resumed(page: Page, project: Path) -> None:
    page.run("%reload_ext claude_nb\n%config ClaudeMagics.permission_policy = lambda *asked: True")
    headless(page, "%claude resume 1")
    assert "“Go on with it.”" in headless(page, "%claude checkpoints")
    cell = page.front.execute("%claude rewind 2")
    page.front.answer_input("b")
    assert "no record of how the agent left it" in page.done(cell).text
    assert (project / "story.txt").read_text() == "one\n"
    page.model.reply(Text("ok"))
    page.answer("Another way.")
    assert "Begin a story." in asked_last(page)
    assert "Is it good?" not in asked_last(page)


def test_only_files_go_back_to_before_a_compaction_and_all_goes_back_to_after_it(page: Page, project: Path) -> None:
    page.answer("/compact")
    page.model.reply(Text("ok"))
    page.answer("After it.")
    reply = page.front.execute("%claude rewind 2 --yes", allow_stdin=False).reply()
    assert "--files" in reply["evalue"]
    assert (project / "story.txt").read_text() == "one\ntwo\n"
    headless(page, "%claude rewind 2 --files --yes")
    assert (project / "story.txt").read_text() == "one\n"
    headless(page, "%claude rewind 5 --yes")
    page.model.reply(Text("ok"))
    page.answer("Another way.")
    assert "A conversation with a scripted model." in asked_last(page)
    assert "After it." not in asked_last(page)


def test_an_interrupt_of_a_waiting_panel_changes_nothing(page: Page, project: Path) -> None:
    cell = page.front.execute("%claude rewind 2")
    Panel(page, cell)
    page.front.interrupt()
    assert cell.reply()["ename"] == "KeyboardInterrupt"
    assert final(cell)["text/plain"] == "Nothing was changed."
    assert (project / "story.txt").read_text() == "one\ntwo\n"
    page.model.reply(Text("ok"))
    page.answer("Still there?")


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version or "newest")
def test_the_panel_works_between_cells_and_while_its_cell_waits_on_every_kernel(
    version: str | None, model: ScriptedModel, tmp_path: Path
) -> None:
    file = tmp_path / "a.txt"
    with Frontend(version, env=model.env(tmp_path / "home"), cwd=tmp_path) as front:
        front.run("%load_ext claude_nb\n%config ClaudeMagics.permission_policy = lambda *asked: True")
        page = Page(front, model, tmp_path)
        model.reply(ToolUse("Write", {"file_path": str(file), "content": "one\n"}))
        model.reply(Text("Written."))
        page.answer("Write it.")
        waiting = front.execute("%claude rewind 1 --files")
        Panel(page, waiting).press("Restore files")
        page.done(waiting)
        assert not file.exists()
        idle = Panel(page, page.done(front.execute("%claude checkpoints")))
        idle.press("Undo the last rewind")
        idle.press("Undo the rewind")
        assert file.read_text() == "one\n"
        idle.press("Close")
        front.wait(lambda: idle.closed, what="static output in the panel's place")
