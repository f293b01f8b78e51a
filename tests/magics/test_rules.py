"""Modes, rules and folder trust, on a real kernel with the real CLI."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from claude_nb.magics import rules, trust
from claude_nb.protocol.rule import parse
from claude_nb.testing import ScriptedModel, Text, ToolUse
from tests.kernel.frontend import Cell, Frontend
from tests.magics.cards import asked
from tests.magics.conftest import Page


def call(page: Page, tool: str, **input: object) -> Cell:
    """One turn in which the model calls a tool; nobody is there to ask."""
    page.model.reply(ToolUse(tool, input))
    page.model.reply(Text("that was it"))
    return page.done(page.ask("Do it.", "-o answer", allow_stdin=False))


def test_an_allow_rule_lets_that_command_run_and_no_other(page: Page) -> None:
    page.run("%claude allow Bash(touch allowed.txt)")
    call(page, "Bash", command="touch allowed.txt")
    assert (page.folder / "allowed.txt").exists()
    call(page, "Bash", command="touch other.txt")
    assert not (page.folder / "other.txt").exists()


def test_a_deny_rule_holds_in_every_mode(page: Page) -> None:
    cell = page.front.execute("%claude mode bypassPermissions")
    page.front.answer_input("bypass")
    page.done(cell)
    page.run("%claude deny Bash(touch denied.txt)")
    call(page, "Bash", command="touch denied.txt")
    assert not (page.folder / "denied.txt").exists()
    call(page, "Bash", command="touch fine.txt")
    assert (page.folder / "fine.txt").exists()


def test_accept_edits_writes_without_asking_and_plan_does_not_write(page: Page) -> None:
    page.run("%claude mode acceptEdits")
    call(page, "Write", file_path=str(page.folder / "edited.txt"), content="x")
    assert (page.folder / "edited.txt").exists()
    page.run("%claude mode plan")
    call(page, "Write", file_path=str(page.folder / "planned.txt"), content="x")
    assert not (page.folder / "planned.txt").exists()


@pytest.mark.parametrize("file", [".bashrc", ".git/hooks/pre-commit", ".claude/settings.local.json", "../outside.txt"])
def test_accept_edits_still_asks_for_sensitive_files_and_for_those_of_other_folders(page: Page, file: str) -> None:
    page.run("%claude mode acceptEdits")
    path = Path(os.path.normpath(page.folder / file))
    call(page, "Write", file_path=str(path), content="{}")
    assert not path.exists()


@pytest.mark.parametrize(
    ("ask", "covered"),
    [
        ({}, True),
        ({"tool_name": "Bash", "input": {"command": "ls"}}, False),
        ({"decision_reason_type": "safetyCheck"}, False),
        ({"decision_reason_type": "hook"}, False),
        ({"blocked_path": "/work/file.txt"}, False),
        ({"input": {"file_path": "file.txt"}}, False),
        ({"input": {"file_path": "FOLDER/.git/config"}}, False),
        ({"input": {"file_path": "FOLDER/sub/../../file.txt"}}, False),
        ({"input": {"file_path": "FOLDER/link/passwd"}}, False),
        ({"input": {}}, False),
    ],
)
def test_accept_edits_settles_open_cards_of_ordinary_files_of_the_folder_alone(
    tmp_path: Path, ask: dict[str, Any], covered: bool
) -> None:
    (tmp_path / "link").symlink_to("/etc")
    asked = {"tool_name": "Write", "input": {"file_path": "FOLDER/file.txt"}} | ask
    if path := asked["input"].get("file_path"):
        asked["input"] = {"file_path": path.replace("FOLDER", str(tmp_path))}
    assert rules.Rules(mode="acceptEdits").covers(asked, tmp_path) is covered
    assert rules.Rules(mode="default").covers(asked, tmp_path) is False


def test_a_mode_changed_between_turns_and_a_resumed_session_keep_the_rules(page: Page) -> None:
    page.run("%claude allow Bash(touch kept.txt)")
    call(page, "Bash", command="touch kept.txt")
    (page.folder / "kept.txt").unlink()
    page.run("%claude budget 4")  # the CLI is started anew with the next prompt
    call(page, "Bash", command="touch kept.txt")
    assert (page.folder / "kept.txt").exists()


@pytest.mark.parametrize("line", ["%claude mode bypassPermissions", "%claude allow Bash", "%claude allow Bash(*)"])
def test_what_gives_everything_away_needs_a_persons_word(page: Page, line: str) -> None:
    refused = page.front.execute(line)
    page.front.answer_input("yes please")
    page.done(refused)
    assert "nobody agreed" in refused.text
    assert "nobody agreed" in page.run(line, allow_stdin=False)
    assert page.run("%claude rules").startswith("mode default")


@pytest.mark.parametrize(
    ("rule", "broad"),
    [
        ("Bash", True),
        ("Bash(*)", True),
        ("Bash(:*)", True),
        ("mcp__x", True),
        ("WebFetch(domain:*)", True),
        ("Edit(~/**)", True),
        ("Edit(//**)", True),
        ("Read(/**)", True),
        ("Read(./**)", True),
        ("Write(//home/ada/**)", True),
        ("Bash(git:*)", False),
        ("Read(/x)", False),
        ("Edit(src/**)", False),
        ("Edit(~/work/**)", False),
        ("WebFetch(domain:example.org)", False),
    ],
)
def test_rules_for_a_whole_tool_are_told_from_narrow_ones(rule: str, broad: bool) -> None:
    assert (rules.warning(rule) is not None) is broad


@pytest.mark.parametrize(
    "rule", ["Read(x),Bash(*)", "Read(x) Bash(*)", "Bash(git *),Bash(*)", "Read,Bash", "Bash()", "Bash(x", "Bash(x\\)"]
)
def test_what_is_not_exactly_one_rule_is_none(rule: str) -> None:
    assert parse(rule) is None


@pytest.mark.parametrize("word", ["allow", "deny"])
def test_two_rules_at_once_are_refused(page: Page, word: str) -> None:
    cell = page.front.execute(f"%claude {word} Read(x),Bash(*)")
    assert cell.reply()["ename"] == "UsageError"
    assert "Bash" not in page.run("%claude rules")


def test_quotes_and_escaped_parentheses_of_a_rule_stay_as_typed(page: Page) -> None:
    page.run("%claude allow Bash(mkdir 'open\\( me')")
    call(page, "Bash", command="mkdir 'open( me'")
    assert (page.folder / "open( me").is_dir()


def test_a_rule_for_a_command_of_the_models_making_never_becomes_another_rule(page: Page) -> None:
    page.model.reply(ToolUse("Bash", {"command": "mkdir 'a),Bash,c'"}))
    page.model.reply(Text("made"))
    cell = page.ask("Do it.")
    asked(page.watch(cell)).answer("always0", where0="session")
    page.done(cell)
    (page.folder / "a),Bash,c").rmdir()
    page.run("%claude budget 4")  # the CLI is started anew with the next prompt
    call(page, "Bash", command="mkdir 'a),Bash,c'")
    assert (page.folder / "a),Bash,c").is_dir()
    call(page, "Bash", command="touch everything.txt")
    assert not (page.folder / "everything.txt").exists()


def test_a_denial_holds_at_once_in_a_turn_that_runs(page: Page) -> None:
    page.run("%claude allow Bash(touch *)")
    gate = page.model.gate()
    page.model.reply(gate, ToolUse("Bash", {"command": "touch late.txt"}))
    page.model.reply(Text("tried"))
    cell = page.ask("Do it.", "--bg")
    page.watch(cell)
    gate.reached.wait(30)
    page.run("%claude deny Bash(touch late.txt)")
    gate.open()
    page.left(cell)
    assert not (page.folder / "late.txt").exists()


# -- the folder's own settings


@pytest.fixture
def settled(tmp_path: Path) -> Iterator[Page]:
    """A notebook in a folder that brings settings: a hook and a rule."""
    folder = tmp_path / "project"
    (folder / ".claude").mkdir(parents=True)
    write_settings(folder, "one")
    with ScriptedModel() as model, Frontend(env=model.env(tmp_path / "home"), cwd=folder) as front:
        front.run("%load_ext claude_nb")
        yield Page(front, model, folder)


def write_settings(folder: Path, mark: str) -> None:
    hook = {"hooks": [{"type": "command", "command": f"touch {folder}/{mark}"}]}
    settings = {"hooks": {"UserPromptSubmit": [hook]}, "env": {"MARK": mark}}
    (folder / ".claude" / "settings.json").write_text(json.dumps(settings))


def test_a_folders_settings_load_after_a_person_saw_them_and_only_as_seen(settled: Page) -> None:
    settled.model.reply(Text("ok"))
    settled.answer("First.")
    assert not (settled.folder / "one").exists()

    cell = settled.front.execute("%claude trust")
    settled.front.answer_input("trust")
    settled.done(cell)
    assert (
        f'UserPromptSubmit: {{"hooks": [{{"type": "command", "command": "touch {settled.folder}/one"}}]}}' in cell.text
    )
    assert 'MARK: "one"' in cell.text
    settled.model.reply(Text("ok"))
    settled.answer("Second.")
    assert (settled.folder / "one").exists()

    write_settings(settled.folder, "two")
    settled.model.reply(Text("ok"))
    cell = settled.done(settled.ask("Third."))
    assert not (settled.folder / "two").exists()
    assert "changed since" in cell.text + str(cell.messages("update_display_data")[-1]["content"]["data"])


def test_the_first_prompt_tells_of_settings_that_are_not_loaded(settled: Page) -> None:
    settled.model.reply(Text("ok"))
    cell = settled.done(settled.ask("First."))
    assert "%claude trust" in str(cell.messages("update_display_data")[-1]["content"]["data"]["text/plain"])


def test_trust_is_remembered_outside_the_folder_and_can_be_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "config"))
    (tmp_path / ".claude").mkdir()
    write_settings(tmp_path, "one")
    settings = trust.read_folder(tmp_path)
    assert settings is not None
    assert not trust.is_trusted(settings)
    trust.remember(settings)
    assert trust.is_trusted(settings)
    write_settings(tmp_path, "two")
    changed = trust.read_folder(tmp_path)
    assert changed is not None
    assert not trust.is_trusted(changed)
    assert trust.was_trusted(changed)
    trust.forget(tmp_path)
    assert not trust.was_trusted(changed)


def test_settings_that_cannot_be_read_are_shown_as_such(tmp_path: Path) -> None:
    (tmp_path / ".mcp.json").write_text("{ not json")
    settings = trust.read_folder(tmp_path)
    assert settings is not None
    assert "not a JSON object" in str(settings)
