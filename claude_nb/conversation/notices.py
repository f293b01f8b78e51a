"""What the CLI tells beside the answer, as sentences: one row per kind, a missing row means no notice.

Pure; the reducer asks here. Fields as CLI 2.1.329 sends them (protocol.md 3.1, 3.2); absent ones are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from .model import NoticeLevel


class Words(NamedTuple):
    """A notice before it has a place in a turn."""

    code: str
    level: NoticeLevel
    text: str


def _retry(data: dict[str, Any]) -> str:
    status = data.get("error_status") or data.get("status")
    delay = data.get("retry_delay_ms")
    attempt, most = data.get("attempt"), data.get("max_retries")
    text = "The API did not answer" if not status else f"The API answered with error {status}"
    text += f"; trying again in {delay / 1000:.0f} s" if isinstance(delay, int | float) else "; trying again"
    return text + (f" (attempt {attempt} of {most})." if attempt and most else ".")


def _compact(data: dict[str, Any]) -> str:
    meta = data.get("compact_metadata") or {}
    before = meta.get("pre_tokens")
    return "The conversation was summarised to make room" + (f" (it had {before:,} tokens)." if before else ".")


def _sentence(default: str) -> Callable[[dict[str, Any]], str]:
    def text(data: dict[str, Any]) -> str:
        return str(data.get("content") or data.get("message") or data.get("text") or default)

    return text


SYSTEM: dict[str, tuple[NoticeLevel, Callable[[dict[str, Any]], str]]] = {
    "api_retry": ("warning", _retry),
    "compact_boundary": ("info", _compact),
    "informational": ("info", _sentence("The CLI sent a note without words.")),
    "notification": ("info", _sentence("The CLI sent a notification without words.")),
    "local_command_output": ("info", _sentence("The command gave no output.")),
    "model_refusal_fallback": ("warning", _sentence("The model declined; another model answers.")),
    "model_refusal_no_fallback": ("error", _sentence("The model declined to answer.")),
    "permission_denied": ("warning", _sentence("A tool call was denied.")),
    "mirror_error": ("warning", _sentence("The session could not be copied to its store.")),
    "session_writes_lost": ("error", _sentence("Part of the session's transcript could not be written to disk.")),
    "plugin_install": ("info", _sentence("A plugin was installed.")),
}


def from_system(subtype: str, data: dict[str, Any]) -> Words | None:
    """The notice for a system message, or None when it is not for people."""
    if subtype not in SYSTEM:
        return None
    level, text = SYSTEM[subtype]
    return Words(subtype, level, text(data))


def from_rate_limit(info: Any) -> Words | None:
    """The notice for a rate limit event: None while all is well."""
    status = getattr(info, "status", None)
    if status in (None, "allowed"):
        return None
    kind = (getattr(info, "rate_limit_type", None) or "usage").replace("_", " ")
    reset = getattr(info, "resets_at", None)
    when = f"; it resets at {datetime.fromtimestamp(reset):%H:%M}" if isinstance(reset, int | float) else ""
    if status == "rejected":
        return Words("rate_limit", "error", f"The {kind} limit of your account is reached{when}.")
    used = getattr(info, "utilization", None)
    share = f" ({used:.0%} used)" if isinstance(used, int | float) and used <= 1 else ""
    return Words("rate_limit", "warning", f"The {kind} limit of your account is near{share}{when}.")


def from_unknown(kind: str, error: str | None) -> Words | None:
    """The notice for a message that could not be read, which the answer may lack; None for a new kind."""
    if error is None:
        return None
    return Words("unreadable", "warning", f"A message of the CLI ({kind or 'of no type'}) could not be read: {error}")
