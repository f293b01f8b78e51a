"""Bytes to frames and back: one JSON object per line, UTF-8.

Layer 0, pure. Above: `machine`. Below: orjson. Lines are cut at `\\n` alone (U+2028 and its like stand inside JSON
strings), however the bytes were cut on their way. What is not a frame comes out as `Garbage`; nothing here raises on
what the CLI says. Source: protocol page 2.4.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson

MAX_LINE = 64 * 1024 * 1024
"""Bytes of the longest line that is read whole, unless said otherwise: PDFs and images travel as base64."""

_SHOWN = 200
_BRACE = ord("{")
_loads = orjson.loads


@dataclass(slots=True, frozen=True)
class Garbage:
    """A line that is no frame: `head` is its beginning, `size` its length in bytes, `reason` what is wrong with it.

    `limit` is that of the line's length, in bytes, if it is longer: it may well have been a frame.
    """

    head: str
    size: int
    reason: str
    limit: int | None = None


Frame: TypeAlias = dict[str, Any]


class Framer:
    """Cuts a stream of bytes into frames. `max_line` is the longest line that is kept, in bytes."""

    def __init__(self, max_line: int = MAX_LINE):
        self.max_line = max_line
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[Frame | Garbage]:
        """Frames and garbage completed by `data`; the rest waits for more."""
        lines = data.split(b"\n")
        if len(lines) == 1:
            self._keep(data)
            return []
        self._keep(lines[0])
        done = [self._take()]
        for line in lines[1:-1]:
            try:  # the short way: nearly every line is a frame
                done.append(_loads(line) if line[0] == _BRACE and len(line) <= self.max_line else self._decode(line))
            except (IndexError, orjson.JSONDecodeError):
                done.append(self._decode(line))
        self._keep(lines[-1])
        return [item for item in done if item is not None]

    def close(self) -> list[Frame | Garbage]:
        """The end of the stream: a last line without its newline is used if it is whole."""
        last = self._take()
        return [] if last is None else [last]

    def _keep(self, data: bytes) -> None:
        self._size += len(data)
        # Of a line that is too long only the beginning is kept: enough to say what it was.
        if self._size > self.max_line:
            self._parts = [(b"".join(self._parts)[:_SHOWN] + data[:_SHOWN])[:_SHOWN]]
        elif data:
            self._parts.append(data)

    def _take(self) -> Frame | Garbage | None:
        line, size = b"".join(self._parts), self._size
        self._parts, self._size = [], 0
        if size > self.max_line:
            return self._too_long(line, size)
        return self._decode(line)

    def _decode(self, line: bytes) -> Frame | Garbage | None:
        if len(line) > self.max_line:
            return self._too_long(line, len(line))
        return decode(line)

    def _too_long(self, line: bytes, size: int) -> Garbage:
        return Garbage(_head(line), size, f"longer than the limit of {self.max_line} bytes", self.max_line)


def decode(line: bytes) -> Frame | Garbage | None:
    """The frame in a line; None for a blank one."""
    line = line.strip()
    if not line:
        return None
    if not line.startswith(b"{"):
        return _garbage(line, len(line), "not a JSON object")
    try:
        frame: Frame = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return _decode_slowly(line, str(error))
    return frame


def _decode_slowly(line: bytes, reason: str) -> Frame | Garbage:
    """JavaScript writes half a surrogate pair as an escape, which strict UTF-8 parsers refuse: replace such halves."""
    try:
        text = json.dumps(json.loads(line.decode("utf-8", "replace")), ensure_ascii=False)
        frame: Frame = orjson.loads(text.encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return _garbage(line, len(line), reason)
    return frame


def encode(frame: Frame) -> bytes:
    """One line for the CLI. Values JSON does not know are sent as their `str`."""
    try:
        return orjson.dumps(frame, default=str, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS)
    except TypeError:
        # Integers beyond 64 bits and half surrogate pairs: the standard library can.
        return json.dumps(frame, default=str).encode() + b"\n"


def _garbage(line: bytes, size: int, reason: str) -> Garbage:
    return Garbage(_head(line), size, reason)


def _head(line: bytes) -> str:
    return line[:_SHOWN].decode("utf-8", "replace")
