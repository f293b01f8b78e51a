"""The fake CLI of the kit as a byte stream, for sessions: it says what is no frame, too."""

from typing import Any

from anyio.abc import ByteStream

from claude_nb.protocol.framing import encode
from claude_nb.testing import FakeTransport

Frame = dict[str, Any]


class FakeCLI(FakeTransport, ByteStream):
    """Answers `initialize` with `info`, and prompts with an echo, or not at all."""

    def __init__(self, *, info: Frame | None = None, echo: bool = True):
        super().__init__(controls={"initialize": info} if info else None, echo=echo)

    def control(self, subtype: str) -> Frame | None:
        return super().control(subtype) if subtype == "initialize" else None

    def say_bytes(self, data: bytes) -> None:
        self._out.append(data)
        self._wake()

    def put(self, id: str, subtype: str, **fields: Any) -> None:
        """Ask the session something, and wait for nothing."""
        self.say({"type": "control_request", "request_id": id, "request": {"subtype": subtype, **fields}})

    async def receive(self, max_bytes: int = 65536) -> bytes:
        item = await self._next()
        return item if isinstance(item, bytes) else encode(item)

    async def send(self, item: bytes) -> None:
        await self.write(item.decode())

    async def send_eof(self) -> None:
        self.die()

    async def aclose(self) -> None:
        await self.close()


def result(uuid: str | None, **fields: Any) -> Frame:
    named = {"user_message_uuid": uuid, "user_message_uuids": [uuid]} if uuid else {}
    return {"type": "result", "subtype": "success", "is_error": False, "session_id": "s", **named, **fields}


def delta(text: str) -> Frame:
    event = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
    return {"type": "stream_event", "event": event, "uuid": "e", "session_id": "s", "parent_tool_use_id": None}
