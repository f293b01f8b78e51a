from __future__ import annotations

import json
from pathlib import Path

import pytest

from claude_nb import sessions
from claude_nb.sessions import summary
from tests.sessions.transcripts import OTHER, SESSION, Transcript, parallel_calls, small_talk, uuid


def ids(*args: object, **options: object) -> list[str]:
    return [found.session_id for found in sessions.list_sessions(*args, **options)]  # type: ignore


def test_a_session_is_listed_with_all_that_is_known(config: Path, tmp_path: Path) -> None:
    talk = small_talk(cwd=str(tmp_path))
    talk.note("custom-title", customTitle="Title")
    talk.note("tag", tag="exp")
    path = talk.save(config)
    (found,) = sessions.list_sessions(tmp_path)
    assert found == sessions.SDKSessionInfo(
        session_id=SESSION,
        summary="Title",
        last_modified=path.stat().st_mtime_ns // 1_000_000,
        file_size=path.stat().st_size,
        custom_title="Title",
        first_prompt="Hello",
        git_branch="main",
        cwd=str(tmp_path),
        tag="exp",
        created_at=1767225601000,
    )
    assert sessions.get_session_info(SESSION) == sessions.get_session_info(SESSION, tmp_path) == found


def test_sessions_are_listed_newest_first_of_one_folder_or_of_all(config: Path, tmp_path: Path) -> None:
    small_talk(uuid(1), cwd=str(tmp_path / "a")).save(config, age=10)
    small_talk(uuid(2), cwd=str(tmp_path / "b")).save(config, age=30)
    small_talk(uuid(3), cwd=str(tmp_path / "a")).save(config, age=20)
    assert ids() == [uuid(1), uuid(3), uuid(2)]
    assert ids(tmp_path / "a") == [uuid(1), uuid(3)]
    assert ids(str(tmp_path / "nowhere")) == []


def test_pages_follow_each_other_without_gaps_and_count_only_what_is_shown(config: Path) -> None:
    for number in range(1, 8):
        talk = small_talk(uuid(number))
        if number % 3 == 0:
            talk.entries[0]["isSidechain"] = True
        talk.save(config, age=number)
    shown = [uuid(n) for n in (1, 2, 4, 5, 7)]
    assert ids() == shown
    assert [ids(limit=2, offset=offset) for offset in (0, 2, 4, 6)] == [shown[:2], shown[2:4], shown[4:], []]


def test_a_page_reads_only_the_files_it_needs(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(1, 31):
        small_talk(uuid(number)).save(config, age=number)
    read: list[Path] = []
    real = summary.facts_of_file
    monkeypatch.setattr("claude_nb.sessions.catalog.facts_of_file", lambda path: read.append(path) or real(path))
    assert len(ids(limit=3, offset=2)) == 3
    assert len(read) == 5


def test_the_newer_of_two_files_of_one_session_counts(config: Path, tmp_path: Path) -> None:
    small_talk(prompt="old", cwd=str(tmp_path / "a")).save(config, age=10)
    small_talk(prompt="new", cwd=str(tmp_path / "b")).save(config)
    assert [found.first_prompt for found in sessions.list_sessions()] == ["new"]


def test_other_files_are_not_sessions(config: Path) -> None:
    folder = small_talk().save(config).parent
    (folder / "notes.jsonl").write_bytes(small_talk().bytes())
    (folder / f"{OTHER}.json").write_bytes(small_talk().bytes())
    (folder / f"{OTHER}.jsonl").touch()
    (folder / "memory").mkdir()
    (folder.parent / "stray.txt").touch()
    assert ids() == [SESSION]


def test_what_cannot_be_read_hides_no_session(config: Path) -> None:
    folder = small_talk().save(config).parent
    (folder / f"{OTHER}.jsonl").mkdir()
    (folder / f"{uuid(9)}.jsonl").symlink_to(folder / "gone")
    assert ids() == [SESSION]


def test_without_any_sessions_everything_is_empty(tmp_path: Path) -> None:
    assert sessions.list_sessions() == []
    assert sessions.get_session_info(SESSION) is None
    assert sessions.get_session_messages(SESSION) == []
    assert sessions.list_subagents(SESSION) == []
    assert sessions.get_subagent_messages(SESSION, "a") == []
    assert sessions.get_session_info("../../etc/passwd") is None


def test_another_config_folder_can_be_named(tmp_path: Path) -> None:
    small_talk().save(tmp_path / "elsewhere")
    assert ids() == []
    assert ids(config_dir=tmp_path / "elsewhere") == [SESSION]
    assert len(sessions.get_session_messages(SESSION, config_dir=tmp_path / "elsewhere")) == 2


def test_messages_come_in_pages(config: Path) -> None:
    parallel_calls().save(config)
    whole = sessions.get_session_messages(SESSION)
    assert len(whole) == 7
    assert sessions.get_session_messages(SESSION, limit=3, offset=2) == whole[2:5]


def test_sub_agents_are_found_wherever_they_lie(config: Path) -> None:
    folder = small_talk().save(config).with_suffix("") / "subagents"
    for place, name in (("", "b1"), ("workflows/run-1", "a2")):
        agent = Transcript()
        agent.user(f"task of {name}", isSidechain=True, agentId=name)
        (folder / place).mkdir(parents=True, exist_ok=True)
        (folder / place / f"agent-{name}.jsonl").write_bytes(agent.bytes())
    (folder / "agent-b1.meta.json").write_text(json.dumps({"toolUseId": "toolu_1", "parentAgentId": "a2"}))
    (folder / "workflows/run-1/agent-a2.meta.json").write_text("[not an object")
    assert sorted(sessions.list_subagents(SESSION)) == ["a2", "b1"]
    (message,) = sessions.get_subagent_messages(SESSION, "b1")
    assert message.message["content"] == "task of b1"
    assert (message.parent_tool_use_id, message.parent_agent_id) == ("toolu_1", "a2")
    (message,) = sessions.get_subagent_messages(SESSION, "a2")
    assert (message.parent_tool_use_id, message.parent_agent_id) == (None, None)
    assert sessions.get_subagent_messages(SESSION, "unknown") == []
