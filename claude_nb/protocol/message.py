"""Messages: everything the CLI says that is neither control traffic nor the transcript mirror.

Layer 0. Above: `machine` hands them out, `conversation` reduces them, users read them. Below: `block`, `system` (notes,
which can be imported from here too). Names and fields follow the official Python SDK 0.2.186; the wire's nested
`message` is flattened into them. Types that SDK drops are kept, with every message's frame in `raw`. `parse_message`
never raises: a field of the wrong kind is left at its default (it stays in `raw`), and what is not understood at all
becomes an `UnknownMessage`.
Source: protocol page section 3, CLI 2.1.329.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, TypedDict

from pydantic import ConfigDict, Field, ValidationError

from .block import ContentBlock, Frame, WireModel, lenient, parse_block, reason
from .record import Fields
from .system import HookEventMessage as HookEventMessage
from .system import MirrorErrorMessage as MirrorErrorMessage
from .system import SystemMessage as SystemMessage
from .system import TaskNotificationMessage as TaskNotificationMessage
from .system import TaskProgressMessage as TaskProgressMessage
from .system import TaskStartedMessage as TaskStartedMessage
from .system import TaskUpdatedMessage as TaskUpdatedMessage
from .system import parse_system

AssistantMessageError = Literal[
    "authentication_failed", "billing_error", "rate_limit", "invalid_request", "server_error", "unknown"
]
ASSISTANT_MESSAGE_ERRORS: tuple[str, ...] = (
    "authentication_failed",
    "billing_error",
    "rate_limit",
    "invalid_request",
    "server_error",
    "unknown",
    "overloaded",
    "model_not_found",
    "max_output_tokens",
    "oauth_org_not_allowed",
    "account_on_hold",
    "verification_required",
    "cloud_credential_error",
)
"""Known values of `AssistantMessage.error`: the official SDK's, then those only the CLI names."""

MessageOriginKind = Literal[
    "human",
    "channel",
    "peer",
    "task-notification",
    "coordinator",
    "unclassified",
    "observer",
    "auto-continuation",
    "observer-activity",
]
TaskNotificationOriginSubkind = Literal["scheduled-trigger", "peer-send-message"]
RateLimitStatus = Literal["allowed", "allowed_warning", "rejected"]
RateLimitType = Literal["five_hour", "seven_day", "seven_day_opus", "seven_day_sonnet", "overage"]


# A keyword of Python is no name for a class's field.
_From = TypedDict("_From", {"from": str}, total=False)


class MessageOrigin(_From, total=False):
    """Who sent a prompt; `kind` is always there, the rest depends on it. More keys may come."""

    kind: MessageOriginKind
    server: str
    name: str
    fromSession: str
    senderTaskId: str
    body: str
    verifiedPeerPid: int
    subkind: TaskNotificationOriginSubkind


class ModelUsage(TypedDict, total=False):
    """Usage of one model in this process so far; cumulative."""

    inputTokens: int
    outputTokens: int
    cacheReadInputTokens: int
    cacheCreationInputTokens: int
    webSearchRequests: int
    costUSD: float
    contextWindow: int
    maxOutputTokens: int
    canonicalModel: str
    provider: str


class _Framed(WireModel):
    """A message with its frame as it came."""

    raw: Frame = Field(default_factory=dict, repr=False, exclude=True)


class UserMessage(_Framed):
    """A prompt that was replayed, or results of tools on their way back to the model."""

    content: str | list[ContentBlock]
    uuid: str | None = None
    parent_tool_use_id: str | None = None
    tool_use_result: Any = None
    origin: dict[str, Any] | None = None


class AssistantMessage(_Framed):
    """One block of the model's answer (the CLI sends a message per block, all with the same `message_id`).

    `error` is one of `ASSISTANT_MESSAGE_ERRORS`, or a newer word. `usage` is not final before the result.
    """

    content: list[ContentBlock]
    model: str = ""
    parent_tool_use_id: str | None = None
    error: str | None = None
    usage: dict[str, Any] | None = None
    message_id: str | None = None
    stop_reason: str | None = None
    session_id: str | None = None
    uuid: str | None = None
    user_message_uuid: str | None = None
    user_message_uuids: list[str] | None = None


class DeferredToolUse(WireModel):
    """A tool call that a hook put off to a later run."""

    id: str
    name: str
    input: dict[str, Any]


class ResultMessage(_Framed):
    """The end of a turn. Costs (`total_cost_usd`, US dollars) and `model_usage` are cumulative, durations in ms.

    `subtype` is `success` even when the API refused (`is_error`, `api_error_status` say so). `user_message_uuids`
    names the prompts it answers; a background task's extra turn names none and has an `origin`.
    """

    subtype: str
    duration_ms: int = 0
    duration_api_ms: int = 0
    is_error: bool = False
    num_turns: int = 0
    session_id: str = ""
    stop_reason: str | None = None
    total_cost_usd: float | None = None
    usage: dict[str, Any] | None = None
    result: str | None = None
    structured_output: Any = None
    model_usage: dict[str, Any] | None = Field(default=None, validation_alias="modelUsage")
    permission_denials: list[Any] | None = None
    deferred_tool_use: DeferredToolUse | None = None
    errors: list[str] | None = None
    api_error_status: int | None = None
    uuid: str | None = None
    terminal_reason: str | None = None
    origin: dict[str, Any] | None = None
    user_message_uuid: str | None = None
    user_message_uuids: list[str] | None = None

    model_config = ConfigDict(populate_by_name=True)


class RateLimitInfo(WireModel):
    """How much of the account's limits is used; times are seconds since the epoch."""

    status: str = "allowed"
    resets_at: int | None = Field(default=None, validation_alias="resetsAt")
    rate_limit_type: str | None = Field(default=None, validation_alias="rateLimitType")
    utilization: float | None = None
    overage_status: str | None = Field(default=None, validation_alias="overageStatus")
    overage_resets_at: int | None = Field(default=None, validation_alias="overageResetsAt")
    overage_disabled_reason: str | None = Field(default=None, validation_alias="overageDisabledReason")
    raw: Frame = Field(default_factory=dict, repr=False, exclude=True)

    model_config = ConfigDict(populate_by_name=True)


class RateLimitEvent(_Framed):
    """The account's limits changed."""

    rate_limit_info: RateLimitInfo
    uuid: str = ""
    session_id: str = ""


class ConversationResetMessage(_Framed):
    """The conversation was cleared: totals begin anew and the session id changes."""

    new_conversation_id: str = ""
    uuid: str = ""
    session_id: str = ""


class ToolProgressMessage(_Framed):
    """A tool is still running."""

    tool_use_id: str
    tool_name: str = ""
    parent_tool_use_id: str | None = None
    elapsed_time_seconds: float = 0.0
    uuid: str = ""
    session_id: str = ""


class ToolUseSummaryMessage(_Framed):
    """A sentence about several tool calls."""

    summary: str
    preceding_tool_use_ids: list[str] = Field(default_factory=list)
    uuid: str = ""
    session_id: str = ""


class AuthStatusMessage(_Framed):
    """A login is going on."""

    is_authenticating: bool = Field(default=False, validation_alias="isAuthenticating")
    output: list[str] = Field(default_factory=list)
    error: str | None = None
    uuid: str = ""
    session_id: str = ""

    model_config = ConfigDict(populate_by_name=True)


class PromptSuggestionMessage(_Framed):
    """A next prompt that the model suggests."""

    suggestion: str
    uuid: str = ""
    session_id: str = ""


class CommandLifecycleMessage(_Framed):
    """Where a prompt of ours is: `queued`, `started`, `completed` or `cancelled`. `command_uuid` is the prompt's."""

    command_uuid: str
    state: str
    uuid: str = ""
    session_id: str = ""


class UnknownMessage(_Framed):
    """A frame of a type or shape this version does not know.

    `type` is its own word, `error` says why it was not understood (None: a type that is new).
    """

    type: str = ""
    error: str | None = None


class StreamEvent:
    """One raw event of the Messages API stream, with `include_partial_messages`.

    A plain object around the frame, because an answer brings thousands: the fields are read on access.
    """

    __slots__ = ("raw",)
    raw: dict[str, Any]

    __match_args__ = ("uuid", "session_id", "event", "parent_tool_use_id", "user_message_uuid", "user_message_uuids")
    __dataclass_fields__ = Fields(*__match_args__)

    def __init__(
        self,
        uuid: str,
        session_id: str,
        event: dict[str, Any],
        parent_tool_use_id: str | None = None,
        user_message_uuid: str | None = None,
        user_message_uuids: list[str] | None = None,
    ):
        self.raw = {
            "type": "stream_event",
            "uuid": uuid,
            "session_id": session_id,
            "event": event,
            "parent_tool_use_id": parent_tool_use_id,
            "user_message_uuid": user_message_uuid,
            "user_message_uuids": user_message_uuids,
        }

    @classmethod
    def of(cls, frame: dict[str, Any]) -> StreamEvent:
        """The event around its frame; nothing is copied or checked."""
        self = cls.__new__(cls)
        self.raw = frame
        return self

    @property
    def event(self) -> dict[str, Any]:
        """The Messages API event as it came; empty when there is none."""
        event = self.raw.get("event")
        return event if isinstance(event, dict) else {}

    @event.setter
    def event(self, value: dict[str, Any]) -> None:
        self._set("event", value)

    @property
    def uuid(self) -> str:
        """Id of this event."""
        return str(self.raw.get("uuid", ""))

    @uuid.setter
    def uuid(self, value: str) -> None:
        self._set("uuid", value)

    @property
    def session_id(self) -> str:
        """The session it belongs to."""
        return str(self.raw.get("session_id", ""))

    @session_id.setter
    def session_id(self, value: str) -> None:
        self._set("session_id", value)

    @property
    def parent_tool_use_id(self) -> str | None:
        """The tool call whose sub-agent is talking; None for the main conversation."""
        return self.raw.get("parent_tool_use_id")

    @parent_tool_use_id.setter
    def parent_tool_use_id(self, value: str | None) -> None:
        self._set("parent_tool_use_id", value)

    @property
    def user_message_uuid(self) -> str | None:
        """The prompt being answered; only on the first event of a message."""
        return self.raw.get("user_message_uuid")

    @user_message_uuid.setter
    def user_message_uuid(self, value: str | None) -> None:
        self._set("user_message_uuid", value)

    @property
    def user_message_uuids(self) -> list[str] | None:
        """All prompts being answered; only on the first event of a message."""
        return self.raw.get("user_message_uuids")

    @user_message_uuids.setter
    def user_message_uuids(self, value: list[str] | None) -> None:
        self._set("user_message_uuids", value)

    def _set(self, name: str, value: Any) -> None:
        # The frame is not ours alone.
        self.raw = {**self.raw, name: value}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StreamEvent) and self.raw == other.raw

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"StreamEvent({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__match_args__)})"


Message: TypeAlias = (
    UserMessage
    | AssistantMessage
    | SystemMessage
    | ResultMessage
    | StreamEvent
    | RateLimitEvent
    | ConversationResetMessage
    | ToolProgressMessage
    | ToolUseSummaryMessage
    | AuthStatusMessage
    | PromptSuggestionMessage
    | CommandLifecycleMessage
    | UnknownMessage
)

_BY_TYPE: dict[str, type[_Framed]] = {
    "user": UserMessage,
    "assistant": AssistantMessage,
    "result": ResultMessage,
    "rate_limit_event": RateLimitEvent,
    "conversation_reset": ConversationResetMessage,
    "tool_progress": ToolProgressMessage,
    "tool_use_summary": ToolUseSummaryMessage,
    "auth_status": AuthStatusMessage,
    "prompt_suggestion": PromptSuggestionMessage,
    "command_lifecycle": CommandLifecycleMessage,
}

# What the wire nests in `message` (an object of the Messages API) and we keep flat, with the flat name.
_NESTED = {"content": "content", "model": "model", "usage": "usage", "stop_reason": "stop_reason", "id": "message_id"}


def parse_message(frame: dict[str, Any]) -> Message:
    """The typed message of one frame, which it keeps as `raw` (as `data` for a `SystemMessage`). Never raises."""
    kind = frame.get("type")
    if kind == "stream_event":
        return StreamEvent.of(frame)
    if kind == "system":
        return parse_system(frame)
    model = _BY_TYPE.get(kind) if isinstance(kind, str) else None
    if model is None:
        return UnknownMessage(type=str(kind or ""), raw=frame)
    try:
        return lenient(model, {**_flat(frame), "raw": frame})  # type: ignore[return-value]
    except ValidationError as error:
        return UnknownMessage(type=str(kind), raw=frame, error=reason(error))


def _flat(frame: dict[str, Any]) -> dict[str, Any]:
    """The frame with its nested `message` lifted, its blocks parsed and its `type` (which the class says) dropped."""
    fields = {key: value for key, value in frame.items() if key not in ("type", "message")}
    message = frame.get("message")
    if isinstance(message, dict):
        fields |= {flat: message[key] for key, flat in _NESTED.items() if key in message}
    if isinstance(content := fields.get("content"), list):
        fields["content"] = [parse_block(block) for block in content]
    if isinstance(limits := fields.get("rate_limit_info"), dict):
        fields["rate_limit_info"] = {**limits, "raw": limits}
    return fields
