"""A CLI of a few lines: a byte stream that records what it is told and says what the test wants."""

import json
from typing import Any

import anyio
from anyio.abc import ByteStream

from claude_nb.protocol.framing import encode

Frame = dict[str, Any]


class FakeCLI(ByteStream):
    """Answers `initialize` with `info`, and prompts as `answers` says: `echo`, or nothing."""

    def __init__(self, *, info: Frame | None = None, echo: bool = True):
        self.said: list[Frame] = []
        self.closed = False
        self._info = {"claude_code_version": "2.1.329"} if info is None else info
        self._echo = echo
        self._news = anyio.Event()
        self._out, self._in = anyio.create_memory_object_stream[bytes](1000)

    # -- the test's side ----------------------------------------------------------------------------------------

    def say(self, *frames: Frame) -> None:
        """Send frames to the session."""
        self.say_bytes(b"".join(encode(frame) for frame in frames))

    def say_bytes(self, data: bytes) -> None:
        self._out.send_nowait(data)

    def die(self) -> None:
        """End the stream."""
        self._out.close()

    async def heard(self, kind: str, subtype: str | None = None, count: int = 1) -> Frame:
        """The `count`-th frame of that type (and subtype of its request or response), waited for."""
        with anyio.fail_after(5):
            while True:
                found = [f for f in self.said if f["type"] == kind and subtype in (None, _subtype(f))]
                if len(found) >= count:
                    return found[count - 1]
                await self._news.wait()

    def ask(self, id: str, subtype: str, **fields: Any) -> None:
        """Ask the session something."""
        self.say({"type": "control_request", "request_id": id, "request": {"subtype": subtype, **fields}})

    def end_turn(self, uuid: str, **fields: Any) -> None:
        """The result of a prompt."""
        self.say(result(uuid, **fields))

    # -- the session's side -------------------------------------------------------------------------------------

    async def send(self, item: bytes) -> None:
        if self.closed:
            raise anyio.ClosedResourceError
        for line in item.splitlines():
            frame = json.loads(line)
            self.said.append(frame)
            if _subtype(frame) == "initialize":
                self.reply(frame, self._info)
            elif frame["type"] == "user" and self._echo:
                self.end_turn(frame["uuid"], result=f"Echo: {frame['message']['content']}")
        self._news.set()
        self._news = anyio.Event()

    def reply(self, request: Frame, body: Frame | None) -> None:
        response = {"subtype": "success", "request_id": request["request_id"], "response": body}
        self.say({"type": "control_response", "response": response})

    async def receive(self, max_bytes: int = 65536) -> bytes:
        try:
            return await self._in.receive()
        except anyio.EndOfStream:
            raise anyio.EndOfStream from None

    async def send_eof(self) -> None:
        self.die()

    async def aclose(self) -> None:
        self.closed = True
        self._out.close()
        self._in.close()


def result(uuid: str | None, **fields: Any) -> Frame:
    named = {"user_message_uuid": uuid, "user_message_uuids": [uuid]} if uuid else {}
    return {"type": "result", "subtype": "success", "is_error": False, "session_id": "s", **named, **fields}


def delta(text: str) -> Frame:
    event = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
    return {"type": "stream_event", "event": event, "uuid": "e", "session_id": "s", "parent_tool_use_id": None}


def _subtype(frame: Frame) -> str | None:
    return (frame.get("request") or frame.get("response") or {}).get("subtype")
