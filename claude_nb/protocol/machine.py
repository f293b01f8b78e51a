"""The conversation with the CLI as a machine without IO: feed bytes, get events; call a verb, get bytes.

Layer 0, pure: no clock, task or callback. Above: `engine.session` moves the bytes and acts on the events.
Below: `framing` (lines), `message` (what is said). It keeps two ledgers, the ids we await an answer to (`ours`) and the
ids the CLI awaits one to (`theirs`), and beside them the prompts that have no result yet and the tasks that live on.

Rules, stated here and nowhere else:

- An answer is sent at most once. A withdrawn or answered id yields no bytes; a late reply is dropped.
- A turn ends on the result that names its prompt; one result may name several, and ends them all. A result that names
  none of ours belongs to an extra turn (a background task's report) and ends nothing. A CLI too old to name prompts
  ends the oldest one.
- A prompt withdrawn from the CLI's queue ends as cancelled. One that the CLI took and that still has no result when
  it reports itself idle ends with the last result there was, so that nobody waits for ever.
- A line too long to be read is told in its place as an `UnknownMessage`. If it was a question or a reply, its beginning
  tells the id, and it is reported as one that could not be read. It may have been the result of the prompts that were
  begun: those that are left without one end with that error, never with the result of another.
- The run has settled when no prompt is open, no tracked task lives, and the CLI, if it tells, is idle.
- At the end of the stream every open id and prompt is reported once in `Closed`.
- Nothing the CLI says raises: lines that are no frames come out as `Garbage`, strange frames as `UnknownMessage`.

Source: protocol page 2.5 to 2.9, models page section 3, CLI 2.1.329.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, TypeAlias

from claude_nb.errors import ClaudeSDKError, CLIConnectionError, LineTooLongError, ResultError, TurnInterrupted

from .framing import MAX_LINE, Frame, Framer, Garbage, encode
from .message import Message, ResultMessage, StreamEvent, UnknownMessage, parse_message
from .system import TERMINAL_TASK_STATUSES

# Background shells are never tracked: they may outlive the run, and the official SDK does not wait for them either.
_TRACKED_TASKS = frozenset({"local_agent", "local_workflow"})

_NO_RESULT = (
    "The CLI ended the turn without a result for this prompt. If you chose its uuid: one that was used in this session "
    "before, or before a resume, gets no answer."
)

# What the beginning of a frame tells. A result has its type further on.
_TYPE = re.compile(r'\{"type":\s?"(\w+)"')
_REQUEST_ID = re.compile(r'"request_id":\s?"([^"]+)"')


class Phase(Enum):
    """Where the conversation stands; computed from the ledgers, never stored."""

    NEW = "new"
    OPENING = "opening"
    IDLE = "idle"
    TURN = "turn"
    LINGER = "linger"
    """No turn, but a tracked task lives: the CLI may still ask, so its stdin stays open."""
    CLOSED = "closed"


@dataclass(slots=True, frozen=True)
class Replied:
    """The CLI answered our request `id`. `error` is its sentence if it refused, `body` its payload if not.

    `lost`: it answered in a line that was too long to be read.
    """

    id: str
    subtype: str
    body: dict[str, Any]
    error: str | None = None
    code: str | None = None
    lost: LineTooLongError | None = None


@dataclass(slots=True, frozen=True)
class Asked:
    """The CLI asks something and waits for `answer` or `refuse` with this id.

    `prompt` is the one of ours that was being worked on, as far as it is known. `lost`: the question is in a line that
    was too long to be read.
    """

    id: str
    subtype: str
    body: dict[str, Any]
    prompt: str | None = None
    lost: LineTooLongError | None = None


@dataclass(slots=True, frozen=True)
class Withdrawn:
    """The CLI no longer waits for an answer to `id`."""

    id: str


@dataclass(slots=True, frozen=True)
class Mirrored:
    """Transcript entries for a session store; `path` is the file they were written to."""

    path: str
    entries: list[dict[str, Any]]


@dataclass(slots=True, frozen=True)
class TurnEnded:
    """The prompts `uuids` have their result, or will have none for the reason given."""

    uuids: tuple[str, ...]
    outcome: ResultMessage | ClaudeSDKError


@dataclass(slots=True, frozen=True)
class Closed:
    """The stream ended: these requests, questions and prompts stay without an answer."""

    requests: tuple[str, ...]
    questions: tuple[str, ...]
    prompts: tuple[str, ...]


Event: TypeAlias = Message | Replied | Asked | Withdrawn | Mirrored | TurnEnded | Closed | Garbage


@dataclass(slots=True)
class _Prompt:
    taken: bool = False
    """The CLI has told that it has it."""
    begun: bool = False
    """The CLI has told that it works on it."""
    lost: LineTooLongError | None = None
    """What may have been its result."""


class Machine:
    """One conversation with one CLI process. `max_line` bounds a line that is read, in bytes."""

    last_result: ResultMessage | None
    """The last result since the last prompt: what the end of the stream is explained by."""
    names_prompts: bool
    """The CLI has shown that it names prompts in what it says."""

    def __init__(self, *, max_line: int = MAX_LINE):
        self.last_result = None
        self.names_prompts = False
        self._framer = Framer(max_line)
        self._counter = 0
        self._ours: dict[str, str] = {}
        self._theirs: dict[str, str] = {}
        self._prompts: dict[str, _Prompt] = {}
        self._tasks: set[str] = set()
        self._state: str | None = None
        self._begun_last: str | None = None
        self._asked_to_open = self._opened = self._closed = False

    # -- how it stands ------------------------------------------------------------------------------------------

    @property
    def phase(self) -> Phase:
        """Where the conversation stands."""
        if self._closed:
            return Phase.CLOSED
        if self._prompts or self._state not in (None, "idle"):
            return Phase.TURN
        if self._tasks:
            return Phase.LINGER
        if self._opened:
            return Phase.IDLE
        return Phase.OPENING if self._asked_to_open else Phase.NEW

    @property
    def settled(self) -> bool:
        """Nothing is under way: the run may end, stdin may be closed, the session may be parked."""
        return self.phase not in (Phase.TURN, Phase.LINGER)

    @property
    def waiting(self) -> bool:
        """A prompt of ours or a tracked task is not done yet, whatever state the CLI reports."""
        return bool(self._prompts or self._tasks)

    @property
    def _working_on(self) -> str | None:
        """The open prompt that the CLI told last it works on; before it tells, the oldest."""
        return self._begun_last if self._begun_last in self._prompts else next(iter(self._prompts), None)

    # -- what we say --------------------------------------------------------------------------------------------

    def prompt(self, content: str | list[dict[str, Any]], uuid: str, **fields: Any) -> bytes:
        """A user message. `uuid` must be fresh: the CLI skips one it has seen. `fields` join the frame."""
        frame = {
            "type": "user",
            "message": {"role": "user", "content": content},
            "parent_tool_use_id": None,
            "session_id": "",
        }
        return self.user_frame(frame | fields, uuid)

    def user_frame(self, frame: Frame, uuid: str) -> bytes:
        """A user message whose frame the caller built (an element of a streamed prompt)."""
        self._check_open()
        self._prompts[uuid] = _Prompt()
        self.last_result = None
        return encode({**frame, "uuid": uuid})

    def request(self, subtype: str, **fields: Any) -> tuple[str, bytes]:
        """A control request: its id, to be found again in `Replied`, and its bytes."""
        self._check_open()
        self._counter += 1
        request_id = f"req_{self._counter}"
        self._ours[request_id] = subtype
        self._asked_to_open |= subtype == "initialize"
        return request_id, encode(
            {"type": "control_request", "request_id": request_id, "request": {"subtype": subtype, **fields}}
        )

    def answer(self, question_id: str, body: dict[str, Any]) -> bytes | None:
        """Answer what the CLI asked; None when it no longer waits for it."""
        return self._respond(question_id, {"subtype": "success", "response": body})

    def refuse(self, question_id: str, message: str) -> bytes | None:
        """Answer what the CLI asked with an error; None when it no longer waits for it."""
        return self._respond(question_id, {"subtype": "error", "error": message})

    def forget(self, request_id: str) -> bytes | None:
        """Give up on a request of ours: its reply will be dropped. The bytes tell the CLI, if it matters still."""
        if self._ours.pop(request_id, None) is None or self._closed:
            return None
        return encode({"type": "control_cancel_request", "request_id": request_id})

    def forget_prompt(self, uuid: str) -> None:
        """A prompt that never left (its write failed): nothing will end it."""
        self._prompts.pop(uuid, None)

    def _respond(self, question_id: str, response: dict[str, Any]) -> bytes | None:
        if self._theirs.pop(question_id, None) is None or self._closed:
            return None
        return encode({"type": "control_response", "response": {**response, "request_id": question_id}})

    def _check_open(self) -> None:
        if self._closed:
            raise CLIConnectionError("The CLI has ended; the connection to it is closed.")

    # -- what the CLI says --------------------------------------------------------------------------------------

    def receive(self, data: bytes) -> list[Event]:
        """Events in wire order; `b""` is the end of the stream, after which there are none."""
        if self._closed:
            return []
        events: list[Event] = []
        for item in self._framer.feed(data) if data else self._framer.close():
            if isinstance(item, Garbage):
                events.append(item)
                if item.limit is not None:
                    events.extend(self._too_long(item, item.limit))
                continue
            kind = item.get("type")
            if kind == "stream_event":  # most frames are these, so they take the short way
                events.append(StreamEvent.of(item))
            elif isinstance(kind, str) and (handler := self._HANDLERS.get(kind)):
                events.extend(handler(self, item))
            else:
                events.append(parse_message(item))
        if not data:
            events.extend(self._end_lost())
            events.append(self._close())
        return events

    def _close(self) -> Closed:
        closed = Closed(tuple(self._ours), tuple(self._theirs), tuple(self._prompts))
        self._closed = True
        for ledger in (self._ours, self._theirs, self._prompts, self._tasks):
            ledger.clear()
        return closed

    def _too_long(self, line: Garbage, limit: int) -> Iterator[Event]:
        error = LineTooLongError(line.head, line.size, limit)
        kind, id = _TYPE.match(line.head), _REQUEST_ID.search(line.head)
        word = kind[1] if kind else ""
        yield UnknownMessage(type=word, error=str(error))
        if word == "control_request" and id and id[1] not in self._theirs:
            self._theirs[id[1]] = ""
            yield Asked(id[1], "", {}, self._working_on, error)
        elif word == "control_response" and id and (subtype := self._ours.pop(id[1], None)) is not None:
            yield Replied(id[1], subtype, {}, lost=error)
        elif word == "result" and not self.names_prompts:
            yield from self._end(list(self._prompts)[:1], error)
        elif word in ("", "result"):
            for prompt in self._prompts.values():
                if prompt.begun:
                    prompt.lost = error

    def _control_request(self, frame: Frame) -> Iterator[Event]:
        request, question_id = frame.get("request"), frame.get("request_id")
        if not isinstance(request, dict) or not isinstance(question_id, str):
            yield parse_message(frame)
        elif question_id not in self._theirs:
            subtype = str(request.get("subtype", ""))
            self._theirs[question_id] = subtype
            yield Asked(question_id, subtype, request, self._working_on)

    def _control_response(self, frame: Frame) -> Iterator[Event]:
        response = frame.get("response")
        if not isinstance(response, dict):
            yield parse_message(frame)
            return
        # With --replay-user-messages the CLI echoes our own answers; their ids are not in the ledger.
        request_id = str(response.get("request_id"))
        subtype = self._ours.pop(request_id, None)
        if subtype is None:
            return
        if response.get("subtype") == "error":
            error, code = str(response.get("error") or "no reason given"), response.get("error_code")
            yield Replied(request_id, subtype, {}, error, str(code) if code else None)
            return
        self._opened |= subtype == "initialize"
        body = response.get("response")
        yield Replied(request_id, subtype, body if isinstance(body, dict) else {})

    def _control_cancel(self, frame: Frame) -> Iterator[Event]:
        question_id = str(frame.get("request_id"))
        if self._theirs.pop(question_id, None) is not None:
            yield Withdrawn(question_id)

    def _keep_alive(self, frame: Frame) -> Iterator[Event]:
        return iter(())

    def _mirror(self, frame: Frame) -> Iterator[Event]:
        entries = frame.get("entries")
        good = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
        yield Mirrored(str(frame.get("filePath", "")), good)

    def _result(self, frame: Frame) -> Iterator[Event]:
        message = parse_message(frame)
        yield message
        named = frame.get("user_message_uuids") or [frame.get("user_message_uuid")]
        named = [uuid for uuid in named if isinstance(uuid, str)] if isinstance(named, list) else []
        self.names_prompts |= bool(named)
        if not isinstance(message, ResultMessage):
            message = ResultMessage(subtype=str(frame.get("subtype", "unknown")), raw=frame)
        self.last_result = message
        if not named and not self.names_prompts and not frame.get("origin"):
            named = list(self._prompts)[:1]
        yield from self._end(named, message)

    def _end(self, uuids: list[str], outcome: ResultMessage | ClaudeSDKError) -> Iterator[Event]:
        ended = tuple(uuid for uuid in uuids if self._prompts.pop(uuid, None) is not None)
        if ended:
            yield TurnEnded(ended, outcome)

    def _end_lost(self) -> Iterator[Event]:
        for uuid, prompt in list(self._prompts.items()):
            if prompt.lost is not None:
                yield from self._end([uuid], prompt.lost)

    def _lifecycle(self, frame: Frame) -> Iterator[Event]:
        yield parse_message(frame)
        uuid = frame.get("command_uuid")
        self.names_prompts = True
        if isinstance(uuid, str) and uuid in self._prompts:
            self._prompts[uuid].taken = True
            if frame.get("state") == "started":
                self._prompts[uuid].begun = True
                self._begun_last = uuid
            elif frame.get("state") == "cancelled":
                yield from self._end([uuid], TurnInterrupted("The prompt was taken out of the queue before it ran."))

    def _system(self, frame: Frame) -> Iterator[Event]:
        yield parse_message(frame)
        subtype, task = frame.get("subtype"), str(frame.get("task_id"))
        if subtype == "session_state_changed":
            yield from self._state_changed(str(frame.get("state")))
        elif subtype == "task_started":
            if frame.get("task_type") in _TRACKED_TASKS:
                self._tasks.add(task)
        elif subtype == "task_notification" or _ended(frame):
            self._tasks.discard(task)

    def _state_changed(self, state: str) -> Iterator[Event]:
        self._state = state
        if state == "idle":
            yield from self._end_lost()
            outcome = self.last_result or ResultError(_NO_RESULT)
            yield from self._end([uuid for uuid, prompt in self._prompts.items() if prompt.taken], outcome)

    _HANDLERS: ClassVar[dict[str, Callable[[Machine, Frame], Iterator[Event]]]] = {
        "control_request": _control_request,
        "control_response": _control_response,
        "control_cancel_request": _control_cancel,
        "keep_alive": _keep_alive,
        "transcript_mirror": _mirror,
        "result": _result,
        "command_lifecycle": _lifecycle,
        "system": _system,
    }


def _ended(frame: Frame) -> bool:
    """A task's end may be told only in an update of its status."""
    patch = frame.get("patch")
    status = patch.get("status") if isinstance(patch, dict) else None
    return frame.get("subtype") == "task_updated" and isinstance(status, str) and status in TERMINAL_TASK_STATUSES
