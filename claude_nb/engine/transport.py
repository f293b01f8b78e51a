"""`Transport`: the official SDK's seam for custom transports, and the stream it becomes.

Layer 2. Above: `session`, `query`, `client`. Below: anyio. The engine's own seam is a byte stream, which a recorder, a
player or a fake can be too; a `Transport` speaks in parsed frames and is adapted to it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
from anyio.abc import ByteStream

from claude_nb.errors import ClaudeSDKError, CLIConnectionError
from claude_nb.protocol.framing import encode


class Transport(ABC):
    """A connection to a CLI somewhere. The methods are called in this order: connect, the rest, close."""

    @abstractmethod
    async def connect(self) -> None:
        """Be ready to write and read."""

    @abstractmethod
    async def write(self, data: str) -> None:
        """Send one or more whole lines."""

    @abstractmethod
    def read_messages(self) -> AsyncIterator[dict[str, Any]]:
        """The frames the CLI sends, parsed, to their end."""

    @abstractmethod
    async def close(self) -> None:
        """Close the connection; called where cancellation does not reach, so it must bound its own waits."""

    @abstractmethod
    def is_ready(self) -> bool:
        """It can be written to."""

    @abstractmethod
    async def end_input(self) -> None:
        """Nothing more will be written."""


class TransportStream(ByteStream):
    """A `Transport` as a byte stream. All it raises is a `ClaudeSDKError`, but for the end of the stream."""

    def __init__(self, transport: Transport):
        self._transport = transport
        self._frames: AsyncIterator[dict[str, Any]] | None = None

    async def connect(self) -> None:
        """Connect the transport and begin to read."""
        with _typed():
            await self._transport.connect()
            self._frames = aiter(self._transport.read_messages())

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """The next frame as a line, however long; raises `anyio.EndOfStream` after the last."""
        assert self._frames is not None
        with _typed():
            frame = await anext(self._frames, None)
        if frame is None:
            raise anyio.EndOfStream
        return encode(frame)

    async def send(self, item: bytes) -> None:
        """Send whole lines."""
        with _typed():
            await self._transport.write(item.decode())

    async def send_eof(self) -> None:
        """Nothing more will be written."""
        with _typed():
            await self._transport.end_input()

    async def aclose(self) -> None:
        """Close the transport."""
        with _typed():
            await self._transport.close()


@contextmanager
def _typed() -> Iterator[None]:
    """Our errors come out as they are, others as the cause of one of ours."""
    try:
        yield
    except (ClaudeSDKError, anyio.EndOfStream, anyio.ClosedResourceError):
        raise
    except Exception as error:
        raise CLIConnectionError(f"The transport failed: {error!r}") from error
