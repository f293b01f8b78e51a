"""Every exception of claude_nb, and the one place where what went wrong gets its type.

Layer 0: everything imports this, it imports nothing of ours. Names follow the official Python SDK
where it has one; the others are subclasses, so `except ClaudeSDKError` catches all.
Each message says what happened and what to do next. Errors pickle and copy whole.
"""

from __future__ import annotations

from typing import Any

INSTALL_HINT = (
    "Install it with `pip install 'claude-nb[cli]'` (brings the CLI in a wheel, no Node needed) "
    "or `npm install -g @anthropic-ai/claude-code`, or set CLAUDE_CLI_PATH or cli_path=. "
    "`claude-nb doctor` shows where it was looked for."
)
LOGIN_HINT = (
    "Set ANTHROPIC_API_KEY, or run `claude` in a terminal and log in with /login. "
    "To try everything without an account: `claude-nb demo`."
)


class ClaudeSDKError(Exception):
    """Base of all errors raised by claude_nb."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions with keyword-only state do not survive pickle by default: rebuild from the state itself.
        return (_rebuild, (type(self), self.args, self.__dict__.copy()))


def _rebuild(cls: type[ClaudeSDKError], args: tuple[Any, ...], state: dict[str, Any]) -> ClaudeSDKError:
    error = cls.__new__(cls)
    error.args = args
    error.__dict__.update(state)
    return error


class CLIConnectionError(ClaudeSDKError):
    """The CLI could not be started, or the connection to it is not (or no longer) there."""


class CLINotFoundError(CLIConnectionError):
    """No Claude Code CLI was found. `cli_path` is the path that was asked for, if one was."""

    def __init__(self, message: str = "Claude Code CLI not found. " + INSTALL_HINT, cli_path: str | None = None):
        self.cli_path = cli_path
        super().__init__(f"{message} (tried {cli_path})" if cli_path else message)


class CLIVersionError(CLIConnectionError):
    """The CLI found is older than a requested option or the protocol needs."""

    def __init__(self, message: str, *, found: str | None = None, needed: str | None = None):
        self.found, self.needed = found, needed
        super().__init__(message)


class OptionsError(ClaudeSDKError, ValueError):
    """Options that cannot be meant; raised before any process starts."""


class ContentError(ClaudeSDKError, ValueError):
    """A piece of a prompt that cannot be sent: not an image of a known kind, too large, not readable ..."""


class ProcessError(ClaudeSDKError):
    """The CLI ended badly. `exit_code` is its code (negative: a signal), `stderr` the tail of what it said."""

    def __init__(self, message: str, exit_code: int | None = None, stderr: str | None = None):
        self.exit_code, self.stderr = exit_code, stderr
        if exit_code is not None:
            message = f"{message} (exit code: {exit_code})"
        if stderr and stderr.strip():
            message = f"{message}\nLast lines of its error output:\n{stderr.strip()}"
        super().__init__(message)


class ResultError(ProcessError):
    """The run ended with an error result. `data` is the result frame as the CLI sent it.

    From it: `subtype` (the kind of the result, `error_max_turns` say), `errors` (the CLI's own sentences), `result`
    (its text), `api_error_status` (HTTP status of the API call that failed), `terminal_reason` (why the run ended, in
    the CLI's words) and `session_id`; None where the frame has none.
    """

    def __init__(self, message: str, data: dict[str, Any] | None = None, exit_code: int | None = None):
        self.data: dict[str, Any] = data or {}
        self.subtype: str | None = self.data.get("subtype")
        self.errors: list[str] = list(self.data.get("errors") or [])
        self.result: str | None = self.data.get("result")
        self.api_error_status: int | None = self.data.get("api_error_status")
        self.terminal_reason: str | None = self.data.get("terminal_reason")
        self.session_id: str | None = self.data.get("session_id")
        super().__init__(message, exit_code)


class AuthenticationError(ResultError):
    """No credentials, or credentials that the API refused."""


class BudgetExceededError(ResultError):
    """The session's budget is used up; no further turn was started."""


class TurnInterrupted(ResultError):
    """The turn was interrupted; what was streamed until then is kept."""


class ControlError(ClaudeSDKError):
    """The CLI answered a control request with an error. `subtype` names the request, `code` the CLI's code."""

    def __init__(self, message: str, *, subtype: str | None = None, code: str | None = None):
        self.subtype, self.code = subtype, code
        super().__init__(message)


class ControlTimeoutError(ControlError):
    """The CLI did not answer a control request in time."""


class RewindError(ClaudeSDKError):
    """A rewind, or its undoing, is not possible, or failed; the message says what was changed, if anything was."""


class CLIJSONDecodeError(ClaudeSDKError):
    """A line from the CLI was not JSON. `line` is its beginning, `original_error` the parser's."""

    def __init__(self, line: str, original_error: Exception):
        self.line, self.original_error = line, original_error
        super().__init__(f"The CLI sent a line that is not JSON: {line[:100]!r} ({original_error})")


class LineTooLongError(CLIJSONDecodeError):
    """A line from the CLI was longer than `max_buffer_size`, so what it said is lost.

    `line` is its beginning; `size` and `limit` are in bytes.
    """

    def __init__(self, line: str, size: int, limit: int):
        self.size, self.limit = size, limit
        super().__init__(line, ValueError(f"{size} bytes, more than {limit}"))
        self.args = (
            f"The CLI sent a line of {size} bytes, which was not read: max_buffer_size is {limit}, so set it higher. "
            f"The line begins with {line[:100]!r}.",
        )


class MessageParseError(ClaudeSDKError):
    """A message that does not have the shape its type promises. `data` is the frame as it came."""

    def __init__(self, message: str, data: dict[str, Any] | None = None):
        self.data = data
        super().__init__(message)


class SessionNotFoundError(ClaudeSDKError, FileNotFoundError):
    """No transcript of that session is on disk or in the store."""


class SessionInUseError(ClaudeSDKError):
    """Another client holds this session. `owner` says who, as far as it is known (process id and host)."""

    def __init__(self, session_id: str, owner: str = "another process"):
        self.session_id, self.owner = session_id, owner
        super().__init__(
            f"Session {session_id} is in use by {owner}. Wait until it is closed there, "
            "or fork the session to go on from the same history."
        )


class SessionStoreError(ClaudeSDKError, RuntimeError):
    """A session store failed or did not answer in time while a session was being resumed from it."""


_AUTHENTICATION_WORDS = ("invalid api key", "not logged in", "please run /login", "authentication", "oauth token")


def error_from_result(result: Any) -> ResultError | None:
    """The error that a result message stands for, None for a good end.

    `result` has the fields of `ResultMessage` and its frame in `raw`. The one place where results become errors.
    Source: protocol page 3.3, CLI 2.1.329: an API refusal has the subtype `success` and `is_error`; an interrupt is
    `error_during_execution` with an aborted terminal reason.
    """
    if not result.is_error:
        return None
    data = dict(result.raw)
    words = "; ".join(result.errors or []) or result.result or ""
    if str(result.terminal_reason or "").startswith("aborted"):
        return TurnInterrupted("The turn was interrupted. What was answered until then is kept.", data)
    if result.subtype == "error_max_budget_usd":
        return BudgetExceededError(f"The session's budget is used up. {words}".strip(), data)
    if result.subtype == "error_max_turns":
        # Its num_turns is one more than the limit, which only the CLI's sentence tells.
        return ResultError(
            f"The agent used all the turns it was given; raise max_turns or ask on. {words}".strip(), data
        )
    if result.api_error_status in (401, 403) or any(w in words.lower() for w in _AUTHENTICATION_WORDS):
        return AuthenticationError(
            f"The API did not accept the credentials: {words or 'no reason given'}. {LOGIN_HINT}", data
        )
    status = f"HTTP status {result.api_error_status}" if result.api_error_status else ""
    return ResultError(words or status or f"The run ended with {result.subtype}.", data)


# What the CLI says on its error output before it exits, and the error that is: first match wins.
_LAST_WORDS = (
    ("unknown option", "The CLI does not know an option it was given, so it is too old (or extra_args is wrong)."),
    ("is already in use", "The session id is taken: session_id only begins a session. Use resume to go on with it."),
    ("No conversation found", "There is no session with that id in this folder; claude_nb.list_sessions() shows them."),
)


def error_from_exit(
    exit_code: int | None, stderr: str, last_result: Any = None, *, opened: bool = True
) -> ClaudeSDKError:
    """The error that the CLI's end stands for, when work was open or its exit code is not 0.

    `last_result` is the last result message of the run, if the CLI gave one: an error in it says more than an exit
    code. `opened`: the session had begun. The one place where exits become errors.
    """
    if last_result is not None and (error := error_from_result(last_result)) is not None:
        error.exit_code = exit_code
        return error
    for words, meaning in _LAST_WORDS:
        if words in stderr:
            if words == "unknown option":
                return CLIVersionError(f"{meaning}\nLast lines of its error output:\n{stderr.strip()}")
            return ProcessError(meaning, exit_code, stderr)
    if any(word in stderr.lower() for word in _AUTHENTICATION_WORDS):
        return AuthenticationError(
            f"The CLI has no valid credentials. {LOGIN_HINT}\n{stderr.strip()}".strip(), None, exit_code
        )
    hint = " The session can be resumed." if opened else ""
    if exit_code in (0, None):
        return CLIConnectionError(f"The CLI closed the connection while its answer was awaited.{hint}")
    how = f"was ended by signal {-exit_code}" if exit_code < 0 else "ended with an error"
    return ProcessError(f"The CLI {how}{'' if opened else ' before the session began'}.{hint}", exit_code, stderr)
