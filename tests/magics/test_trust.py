"""What of a folder's Claude settings is shown, hashed and held: a hostile project, the real CLI."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from claude_nb.magics import trust
from claude_nb.testing import ScriptedModel, Text, ToolUse
from tests.kernel.frontend import Frontend
from tests.magics.cards import asked
from tests.magics.conftest import Page, markdown

Open = Callable[[Path], AbstractContextManager[Page]]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """`opened(folder)`: a notebook in that folder, where what the CLI asks is allowed."""

    @contextmanager
    def notebook(folder: Path) -> Iterator[Page]:
        with ScriptedModel() as model, Frontend(env=model.env(tmp_path), cwd=folder) as front:
            front.run("%load_ext claude_nb\n%config ClaudeMagics.permission_policy = 'allow'")
            yield Page(front, model, folder)

    return notebook


def agree(page: Page) -> str:
    """Trust the folder; what was shown before."""
    cell = page.front.execute("%claude trust")
    page.front.answer_input("trust")
    return page.done(cell).text


def write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def server(mark: Path) -> dict[str, Any]:
    return {"mcpServers": {mark.name: {"command": "touch", "args": [str(mark)]}}}


def hooks(event: str, command: str) -> dict[str, Any]:
    return {"hooks": {event: [{"hooks": [{"type": "command", "command": command}]}]}}


def shown(folder: Path) -> str:
    settings = trust.read_folder(folder)
    assert settings is not None
    return str(settings)


def digest(folder: Path) -> str:
    settings = trust.read_folder(folder)
    assert settings is not None
    return settings.digest


# -- where settings come from


def test_what_the_folders_above_bring_is_shown_before_it_loads_and_a_change_there_asks_again(
    tmp_path: Path, opened: Open
) -> None:
    project, ran = tmp_path / "project", tmp_path / "ran"
    folder = project / "notes"
    folder.mkdir(parents=True)
    (project / ".git").mkdir()
    ran.mkdir()
    write(tmp_path / ".mcp.json", server(ran / "above"))
    write(project / ".mcp.json", server(ran / "root"))
    write(project / ".claude/settings.local.json", hooks("UserPromptSubmit", f"touch {ran}/local"))
    write(project / "CLAUDE.md", "memory of the project")
    write(project / ".claude/rules/rule.md", "rule of the project")
    write(project / ".claude/agents/agent.md", "---\nname: helper\ndescription: agent of the project\n---\nHelp.")
    with opened(folder) as page:
        assert "settings of a folder above are not loaded" in page.answer("First.")
        assert list(ran.iterdir()) == []

        listed = agree(page)
        page.answer("Second.")
        sent = str(page.model.requests[-1])
        for part in ("memory of the project", "rule of the project", "agent of the project"):
            assert part in sent
            assert part in listed
        page.front.wait(lambda: {p.name for p in ran.iterdir()} == {"above", "root", "local"}, what="all that may run")
        for mark in ran.iterdir():
            assert f"touch {mark}" in listed or f'["{mark}"]' in listed
            mark.unlink()

        write(project / ".mcp.json", server(ran / "changed"))
        assert "changed since" in page.answer("Third.")
        assert list(ran.iterdir()) == []


def test_a_worktree_brings_the_local_settings_of_the_main_checkout_and_they_are_shown(
    tmp_path: Path, opened: Open
) -> None:
    main, worktree, mark = tmp_path / "main", tmp_path / "worktree", tmp_path / "mark"
    main.mkdir()
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    for command in (["init", "-q"], [*who, "commit", "-q", "--allow-empty", "-m", "x"]):
        subprocess.run(["git", *command], cwd=main, check=True)
    subprocess.run(["git", "worktree", "add", "-q", str(worktree)], cwd=main, check=True)
    write(main / ".claude/settings.local.json", hooks("UserPromptSubmit", f"touch {mark}"))
    with opened(worktree) as page:
        assert f"touch {mark}" in agree(page)
        page.answer("Go.")
        assert mark.exists()


KINDS = [
    ".mcp.json",
    "CLAUDE.md",
    "CLAUDE.local.md",
    ".claude/CLAUDE.md",
    ".claude/settings.json",
    ".claude/settings.local.json",
    ".claude/rules/deep/rule.md",
    ".claude/agents/a.md",
    ".claude/commands/c.md",
    ".claude/skills/s/SKILL.md",
    ".claude/skills/s/.claude-plugin/plugin.json",
    ".claude/output-styles/o.md",
    ".claude/workflows/w.js",
    ".claude/plugins/p/plugin.json",
    ".claude/hooks/hook.sh",
]


@pytest.mark.parametrize("above", ["", "..", "../.."])
@pytest.mark.parametrize("name", KINDS)
def test_every_file_that_may_load_is_listed_and_hashed(tmp_path: Path, name: str, above: str) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    assert trust.read_folder(folder) is None
    path = (folder / above / name).resolve()
    write(path, "one")
    before = digest(folder)
    assert str(path) in shown(folder)
    write(path, "two")
    assert digest(folder) != before


def test_links_to_folders_are_followed_and_those_in_circles_end(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "folder", tmp_path / "elsewhere"
    write(elsewhere / "SKILL.md", "one")
    (folder / ".claude/skills").mkdir(parents=True)
    (folder / ".claude/skills/linked").symlink_to(elsewhere)
    (elsewhere / "back").symlink_to(folder / ".claude/skills")
    before = digest(folder)
    assert "linked/SKILL.md" in shown(folder)
    write(elsewhere / "SKILL.md", "two")
    assert digest(folder) != before


def test_a_file_that_the_instructions_take_in_counts(tmp_path: Path) -> None:
    write(tmp_path / "CLAUDE.md", "See @docs/more.md and @nobody/there.")
    write(tmp_path / "docs/more.md", "Also @../last.txt#part.")
    write(tmp_path / "last.txt", "one")
    before = digest(tmp_path)
    assert "docs/more.md" in shown(tmp_path)
    write(tmp_path / "last.txt", "two")
    assert digest(tmp_path) != before


def test_the_users_own_settings_above_a_folder_are_not_the_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / ".claude"))
    write(tmp_path / ".claude/settings.json", "{}")
    write(tmp_path / ".claude/agents/mine.md", "mine")
    (tmp_path / "project").mkdir()
    assert trust.read_folder(tmp_path / "project") is None


def test_more_than_can_be_shown_is_never_trusted(tmp_path: Path, opened: Open) -> None:
    folder = tmp_path / "folder"
    (folder / ".claude/skills").mkdir(parents=True)
    (folder / ".claude/skills/everything").symlink_to("/usr")
    settings = trust.read_folder(folder)
    assert settings is not None
    with pytest.raises(ValueError, match="cannot be shown"):
        trust.remember(settings)
    with opened(folder) as page:
        assert "They stay off" in page.run("%claude trust")
        (folder / ".claude/skills/everything").unlink()
        write(folder / "CLAUDE.md", "---\n" + "frontmatter that does not end\n" * 10_000)
        assert "They stay off" in page.run("%claude trust")


# -- how they are shown


def test_hooks_servers_and_settings_are_shown_whole_and_none_can_pose_as_another(tmp_path: Path) -> None:
    evil = {"type": "stdio", "url": "https://docs.example", "command": "sh", "args": ["-c", "evil"]}
    servers = {"a": {**evil, "env": {"LD_PRELOAD": "/x.so"}}, "b": {"type": "http", "headersHelper": "evil|sh"}}
    hook = {"type": "http", "url": "http://evil", "command": "echo harmless"}
    rows = "echo 1\n  permission  deny: Bash\u202e"
    helper = "echo ok # " + "x" * 500 + "; evil|sh"
    write(tmp_path / ".mcp.json", {"mcpServers": servers})
    write(tmp_path / ".claude/settings.json", {"apiKeyHelper": helper, **hooks("Stop", rows), "x\ny": hook, "hook": 1})
    lines = shown(tmp_path).splitlines()
    for part in (evil["args"], servers["a"]["env"], servers["b"], hook, helper):
        assert any(json.dumps(part).strip("{}") in line for line in lines)
    assert not any(line.lstrip().startswith("permission") for line in lines)
    assert any(r"echo 1\n  permission  deny: Bash\u202e" in line for line in lines)


def test_settings_that_are_no_json_are_shown_as_the_text_they_are(tmp_path: Path) -> None:
    write(tmp_path / ".claude/settings.json", '// a comment\n{"apiKeyHelper": "evil"}\n')
    assert '{"apiKeyHelper": "evil"}' in shown(tmp_path)


@pytest.mark.parametrize("start", ["---\n", "\ufeff---\n", "\n\n---  \n", "---\r\n"])
def test_the_frontmatter_of_agents_and_skills_is_shown_and_plain_text_is_folded(tmp_path: Path, start: str) -> None:
    text = start + "name: x\n" + "# more\n" * 50 + "hooks:\n  Stop: evil\n---\n" + "Prose.\n" * 90 + "y" * 400
    write(tmp_path / ".claude/agents/x.md", text)
    listed = shown(tmp_path)
    assert "Stop: evil" in listed
    assert listed.count("Prose.") == 5
    assert "86 more lines" in listed


def test_text_that_names_a_command_to_run_is_shown_whole(tmp_path: Path) -> None:
    write(tmp_path / ".claude/commands/c.md", "Prose.\n" * 90 + "!`evil`\n")
    assert "!`evil`" in shown(tmp_path)
    write(tmp_path / ".claude/commands/c.md", "Prose.\n" * 90 + "```!\nevil\n```\n")
    assert "evil" in shown(tmp_path)


# -- while the CLI runs


def test_settings_that_change_while_a_turn_runs_do_not_take_effect(tmp_path: Path, opened: Open) -> None:
    """The folder's own trusted hook tells that the CLI saw a change; a change of the user's settings reloads all."""
    folder, seen = tmp_path / "folder", tmp_path / "seen"
    write(folder / ".claude/settings.json", hooks("ConfigChange", f"echo x >> {seen}"))
    write(tmp_path / "new.json", hooks("PreToolUse", f"touch {tmp_path}/second"))

    def until(count: int) -> str:
        return f"; for i in $(seq 100); do [ $(wc -l < {seen}) -ge {count} ] && break; sleep 0.1; done"

    with opened(folder) as page:
        agree(page)
        page.model.reply(ToolUse("Bash", {"command": f"cp {tmp_path}/new.json .claude/settings.json{until(1)}"}))
        page.model.reply(ToolUse("Bash", {"command": f"echo '{{}}' > $CLAUDE_CONFIG_DIR/settings.json{until(2)}"}))
        page.model.reply(ToolUse("Bash", {"command": "true"}))
        page.model.reply(Text("Done."))
        page.answer("Go.", allow_stdin=False)
        assert seen.read_text().count("x") == 2
        assert not (tmp_path / "second").exists()
        assert "changed since" in page.answer("Again.", allow_stdin=False)


def test_settings_that_were_trusted_anew_are_loaded_anew(tmp_path: Path, opened: Open) -> None:
    folder = tmp_path / "folder"
    write(folder / ".mcp.json", server(tmp_path / "one"))
    with opened(folder) as page:
        agree(page)
        page.answer("First.")
        page.front.wait((tmp_path / "one").exists, what="the first server")
        write(folder / ".mcp.json", server(tmp_path / "two"))
        agree(page)
        assert "changed since" not in markdown(page.done(page.ask("Second.")))
        page.front.wait((tmp_path / "two").exists, what="the second server")


@pytest.mark.parametrize("act", ["rule", "always"])
def test_a_rule_given_after_a_change_does_not_load_it(tmp_path: Path, opened: Open, act: str) -> None:
    """Told to the CLI or kept in a file by it, a rule makes it read all settings again."""
    folder, seen, go = tmp_path / "folder", tmp_path / "seen", tmp_path / "go"
    write(folder / ".claude/settings.json", hooks("ConfigChange", f"touch {seen}"))
    with opened(folder) as page:
        page.run("%config ClaudeMagics.permission_policy = 'deny'")
        agree(page)
        page.model.reply(ToolUse("Bash", {"command": "touch a"}))
        if act == "rule":
            wait = f"for i in $(seq 100); do [ -e {go} ] && break; sleep 0.1; done"
            page.model.reply(ToolUse("Bash", {"command": f"touch b; {wait}"}))
        page.model.reply(ToolUse("Bash", {"command": "ls"}))
        page.model.reply(Text("Done."))
        cell = page.ask("Go.", "--bg")
        watched = page.watch(cell)
        page.done(cell)
        first = asked(watched)
        write(folder / ".claude/settings.json", hooks("PreToolUse", f"touch {tmp_path}/second"))
        page.front.wait(seen.exists, what="the CLI to see the change")
        if act == "always":
            first.answer("always0", where0="localSettings")
        else:
            first.answer("allow")
            asked(watched, 1).answer("allow")
            page.front.wait((folder / "b").exists, what="the second command")
            page.run("%claude deny WebSearch")
            go.touch()
        page.left(cell)
        assert not (tmp_path / "second").exists()
        assert not (folder / ".claude/settings.local.json").exists()


def test_an_always_kept_in_a_trusted_folder_holds_and_what_changes_after_it_is_not_loaded(
    tmp_path: Path, opened: Open
) -> None:
    folder, seen, go = tmp_path / "folder", tmp_path / "seen", tmp_path / "go"
    hook = {"matcher": "project_settings", "hooks": [{"type": "command", "command": f"touch {seen}"}]}
    write(folder / ".claude/settings.json", {"hooks": {"ConfigChange": [hook]}})
    wait = f"for i in $(seq 100); do [ -e {go} ] && break; sleep 0.1; done"
    with opened(folder) as page:
        page.run("%config ClaudeMagics.permission_policy = 'deny'")
        agree(page)
        for command in ("touch a", "touch a a2", f"touch b; {wait}", "touch a a3"):
            page.model.reply(ToolUse("Bash", {"command": command}))
        page.model.reply(Text("Done."))
        cell = page.ask("Go.", "--bg")
        watched = page.watch(cell)
        page.done(cell)
        asked(watched).answer("always0", where0="localSettings")
        asked(watched, 1).answer("allow")
        page.front.wait((folder / "b").exists, what="the third command")
        assert (folder / "a2").exists()
        write(folder / ".claude/settings.json", hooks("PreToolUse", f"touch {tmp_path}/second"))
        page.front.wait(seen.exists, what="the CLI to see the change")
        assert "holds from the next prompt on" in page.run("%claude deny WebSearch")
        go.touch()
        page.left(cell)
        assert (folder / "a3").exists()
        assert not (tmp_path / "second").exists()
        kept = json.loads((folder / ".claude/settings.local.json").read_text())
        assert kept["permissions"]["allow"] == ["Bash(touch a *)"]
        assert "changed since" in page.answer("Again.", allow_stdin=False)


# -- rules


def test_the_allow_rules_that_were_shown_hold_and_those_of_the_folders_above_do_not(
    tmp_path: Path, opened: Open
) -> None:
    folder, other = tmp_path / "project/folder", tmp_path / "other"
    write(other / "file.txt", "what is in it")
    write(tmp_path / "project/.claude/settings.json", {"permissions": {"allow": ["Bash(touch above)"]}})
    rules = {"allow": ["Bash(touch own)", "Edit(/docs/**)"], "additionalDirectories": [str(other)]}
    write(folder / ".claude/settings.json", {"permissions": rules})
    write(folder / ".claude/settings.local.json", {"permissions": {"allow": ["Bash(touch local)"]}})
    calls = [ToolUse("Bash", {"command": f"touch {name}"}) for name in ("own", "local", "above")]
    calls.append(ToolUse("Write", {"file_path": str(folder / "docs/a.txt"), "content": "x"}))
    calls.append(ToolUse("Read", {"file_path": str(other / "file.txt")}))
    with opened(folder) as page:
        page.run("%config ClaudeMagics.permission_policy = 'deny'")
        listed = agree(page)
        for call in calls:
            page.model.reply(call)
        page.model.reply(Text("Done."))
        page.answer("Go.", allow_stdin=False)
        assert {path.name for path in folder.iterdir()} == {".claude", "own", "local", "docs"}
        assert "what is in it" in str(page.model.requests[-1]["messages"])
        assert 'allow: "Edit(/docs/**)"' in listed
