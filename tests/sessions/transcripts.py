"""Transcripts made up for the tests, shaped like those of CLI 2.1.329."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from uuid import UUID

from claude_nb.sessions import project_key_for_directory

SESSION = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"

Entry = dict[str, Any]


def uuid(n: int) -> str:
    return str(UUID(int=n))


class Transcript:
    """Entries in the order of writing, each the child of the one before unless told otherwise."""

    def __init__(self, session_id: str = SESSION, cwd: str = "/somewhere"):
        self.session_id, self.cwd = session_id, cwd
        self.entries: list[Entry] = []
        self.last: str | None = None

    def node(self, type: str, *, parent: str | None = "last", **fields: Any) -> str:
        number = len(self.entries) + 1
        self.entries.append(
            {
                "parentUuid": self.last if parent == "last" else parent,
                "isSidechain": False,
                "type": type,
                "uuid": uuid(number),
                "timestamp": f"2026-01-01T00:{number // 60:02d}:{number % 60:02d}.000Z",
                "cwd": self.cwd,
                "sessionId": self.session_id,
                "gitBranch": "main",
                **fields,
            }
        )
        self.last = uuid(number)
        return self.last

    def note(self, type: str, **fields: Any) -> None:
        self.entries.append({"type": type, **fields, "sessionId": self.session_id})

    def user(self, content: Any, **fields: Any) -> str:
        return self.node("user", message={"role": "user", "content": content}, **fields)

    def answer(self, *blocks: Entry, id: str, **fields: Any) -> str:
        return self.node("assistant", message={"role": "assistant", "id": id, "content": list(blocks)}, **fields)

    def say(self, text: str, **fields: Any) -> str:
        return self.answer({"type": "text", "text": text}, id=f"msg_{len(self.entries)}", **fields)

    def call(self, tool: str, *, id: str, **fields: Any) -> str:
        return self.answer({"type": "tool_use", "id": tool, "name": "Read", "input": {}}, id=id, **fields)

    def result(self, tool: str, **fields: Any) -> str:
        return self.user([{"type": "tool_result", "tool_use_id": tool, "content": f"result of {tool}"}], **fields)

    def bytes(self) -> bytes:
        return b"".join(json.dumps(e, separators=(",", ":"), ensure_ascii=False).encode() + b"\n" for e in self.entries)

    def save(self, config: Path, directory: Path | str | None = None, *, age: float = 0) -> Path:
        """Write the file where the CLI would for work in `directory`; `age` is in seconds."""
        path = config / "projects" / project_key_for_directory(directory or self.cwd) / f"{self.session_id}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.bytes())
        if age:
            time = path.stat().st_mtime - age
            os.utime(path, (time, time))
        return path


def small_talk(session_id: str = SESSION, prompt: str = "Hello", cwd: str = "/somewhere") -> Transcript:
    """One prompt and its answer."""
    talk = Transcript(session_id, cwd)
    talk.user(prompt)
    talk.say(f"You said {prompt}")
    return talk


def parallel_calls() -> Transcript:
    """An answer that calls two tools at once: the calls are a chain, each result hangs on its own call."""
    talk = Transcript()
    talk.user("read both")
    talk.answer({"type": "text", "text": "Both."}, id="msg_a")
    first = talk.call("toolu_1", id="msg_a")
    second = talk.call("toolu_2", id="msg_a")
    talk.result("toolu_1", parent=first)
    talk.result("toolu_2", parent=second)
    talk.say("Read.")
    return talk
