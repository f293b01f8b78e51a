"""Secrets out of what is shown and kept: one function before the reducer and before any recording.

Pure. Finds the values of environment variables whose names look like secrets, and the key formats of known
providers. What it cannot catch, and the README says so: secrets it has never seen in a format it does not know, and
secrets that the model transforms (reversed, base64, spelled out).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_SECRET_NAME = re.compile(
    r"(^|_)(API_?KEYS?|ACCESS_KEY(_ID)?|SECRETS?|TOKENS?|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|PRIVATE_KEY)(_|$)",
    re.IGNORECASE,
)
# Prefix, then the characters a key of that provider goes on with, then how many of those make it a key.
_PROVIDER_KEYS = (
    (r"sk-ant-", r"[\w-]", 16),
    (r"sk-proj-", r"[\w-]", 16),
    (r"gh[pousr]_", r"\w", 30),
    (r"github_pat_", r"\w", 30),
    (r"glpat-", r"[\w-]", 16),
    (r"xox[abpr]-", r"[\w-]", 16),
    (r"AKIA", r"[0-9A-Z]", 16),
    (r"AIza", r"[\w-]", 30),
    (r"hf_", r"\w", 30),
    (r"npm_", r"\w", 30),
)
_PATTERN = re.compile("|".join(rf"{head}{tail}{{{least},}}" for head, tail, least in _PROVIDER_KEYS))
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL)
# A tail of streamed text that may still become a provider's key: held back until it is decided.
_MAYBE_KEY = re.compile("|".join(rf"{head}{tail}*\Z" for head, tail, _ in _PROVIDER_KEYS))
# The fixed beginnings themselves, which streaming may cut as well.
_HEADS = (
    "sk-ant-",
    "sk-proj-",
    "github_pat_",
    "glpat-",
    "AKIA",
    "AIza",
    "hf_",
    "npm_",
    "ghp_",
    "gho_",
    "xoxb-",
    "xoxp-",
)
_PRIVATE_HEAD = "-----BEGIN "
_LEAST_SECRET = 8
_LONGEST_HOLD = 4096


def looks_secret(name: str) -> bool:
    """A variable or field of that name holds a secret."""
    return _SECRET_NAME.search(name.replace("-", "_")) is not None


class Redactor:
    """Replaces secrets by `[redacted: NAME]`.

    `environ` is where named secrets are looked for; `secrets` are some more, by the name to show.
    """

    def __init__(self, environ: Mapping[str, str] | None = None, secrets: Mapping[str, str] | None = None):
        found = {name: value for name, value in (environ or {}).items() if looks_secret(name)} | dict(secrets or {})
        named = {
            value: name
            for name, value in found.items()
            if len(value) >= _LEAST_SECRET and not re.search(r"\s|^[/~.]", value)
        }
        self._named = named
        # Longest first, so that a secret which contains another is replaced whole.
        alternatives = sorted(map(re.escape, named), key=len, reverse=True)
        self._values = re.compile("|".join(alternatives)) if alternatives else None
        # Every proper beginning of a secret by its last character, longest first: one short look per delta.
        self._beginnings: dict[str, list[str]] = {}
        for whole in (*named, *_HEADS, _PRIVATE_HEAD):
            for n in range(1, len(whole)):
                self._beginnings.setdefault(whole[n - 1], []).append(whole[:n])
        for beginnings in self._beginnings.values():
            beginnings.sort(key=len, reverse=True)

    def text(self, text: str) -> str:
        """The text without the secrets found in it."""
        if self._values is not None:
            text = self._values.sub(lambda m: f"[redacted: {self._named[m[0]]}]", text)
        if "PRIVATE KEY" in text:
            text = _PRIVATE_KEY.sub("[redacted: private key]", text)
        return _PATTERN.sub("[redacted: key]", text)

    def value(self, value: Any) -> Any:
        """The same for every string inside lists and dicts; other values come back as they are."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            return {key: self.value(item) for key, item in value.items()}
        return value

    def excerpt(self, text: str) -> str:
        """Text that may have been cut short (it ends in an ellipsis then): half a secret at the cut is left out."""
        whole = text.removesuffix("…")
        if whole == text:
            return self.text(text)
        whole = self.text(whole)
        return whole[: len(whole) - self.undecided(whole)] + "…"

    def error(self, error: BaseException) -> None:
        """Take the secrets out of an exception where it stands: its message, its fields, and what it came from."""
        seen: set[int] = set()
        rest: list[BaseException | None] = [error]
        while rest:
            one = rest.pop()
            if one is None or id(one) in seen:
                continue
            seen.add(id(one))
            one.args = tuple(self.value(list(one.args)))
            for name, value in vars(one).items():
                setattr(one, name, self.value(value))
            rest += [one.__cause__, one.__context__, *(v for v in vars(one).values() if isinstance(v, BaseException))]

    def stream(self) -> RedactedStream:
        """A redactor for text that comes in pieces."""
        return RedactedStream(self)

    def undecided(self, text: str) -> int:
        """How many characters at the end of `text` may be the beginning of a secret."""
        beginnings = self._beginnings.get(text[-1:], ())
        hold = next((len(beginning) for beginning in beginnings if text.endswith(beginning)), 0)
        if match := _MAYBE_KEY.search(text):
            hold = max(hold, len(text) - match.start())
        begin = text.rfind(_PRIVATE_HEAD)
        if begin >= 0 and "-----END " not in text[begin:]:
            hold = max(hold, len(text) - begin)
        # A whole secret whose own end looks like its beginning must not be cut in two.
        patterns = (self._values, _PATTERN) if hold else ()
        for match in (m for pattern in patterns if pattern is not None for m in pattern.finditer(text)):
            if match.start() < len(text) - hold < match.end():
                hold = len(text) - match.start()
        # A hold that never ends would freeze the display: past this length it cannot be one of these secrets.
        return hold if hold <= _LONGEST_HOLD else 0


class RedactedStream:
    """Streamed text with its secrets replaced, whatever the cuts: an undecided tail waits for what follows."""

    def __init__(self, redactor: Redactor):
        self._redactor = redactor
        self._held = ""

    def feed(self, text: str) -> str:
        """What may be shown now."""
        text = self._held + text
        hold = self._redactor.undecided(text)
        self._held = text[len(text) - hold :]
        return self._redactor.text(text[: len(text) - hold])

    def close(self) -> str:
        """What was still held back."""
        text, self._held = self._held, ""
        return self._redactor.text(text)
