from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from claude_nb import sessions
from claude_nb.errors import ClaudeSDKError, SessionNotFoundError
from claude_nb.sessions import change
from claude_nb.sessions.transcript import read
from tests.sessions.transcripts import OTHER, SESSION, Transcript, parallel_calls, small_talk, uuid


def shown(session_id: str = SESSION) -> sessions.SDKSessionInfo:
    found = sessions.get_session_info(session_id)
    assert found is not None
    return found


def test_a_session_is_renamed_and_tagged_by_adding_lines(config: Path) -> None:
    path = small_talk().save(config)
    before = path.read_bytes()
    sessions.rename_session(SESSION, "  First ü  ")
    sessions.rename_session(SESSION, "Second 😀")
    sessions.tag_session(SESSION, "exp")
    assert (shown().custom_title, shown().tag) == ("Second 😀", "exp")
    sessions.tag_session(SESSION, None)
    assert shown().tag is None
    assert path.read_bytes().startswith(before)
    assert len(read(path)) == 6


def test_a_tag_keeps_only_what_can_be_seen(config: Path) -> None:
    small_talk().save(config)
    sessions.tag_session(SESSION, " a\u200b\u202eb\ufeff\ue000ﬁ ")
    assert shown().tag == "abfi"


@pytest.mark.parametrize("empty", ["", " ", "\u200b", "\ue000 \u2066"])
def test_a_tag_or_title_with_nothing_in_it_is_refused(config: Path, empty: str) -> None:
    path = small_talk().save(config)
    with pytest.raises(ValueError, match="tag must not be empty"):
        sessions.tag_session(SESSION, empty)
    with pytest.raises(ValueError, match="title must not be empty"):
        sessions.rename_session(SESSION, empty.strip("\u200b\ue000\u2066 "))
    assert path.read_bytes() == small_talk().bytes()


def test_a_line_added_after_half_a_line_stays_whole(config: Path) -> None:
    path = small_talk().save(config)
    path.write_bytes(path.read_bytes() + b'{"type":"user","mess')
    sessions.rename_session(SESSION, "whole")
    assert shown().custom_title == "whole"
    assert len(sessions.get_session_messages(SESSION)) == 2


def test_lines_added_from_many_threads_are_all_there(config: Path) -> None:
    path = small_talk().save(config)
    threads = [threading.Thread(target=sessions.rename_session, args=(SESSION, f"t{n}" * 50)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sum(entry["type"] == "custom-title" for entry in read(path)) == 20


@pytest.mark.parametrize("call", [
    lambda id: sessions.rename_session(id, "x"),
    lambda id: sessions.tag_session(id, "x"),
    lambda id: sessions.delete_session(id),
    lambda id: sessions.fork_session(id),
])  # fmt: skip
def test_what_is_not_there_cannot_be_changed(config: Path, call: object) -> None:
    small_talk().save(config)
    with pytest.raises(SessionNotFoundError, match="list_sessions"):
        call(OTHER)  # type: ignore
    with pytest.raises(FileNotFoundError):
        call(OTHER)  # type: ignore
    with pytest.raises(ClaudeSDKError):
        call(OTHER)  # type: ignore
    with pytest.raises(ValueError, match="session_id must be a UUID"):
        call("../" + SESSION)  # type: ignore


def test_a_session_is_deleted_with_its_sub_agents_and_checkpoints_and_no_other(config: Path) -> None:
    path = small_talk().save(config)
    for folder in (path.with_suffix("") / "subagents", config / "file-history" / SESSION):
        folder.mkdir(parents=True)
        (folder / "x").touch()
    other = small_talk(OTHER).save(config)
    (config / "file-history" / OTHER).mkdir()
    sessions.delete_session(SESSION)
    assert list(path.parent.iterdir()) == [other]
    assert [p.name for p in (config / "file-history").iterdir()] == [OTHER]


def test_a_fork_has_the_conversation_under_new_ids(config: Path) -> None:
    path = parallel_calls().save(config)
    before = path.read_bytes()
    fork = sessions.fork_session(SESSION)
    old, new = sessions.get_session_messages(SESSION), sessions.get_session_messages(fork.session_id)
    assert [m.message for m in new] == [m.message for m in old]
    assert {m.session_id for m in new} == {fork.session_id}
    assert not {m.uuid for m in new} & {m.uuid for m in old}
    assert [fork.message_ids[m.uuid] for m in old] == [m.uuid for m in new]
    assert path.read_bytes() == before


def test_every_entry_of_a_fork_says_where_it_came_from(config: Path) -> None:
    path = small_talk().save(config)
    entries = read(path.with_name(f"{sessions.fork_session(SESSION).session_id}.jsonl"))
    assert [e.get("forkedFrom") for e in entries] == [
        {"sessionId": SESSION, "messageUuid": uuid(1)},
        {"sessionId": SESSION, "messageUuid": uuid(2)},
        None,
    ]
    assert {e["sessionId"] for e in entries} == {entries[0]["sessionId"]}
    assert entries[1]["timestamp"] > entries[0]["timestamp"]


def test_a_fork_keeps_text_with_exotic_line_ends(config: Path) -> None:
    small_talk(prompt="one\u2028two\x85three").save(config)
    fork = sessions.fork_session(SESSION)
    assert sessions.get_session_messages(fork.session_id)[0].message["content"] == "one\u2028two\x85three"


def test_a_fork_ends_after_the_message_named(config: Path) -> None:
    talk = small_talk()
    talk.user("not this")
    talk.save(config)
    fork = sessions.fork_session(SESSION, up_to_message_id=uuid(2), title=" Cut ")
    first, second = sessions.get_session_messages(fork.session_id)
    assert (first.message["content"], second.type) == ("Hello", "assistant")
    assert shown(fork.session_id).custom_title == "Cut"


def test_a_fork_is_named_after_the_title_or_the_first_prompt(config: Path) -> None:
    talk = small_talk(prompt="A question")
    talk.save(config)
    assert shown(sessions.fork_session(SESSION).session_id).summary == "A question (fork)"
    talk.note("ai-title", aiTitle="Made up")
    talk.save(config)
    assert shown(sessions.fork_session(SESSION).session_id).summary == "Made up (fork)"
    sessions.rename_session(SESSION, "Mine")
    assert shown(sessions.fork_session(SESSION).session_id).summary == "Mine (fork)"


def test_links_in_a_fork_skip_what_was_not_copied(config: Path) -> None:
    talk = Transcript()
    first = talk.user("one")
    talk.node("progress")
    talk.node("progress")
    talk.say("two", teamName=None, slug="x", agentName="y")
    talk.node("system", parent=None, logicalParentUuid=first, subtype="compact_boundary")
    talk.user("aside", isSidechain=True)
    talk.result("t", sourceToolAssistantUUID=uuid(4))
    path = talk.save(config)
    fork = sessions.fork_session(SESSION)
    entries = read(path.with_name(f"{fork.session_id}.jsonl"))
    new = fork.message_ids
    assert [e["type"] for e in entries] == ["user", "assistant", "system", "user", "custom-title"]
    assert [e.get("parentUuid") for e in entries[:3]] == [None, new[first], None]
    assert entries[2]["logicalParentUuid"] == new[first]
    assert entries[3]["sourceToolAssistantUUID"] == new[uuid(4)]
    assert not {"teamName", "slug", "agentName"} & {name for e in entries for name in e}


def test_shortened_tool_results_stay_shortened_in_a_fork(config: Path) -> None:
    talk = small_talk()
    talk.note("content-replacement", replacements=[{"toolUseId": "t"}])
    talk.entries.append({"type": "content-replacement", "sessionId": OTHER, "replacements": [{"toolUseId": "u"}]})
    path = talk.save(config)
    fork = sessions.fork_session(SESSION)
    notes = [e for e in read(path.with_name(f"{fork.session_id}.jsonl")) if e["type"] == "content-replacement"]
    assert [(n["sessionId"], n["replacements"]) for n in notes] == [(fork.session_id, [{"toolUseId": "t"}])]


def test_file_checkpoints_come_along_with_the_prompts_that_were_copied(config: Path) -> None:
    talk = small_talk()
    late = talk.user("late")
    for prompt in (uuid(1), late):
        talk.note(
            "file-history-snapshot",
            messageId=prompt,
            snapshot={"messageId": prompt, "trackedFileBackups": {"a.txt": {"backupFileName": "abc@v1"}}},
        )
    talk.note("file-history-delta", messageId=uuid(2), snapshotMessageId=uuid(1))
    path = talk.save(config)
    (config / "file-history" / SESSION).mkdir(parents=True)
    (config / "file-history" / SESSION / "abc@v1").write_text("before")

    fork = sessions.fork_session(SESSION, up_to_message_id=uuid(2))
    new = fork.message_ids
    kept = [e for e in read(path.with_name(f"{fork.session_id}.jsonl")) if e["type"].startswith("file-history")]
    assert [(e["messageId"], e.get("snapshotMessageId")) for e in kept] == [
        (new[uuid(1)], None),
        (new[uuid(2)], new[uuid(1)]),
    ]
    assert kept[0]["snapshot"]["messageId"] == new[uuid(1)]
    assert (config / "file-history" / fork.session_id / "abc@v1").read_text() == "before"


def test_nothing_cannot_be_forked(config: Path) -> None:
    talk = Transcript()
    talk.note("custom-title", customTitle="x")
    talk.save(config)
    with pytest.raises(ValueError, match="no messages to fork"):
        sessions.fork_session(SESSION)
    small_talk().save(config)
    with pytest.raises(ValueError, match="is not in session"):
        sessions.fork_session(SESSION, up_to_message_id=uuid(99))
    with pytest.raises(ValueError, match="up_to_message_id must be a UUID"):
        sessions.fork_session(SESSION, up_to_message_id="x")


def test_a_fork_that_cannot_be_written_leaves_nothing(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = small_talk().save(config).parent
    real, calls = change.dump, iter((True, False))

    def full(entry: dict[str, object]) -> bytes:
        if not next(calls):
            raise OSError(28, "No space left on device")
        return real(entry)

    monkeypatch.setattr(change, "dump", full)
    with pytest.raises(OSError, match="No space left"):
        sessions.fork_session(SESSION)
    assert [path.name for path in folder.iterdir()] == [f"{SESSION}.jsonl"]


@pytest.mark.skipif(os.name != "posix", reason="file modes are a matter of POSIX")
def test_a_fork_can_be_read_by_its_owner_alone(config: Path) -> None:
    path = small_talk().save(config)
    forked = path.with_name(f"{sessions.fork_session(SESSION).session_id}.jsonl")
    assert stat.S_IMODE(forked.stat().st_mode) == 0o600
