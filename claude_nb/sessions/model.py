"""The nouns of stored sessions: what listing, reading and forking hand out.

Above: every other module of `sessions`, and users. Below: the standard library. Names and fields follow the
official Python SDK 0.2.186.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NotRequired, Required, TypedDict

Entry = dict[str, Any]
"""One line of a transcript as the CLI wrote it: a JSON object with at least a `type`."""


@dataclass
class SDKSessionInfo:
    """What is known of a session without reading all of it.

    `session_id` is a UUID. `summary` is the line to show for it: the title, else the last prompt, else the first.
    `last_modified` and `created_at` are milliseconds since the epoch. `file_size` is in bytes, None in a store.
    `custom_title` is the title the user gave, else the one the model made up. `first_prompt` is at most 200
    characters long. `git_branch` is the branch at the end of the session, `cwd` the folder it started in.
    """

    session_id: str
    summary: str
    last_modified: int
    file_size: int | None = None
    custom_title: str | None = None
    first_prompt: str | None = None
    git_branch: str | None = None
    cwd: str | None = None
    tag: str | None = None
    created_at: int | None = None


@dataclass
class SessionMessage:
    """A message of a stored conversation.

    `message` is the Messages API message as it was stored: `{"role": ..., "content": ...}` and more. For a
    sub-agent's messages `parent_tool_use_id` names the tool call that started it and `parent_agent_id` the
    sub-agent that made the call (None if the main conversation did); both are None elsewhere.
    """

    type: Literal["user", "assistant"]
    uuid: str
    session_id: str
    message: Any
    parent_tool_use_id: str | None = None
    parent_agent_id: str | None = None


@dataclass
class ForkSessionResult:
    """The outcome of a fork: the id of the new session, and the new uuid of each message by its old one."""

    session_id: str
    message_ids: dict[str, str] = field(default_factory=dict, repr=False)


class SessionKey(TypedDict):
    """What a store files a transcript under.

    `project_key` is the project (see `project_key_for_directory`) or a scope of the caller's. `subpath` is absent
    for the conversation itself and like `subagents/agent-<id>` for a sub-agent's; a store takes it as it is.
    """

    project_key: str
    session_id: str
    subpath: NotRequired[str]


class SessionListSubkeysKey(TypedDict):
    """The session whose sub-agents' transcripts are asked for."""

    project_key: str
    session_id: str


class SessionStoreEntry(TypedDict, total=False):
    """A line of a transcript on its way to or from a store: any JSON object that has a `type`."""

    type: Required[str]
    uuid: str
    timestamp: str


class SessionStoreListEntry(TypedDict):
    """A session in a store. `mtime` is when the store last wrote it, in milliseconds since the epoch."""

    session_id: str
    mtime: int


class SessionSummaryEntry(TypedDict):
    """A session's summary as a store keeps it.

    `mtime` is the store's own time of writing, in milliseconds since the epoch, on the clock of its
    `list_sessions`. `data` belongs to `fold_session_summary`: kept and given back as it is.
    """

    session_id: str
    mtime: int
    data: dict[str, Any]


SessionStoreFlushMode = Literal["batched", "eager"]
"""When entries go to the store: at each result (or when many wait), or as they come."""
